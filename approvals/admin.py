"""Pages of approvals: what waits for whom, what it does in debits and credits, and the decision."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from approvals.effect_tables import list_effect_tables
from approvals.errors import OperationNotFoundError
from approvals.filters import OperationFilter, WhoseFilter
from approvals.models import Approval
from approvals.operations import Operation, describe, get_operation
from approvals.selectors import describe_now, list_seen_by, read_effect
from approvals.services import approve, reject, request_approval, withdraw
from approvals.states import ApprovalStatus
from core.admin.acts import Act, ReasonForm, act_on
from core.admin.cells import (
    NOTHING,
    Tone,
    amount_column,
    column,
    find_list,
    find_page,
    link,
    link_to,
    show_amount,
    show_id,
    show_moment,
    show_status,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Link, Table, table_on
from core.errors import BankError
from core.language import Words
from core.models import User
from events.admin import list_events, name_subject

_TONES = {
    ApprovalStatus.PENDING: Tone.WAITING,
    ApprovalStatus.APPROVED: Tone.GOOD,
    ApprovalStatus.REJECTED: Tone.BAD,
    ApprovalStatus.WITHDRAWN: Tone.OVER,
    ApprovalStatus.EXPIRED: Tone.OVER,
}
_SHOWN = 10

_subjects: dict[str, type[Model]] = {}
"""What the subject of an operation is the id of."""

name_subject(prefix="approval", model=Approval)


def name_operation_subject(*, operation: type[Operation], model: type[Model]) -> None:
    """Tell that what the operation is done to are rows of `model`, which have a page."""
    _subjects[operation.name] = model


def show_title(approval: Approval) -> str:
    """Return what is to be done, in words if the program still knows the operation."""
    try:
        return str(get_operation(name=approval.operation).title)
    except OperationNotFoundError:
        return approval.operation


def show_approval_status(approval: Approval) -> str:
    """Return how far it is."""
    return show_status(approval.status, approval.get_status_display(), _TONES)


def show_subject(approval: Approval) -> str:
    """Return a link to what it is about, or its name, or a dash."""
    if not approval.subject:
        return NOTHING
    model = _subjects.get(approval.operation)
    return link(find_page(model, approval.subject), show_id(approval.subject)) if model else show_id(approval.subject)


def show_approval_amount(approval: Approval) -> str:
    """Return the amount that it is about, if it is about one."""
    return show_amount(approval.amount, approval.currency)


@admin.register(Approval)
class ApprovalAdmin(BankAdmin):
    """What somebody requested, and what somebody else made of it."""

    help_text = _(
        "What needs two people: one requests it, another approves or rejects it. What is approved is carried out at "
        "once, exactly as it stands on its page. Nobody decides about a request of their own, but can withdraw it. "
        "What nobody decides in time expires and changes nothing."
    )
    empty_text = _(
        "No approval matches. Requests begin where the work is: on the page of a transfer, an account or a client, or "
        "with a manual journal entry."
    )
    search_help_text = _("Id of the approval, or of what it is about")
    ordering = ("-pk",)
    list_select_related = ("requested_by", "decided_by")
    list_display = (
        column(_("What"), show_title),
        amount_column(_("Amount"), show_approval_amount),
        column(_("Status"), show_approval_status),
        column(_("Requested by"), lambda approval: approval.requested_by),
        column(_("Requested"), lambda approval: show_moment(approval.requested_at)),
        column(_("Until"), lambda approval: show_moment(approval.expires_at)),
        column(_("Decided by"), lambda approval: approval.decided_by or NOTHING),
    )
    list_filter = (WhoseFilter, ("status", ChoicesDropdownFilter), OperationFilter, ("requested_at", DayFilter))
    fieldsets = (
        (
            _("Request"),
            {
                "fields": (
                    column(_("Id"), lambda approval: show_id(approval.pk)),
                    column(_("What"), show_title),
                    column(_("About"), show_subject),
                    amount_column(_("Amount"), show_approval_amount),
                    column(_("Requested by"), lambda approval: approval.requested_by),
                    column(_("Requested"), lambda approval: show_moment(approval.requested_at)),
                    column(_("Why"), lambda approval: approval.request_reason),
                    column(_("Can be approved until"), lambda approval: show_moment(approval.expires_at)),
                )
            },
        ),
        (
            _("Decision"),
            {
                "fields": (
                    column(_("Status"), show_approval_status),
                    column(_("Decided by"), lambda approval: approval.decided_by or NOTHING),
                    column(_("Decided"), lambda approval: show_moment(approval.decided_at)),
                    column(_("Reason"), lambda approval: approval.decision_reason or NOTHING),
                    column(_("Hash of what is approved"), lambda approval: show_id(bytes(approval.content_hash).hex())),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        """Leave out what is about pages that the reader has no part in."""
        rows: QuerySet[Approval] = super().get_queryset(request)
        return list_seen_by(user=cast("User", request.user), among=rows)

    def search_id(self, rows: QuerySet[Approval], key: UUID) -> QuerySet[Approval]:
        """Find by id or subject."""
        return rows.filter(pk=key) | rows.filter(subject=str(key))

    def search(self, rows: QuerySet[Approval], term: str) -> QuerySet[Approval]:
        """Find by subject."""
        return rows.filter(subject=term)


def list_approvals(*, subject: str) -> Table | None:
    """Return the latest approvals about one subject, for its page; None if there never was one."""
    more = (Link(find_list(Approval, q=subject), gettext("All approvals about this")),)
    return make_approvals(Approval.objects.filter(subject=subject), more=more)


def make_approvals(approvals: QuerySet[Approval], *, more: tuple[Link, ...] = ()) -> Table | None:
    """Return the newest of `approvals` as a table; None if there are none."""
    rows = [
        (
            link_to(Approval, each.pk, show_title(each)),
            show_approval_status(each),
            each.requested_by,
            show_moment(each.requested_at),
            each.decided_by or NOTHING,
            each.request_reason,
        )
        for each in approvals.select_related("requested_by", "decided_by").order_by("-pk")[:_SHOWN]
    ]
    headings = (
        gettext("What"),
        gettext("Status"),
        gettext("Requested by"),
        gettext("Requested"),
        gettext("Decided by"),
        gettext("Why"),
    )
    return Table(title=gettext("Approvals"), headings=headings, rows=rows, empty="", more=more) if rows else None


@table_on(Approval, permission="approvals.view_approval")
def _show_sentences(request: HttpRequest, approval: Approval) -> Table:
    return list_effect_tables(read_effect(approval=approval))[0]


@table_on(Approval, permission="approvals.view_approval")
def _show_changes(request: HttpRequest, approval: Approval) -> Table | None:
    return _find_table(approval, gettext("Before and after"))


@table_on(Approval, permission="approvals.view_approval")
def _show_lines(request: HttpRequest, approval: Approval) -> Table | None:
    return _find_table(approval, gettext("Debits and credits"))


def _find_table(approval: Approval, title: str) -> Table | None:
    tables = list_effect_tables(read_effect(approval=approval))
    return next((table for table in tables if table.title == title), None)


@table_on(Approval, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, approval: Approval) -> Table:
    return list_events(key=approval.pk)


class _Decision(Act):
    """A decision about an approval, bound to what it does."""

    permission = "approvals.view_approval"

    def is_offered(self, subject: Approval) -> bool:
        """Offer it while the approval waits."""
        return subject.status == ApprovalStatus.PENDING

    def is_for(self, *, user: User, subject: Approval) -> bool:
        """Offer it to those who may approve the operation, but not to the maker."""
        try:
            permission = get_operation(name=subject.operation).approve_permission
        except OperationNotFoundError:
            return False
        return user.has_perm(permission) and subject.requested_by_id != user.pk

    def list_findings(self, subject: Approval) -> Sequence[Table]:
        """Show what is decided about."""
        return [*_list_warnings(subject), *list_effect_tables(read_effect(approval=subject))]

    def get_fingerprint(self, subject: Approval) -> str:
        """Return the hash of what is approved."""
        return bytes(subject.content_hash).hex()


def _list_warnings(approval: Approval) -> list[Table]:
    """Return why the approval could not be carried out as it stands, if that is known."""
    try:
        is_same = describe_now(approval=approval) == read_effect(approval=approval)
    except BankError as error:
        text = gettext(error.text)
    else:
        text = "" if is_same else gettext("It would do something else by now. Reject it; it can be requested anew.")
    return (
        [Table(title=gettext("It cannot be carried out"), headings=(gettext("Why"),), rows=[(text,)], empty="")]
        if text
        else []
    )


@act_on(Approval)
class Approve(_Decision):
    """Approve and carry out."""

    name = "approve"
    title = _("Approve")
    icon = "verified"
    variant = ActionVariant.SUCCESS
    needs_proof = True
    explanation = _("It is carried out at once, exactly as shown here, and cannot be taken back, only corrected.")

    def perform(self, *, subject: Approval, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Approve it."""
        approve(approval_id=subject.pk, seen=seen, decided_by=actor, reason=reason, now=now)
        return gettext("%(operation)s: approved and done.") % {"operation": show_title(subject)}


