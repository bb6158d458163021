"""Pages of the versions of the rules: what each says, since when it is in force, and what it has found."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from msgspec.structs import asdict
from unfold.widgets import UnfoldAdminTextareaWidget

from approvals.admin import RequestAct, name_operation_subject
from approvals.models import Approval
from core.admin.acts import Act, ReasonForm, act_on
from core.admin.cells import NOTHING, Tone, column, link_to, show_count, show_moment, show_status
from core.admin.pages import BankAdmin
from core.admin.tables import Amount, Table, table_on
from core.errors import InvalidInputError
from core.models import User
from transfers.antifraud import services
from transfers.antifraud.admin.findings import MODE_TONES
from transfers.antifraud.models import Activation, RuleSet
from transfers.antifraud.operations import ActivateRules, NewRules
from transfers.antifraud.rule_sets import get_active_id
from transfers.antifraud.rules import RuleEntry, read_rules
from transfers.antifraud.selectors import count_findings
from transfers.antifraud.states import Decision, Mode

_REPORTED = timedelta(days=30)

name_operation_subject(operation=ActivateRules, model=RuleSet)


def _show_force(rule_set: RuleSet) -> str:
    if rule_set.pk == get_active_id():
        return show_status("active", gettext("In force"), {"active": Tone.GOOD})
    return NOTHING


class RulesForm(ReasonForm):
    """A new version of the rules, beginning with those of the page, and what is new in it."""

    definition = forms.JSONField(
        label=_("Definition"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 30}),
        help_text=_("JSON, as docs/antifraud.md describes it. Amounts are whole units of a currency."),
    )


@admin.register(RuleSet)
class RuleSetAdmin(BankAdmin):
    """A version of the rules, and what it has found."""

    help_text = _(
        "Each version of the antifraud rules, newest first. A version never changes: propose a new one, try it on past "
        "transfers with manage.py replay_antifraud, then have it put in force by a second person."
    )
    empty_text = _("No version matches.")
    search_help_text = _("Id")
    ordering = ("-number",)
    list_select_related = ("made_by",)
    list_display = (
        column(_("Version"), lambda rule_set: rule_set),
        column(_("In force"), _show_force),
        column(_("What is new"), lambda rule_set: rule_set.note),
        column(_("By"), lambda rule_set: rule_set.made_by or NOTHING),
        column(_("Proposed"), lambda rule_set: show_moment(rule_set.made_at)),
    )
    fieldsets = (
        (
            _("Version"),
            {
                "fields": (
                    column(_("Version"), lambda rule_set: rule_set),
                    column(_("In force"), _show_force),
                    column(_("What is new"), lambda rule_set: rule_set.note),
                    column(_("By"), lambda rule_set: rule_set.made_by or NOTHING),
                    column(_("Proposed"), lambda rule_set: show_moment(rule_set.made_at)),
                )
            },
        ),
    )


@act_on(RuleSet)
class ProposeRules(Act):
    """Write a new version."""

    name = "propose"
    title = _("Propose a new version")
    icon = "edit_note"
    permission = "antifraud.propose_ruleset"
    explanation = _("A new version is kept, beginning with these rules. Nothing is judged by it until it is in force.")
    form = RulesForm

    def make_form(self, subject: RuleSet, **filled_in: Any) -> forms.Form:
        """Begin with the rules of the page."""
        if "data" not in filled_in:
            filled_in["initial"] = {"definition": subject.definition, **filled_in.get("initial", {})}
        return RulesForm(**filled_in)

    def carry_out(self, *, subject: RuleSet, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Keep it."""
        if not isinstance(answers["definition"], dict):
            raise InvalidInputError(errors={"definition": [gettext("Give a JSON object.")]})
        rule_set = services.propose_rules(
            definition=answers["definition"], note=answers["reason"], actor=actor, now=now
        )
        return gettext("Version %(number)s is proposed.") % {"number": rule_set.number}


@act_on(RuleSet)
class AskToActivate(RequestAct):
    """Ask to put a version in force."""

    name = "activate"
    operation = ActivateRules

    def is_offered(self, subject: RuleSet) -> bool:
        """Offer it for all but the one in force."""
        return subject.pk != get_active_id()

    def make_payload(self, *, subject: RuleSet, answers: Mapping[str, Any]) -> NewRules:
        """Name the version."""
        return NewRules(subject.pk)


@table_on(RuleSet, permission="antifraud.view_ruleset")
def _show_rules(request: HttpRequest, rule_set: RuleSet) -> Table:
    return Table(
        title=gettext("Rules"),
        headings=(gettext("Rule"), gettext("Counts"), gettext("Leads to"), gettext("With")),
        rows=[
            (
                gettext(entry.rule.title),
                show_status(entry.mode, Mode(entry.mode).label, MODE_TONES),
                Decision(entry.action).label,
                _show_terms(entry),
            )
            for entry in read_rules(definition=rule_set.definition).rules
        ],
        empty=gettext("This version has no rules: every order is accepted."),
        help=gettext("In the order in which they are asked. Amounts are whole units; * is any other currency."),
    )


def _show_terms(entry: RuleEntry) -> str:
    terms = {name.replace("_", " "): value for name, value in asdict(entry.rule).items() if value is not None}
    return "; ".join(f"{name} {_show_term(value)}" for name, value in terms.items()) or NOTHING


def _show_term(value: int | Mapping[str, int]) -> str:
    if isinstance(value, int):
        return show_count(value)
    return " / ".join(f"{show_count(amount)} {currency}" for currency, amount in value.items())


@table_on(RuleSet, permission="antifraud.view_ruleset")
def _show_activations(request: HttpRequest, rule_set: RuleSet) -> Table:
    activations = Activation.objects.filter(rule_set=rule_set)
    return Table(
        title=gettext("Put in force"),
        headings=(gettext("Since"), gettext("Approval")),
        rows=[
            (show_moment(each.activated_at), link_to(Approval, each.approval_id))
            for each in activations.order_by("-pk")
        ],
        empty=gettext("This version was never in force."),
    )


@table_on(RuleSet, permission="antifraud.view_judgement")
def _show_report(request: HttpRequest, rule_set: RuleSet) -> Table:
    """Show what each rule found in the last days, and how many transfers a rule in shadow would have stopped."""
    counts = count_findings(rule_set_id=rule_set.pk, since=timezone.now() - _REPORTED)
    return Table(
        title=gettext("What its rules found in the last 30 days"),
        headings=(
            gettext("Rule"),
            gettext("Counts"),
            gettext("Leads to"),
            Amount(gettext("Found")),
            Amount(gettext("Would have changed the decision")),
        ),
        rows=[
            (
                each.rule,
                show_status(each.mode, Mode(each.mode).label, MODE_TONES),
                each.action,
                show_count(each.found),
                show_count(each.would_change),
            )
            for each in counts
        ],
        empty=gettext("No rule has found anything."),
        help=gettext("A rule in shadow would have changed the decision where the rules that count accepted the order."),
    )
