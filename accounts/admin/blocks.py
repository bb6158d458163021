"""Blocks of accounts: their list, the acts that place and lift one, and the blocks on the page of their account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import services
from accounts.admin.cells import show_account, show_scope
from accounts.models import Account, AccountBlock
from accounts.numbers import find_number
from accounts.operations import BlockToLift, LiftBlock
from accounts.states import AccountStatus, BlockScope
from approvals.admin import RequestAct, list_approvals, name_operation_subject
from approvals.models import Approval
from core.admin.acts import Act, ReasonForm, act_on
from core.admin.cells import NOTHING, column, find_list, link_to, show_id, show_moment
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Link, Table, table_on
from core.models import User
from events.admin import list_events
from kyc.models import Client

_SHOWN = 20

name_operation_subject(operation=LiftBlock, model=AccountBlock)


def _show_placer(block: AccountBlock) -> str:
    return _name(block.placed_by)


def _show_lifter(block: AccountBlock) -> str:
    return NOTHING if block.lifted_at is None else _name(block.lifted_by)


def _name(user: User | None) -> str:
    return gettext("the system") if user is None else user.username


@admin.register(AccountBlock)
class AccountBlockAdmin(BankAdmin):
    """A block of an account, and who lifted it."""

    help_text = _(
        "Every block that was ever placed on an account, newest first: which movements it refuses, why and until when. "
        "What all blocks of an account that stand refuse is refused; the account is active again once the last of them "
        "is lifted. A block with an end is lifted by the system."
    )
    empty_text = _("No block matches. Search by id, by an account's number, or by the name of a client.")
    search_help_text = _("Id, account number or name of the client")
    ordering = ("-pk",)
    list_select_related = ("account", "placed_by", "lifted_by")
    list_display = (
        column(_("Block"), lambda block: show_id(block.pk)),
        column(_("Account"), lambda block: show_account(block.account)),
        column(_("Stops"), show_scope),
        "reason",
        column(_("Placed"), lambda block: show_moment(block.placed_at)),
        column(_("By"), _show_placer),
        column(_("Until"), lambda block: show_moment(block.valid_until)),
        column(_("Lifted"), lambda block: show_moment(block.lifted_at)),
    )
    list_filter = (("scope", ChoicesDropdownFilter), ("placed_at", DayFilter))
    fieldsets = (
        (
            _("Block"),
            {
                "fields": (
                    column(_("Account"), lambda block: show_account(block.account)),
                    column(_("Stops"), show_scope),
                    "reason",
                    column(_("Until"), lambda block: show_moment(block.valid_until)),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Id"), lambda block: show_id(block.pk)),
                    column(_("Placed"), lambda block: show_moment(block.placed_at)),
                    column(_("Placed by"), _show_placer),
                    column(_("Lifted"), lambda block: show_moment(block.lifted_at)),
                    column(_("Lifted by"), _show_lifter),
                    column(_("Why lifted"), lambda block: block.lift_reason or NOTHING),
                    column(
                        _("Approved by"),
                        lambda block: link_to(Approval, block.lift_approval_id, gettext("this approval")),
                    ),
                )
            },
        ),
    )

    def search(self, rows: QuerySet[AccountBlock], term: str) -> QuerySet[AccountBlock]:
        """Find by the account's number or its client's name."""
        number, clients = find_number(text=term), Client.objects.filter(name__icontains=term)
        return rows.filter(account__number=number) | rows.filter(account__client__in=clients)


class _MomentInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # unfold ships no types
    input_type = "datetime-local"


class BlockForm(ReasonForm):
    """What to stop, and for how long."""

    scope = forms.ChoiceField(
        label=_("Stop"),
        choices=BlockScope.choices,
        initial=BlockScope.BOTH,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Money in still reaches an account of which only money out is stopped, and the other way round."),
    )
    valid_until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=_MomentInput,
        help_text=_("In the bank's time zone. The system lifts the block then; if it is empty, people do."),
    )
    field_order = ("scope", "valid_until", "reason")


@act_on(Account)
class Block(Act):
    """Stop movements of an account."""

    name = "block"
    title = _("Block")
    icon = "block"
    permission = "accounts.block_account"
    explanation = _(
        "From now on the account takes no money, gives none, or neither, until the block is lifted. Its client still "
        "sees it and is told. Other blocks that stand are not touched."
    )
    variant = ActionVariant.WARNING
    form = BlockForm

    def is_offered(self, subject: Account) -> bool:
        """Offer it until the account is closed."""
        return subject.status != AccountStatus.INACTIVE

    def carry_out(self, *, subject: Account, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Place the block."""
        account = services.block_account(
            account_id=subject.pk,
            reason=answers["reason"],
            actor=actor,
            now=now,
            scope=BlockScope(answers["scope"]),
            valid_until=answers["valid_until"],
        )
        return gettext("Account %(number)s is blocked.") % {"number": account.number}


@act_on(AccountBlock)
class RequestLift(RequestAct):
    """Ask for a block to be lifted."""

    name = "lift"
    operation = LiftBlock
    icon = "lock_open"
    variant = ActionVariant.SUCCESS

    def is_offered(self, subject: AccountBlock) -> bool:
        """Offer it while the block stands on an account that is not closed."""
        return subject.lifted_at is None and subject.account.status != AccountStatus.INACTIVE

    def make_payload(self, *, subject: AccountBlock, answers: Mapping[str, Any]) -> BlockToLift:
        """Return which block."""
        return BlockToLift(subject.pk)


@table_on(AccountBlock, permission="approvals.view_approval")
def _show_approvals(request: HttpRequest, block: AccountBlock) -> Table | None:
    return list_approvals(subject=str(block.pk))


@table_on(AccountBlock, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, block: AccountBlock) -> Table:
    return list_events(key=block.account_id)


@table_on(Account, permission="accounts.view_accountblock")
def _show_blocks(request: HttpRequest, account: Account) -> Table:
    blocks = account.blocks.select_related("placed_by", "lifted_by").order_by("-pk")[: _SHOWN + 1]
    more = (Link(find_list(AccountBlock, q=str(account.pk)), gettext("All blocks of this account")),)
    return Table(
        title=gettext("Blocks"),
        headings=(
            gettext("Placed"),
            gettext("Stops"),
            gettext("Why"),
            gettext("By"),
            gettext("Until"),
            gettext("Lifted"),
            gettext("By"),
            gettext("Why lifted"),
        ),
        rows=[
            (
                link_to(AccountBlock, block.pk, show_moment(block.placed_at)),
                show_scope(block),
                block.reason,
                _show_placer(block),
                show_moment(block.valid_until),
                show_moment(block.lifted_at),
                _show_lifter(block),
                block.lift_reason or NOTHING,
            )
            for block in blocks[:_SHOWN]
        ],
        empty=gettext("This account was never blocked."),
        help=gettext("The newest first. Open one to lift it."),
        more=more if len(blocks) > _SHOWN else (),
    )