@act_on(Approval)
class Reject(_Decision):
    """Reject."""

    name = "reject"
    title = _("Reject")
    icon = "block"
    variant = ActionVariant.DANGER
    explanation = _("Nothing is done. Your reason is shown to whoever requested it, who may request it anew.")

    def perform(self, *, subject: Approval, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Reject it."""
        reject(approval_id=subject.pk, decided_by=actor, reason=reason, now=now)
        return gettext("%(operation)s: rejected. Nothing was done.") % {"operation": show_title(subject)}


@act_on(Approval)
class Withdraw(_Decision):
    """Take back one's own request."""

    name = "withdraw"
    title = _("Withdraw")
    icon = "undo"
    explanation = _("Nothing is done, and nobody needs to decide about it any more.")

    def is_for(self, *, user: User, subject: Approval) -> bool:
        """Offer it to the maker alone."""
        return bool(subject.requested_by_id == user.pk)

    def perform(self, *, subject: Approval, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Withdraw it."""
        withdraw(approval_id=subject.pk, decided_by=actor, reason=reason, now=now)
        return gettext("%(operation)s: withdrawn. Nothing was done.") % {"operation": show_title(subject)}


class RequestAct(Act):
    """An act that only makes a request: a subclass names the operation and makes its payload of the page's subject.

    Its title, its explanation and its permission are the operation's, and what would be done is shown first.
    """

    operation: ClassVar[type[Operation]]
    icon = "approval"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take over what the operation says of itself."""
        super().__init_subclass__(**kwargs)
        cls.title, cls.permission = cls.operation.title, cls.operation.request_permission
        cls.explanation = explain_operation(cls.operation)

    def make_payload(self, *, subject: Any, answers: Mapping[str, Any]) -> msgspec.Struct:
        """Return what the operation is to be carried out with; `answers` are those to the act's form."""
        raise NotImplementedError

    def list_findings(self, subject: Any) -> Sequence[Table]:
        """Show what would be done, if that does not depend on answers."""
        if self.form is not ReasonForm:
            return ()
        try:
            return list_effect_tables(
                describe(operation=self.operation(), payload=self.make_payload(subject=subject, answers={}))
            )
        except BankError as error:
            return [
                Table(
                    title=gettext("It cannot be requested"),
                    headings=(gettext("Why"),),
                    rows=[(gettext(error.text),)],
                    empty="",
                )
            ]

    def carry_out(self, *, subject: Any, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Request it."""
        approval = request_approval(
            operation=self.operation.name,
            payload=self.make_payload(subject=subject, answers=answers),
            reason=answers["reason"],
            requested_by=actor,
            now=now,
        )
        return explain_request(approval)


def explain_operation(operation: type[Operation]) -> Words:
    """Return what happens when somebody requests the operation."""
    return format_lazy("{} {}", operation.explanation, _("This makes a request: somebody else has to approve it."))


def explain_request(approval: Approval) -> str:
    """Return the sentence that ends a request, with a link to it."""
    request = link_to(Approval, approval.pk, gettext("This request"))
    return format_html(gettext("Nothing is done yet. {} waits for somebody else."), request)
