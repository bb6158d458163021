"""Pages of what rules found about orders."""

from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.admin.cells import (
    NOTHING,
    Tone,
    column,
    link_to,
    show_id,
    show_json,
    show_moment,
    show_status,
)
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from transfers.antifraud.models import Judgement, Review, RuleSet
from transfers.antifraud.states import Decision, Mode
from transfers.models import Transfer
from transfers.payments.models import Payment

_DECISION_TONES = {Decision.ACCEPT: Tone.GOOD, Decision.REVIEW: Tone.WAITING, Decision.REJECT: Tone.BAD}
MODE_TONES = {Mode.ACTIVE: Tone.GOOD, Mode.SHADOW: Tone.WAITING}


def make_judgements(subject_id: UUID) -> list[Table]:
    """Return what rules found about an order, if they found anything, as a table."""
    judgement = Judgement.objects.filter(pk=subject_id).first()
    if judgement is None:
        return []
    rows = [
        (
            finding["rule"],
            finding["text"],
            show_status(finding["mode"], Mode(finding["mode"]).label, MODE_TONES),
            finding["action"],
        )
        for finding in judgement.findings
    ]
    return [Table(title=gettext("What the antifraud rules found"), headings=_FINDING_HEADINGS, rows=rows, empty="")]


_FINDING_HEADINGS = (_("Rule"), _("Found"), _("Counts"), _("Leads to"))


def _show_decision(judgement: Judgement) -> str:
    return show_status(judgement.decision, judgement.get_decision_display(), _DECISION_TONES)


def _link_order(judgement: Judgement) -> str:
    """Return a link to what was ordered; a payment that was rejected was not made."""
    made: list[type[Transfer] | type[Payment]] = [Transfer, Payment]
    return next(
        (link_to(kind, judgement.pk) for kind in made if kind.objects.filter(pk=judgement.pk).exists()), NOTHING
    )


@admin.register(Judgement)
class JudgementAdmin(BankAdmin):
    """What rules found about an order, and what they looked at."""

    help_text = _(
        "Orders about which a rule found something, newest first. A rule in shadow finds and changes nothing. An order "
        "that is not here was accepted without a finding."
    )
    empty_text = _("No rule has found anything that matches.")
    search_help_text = _("Id of the transfer or payment")
    ordering = ("-pk",)
    list_display = (
        column(_("Order"), lambda judgement: show_id(judgement.pk)),
        column(_("Decision"), _show_decision),
        column(_("Found"), lambda judgement: ", ".join(finding["rule"] for finding in judgement.findings)),
        column(_("Judged"), lambda judgement: show_moment(judgement.judged_at)),
    )
    list_filter = (("decision", ChoicesDropdownFilter),)
    fieldsets = (
        (
            _("Judgement"),
            {
                "fields": (
                    column(_("Order"), _link_order),
                    column(_("Decision"), _show_decision),
                    column(_("Rules"), lambda judgement: link_to(RuleSet, judgement.rule_set_id, judgement.rule_set)),
                    column(_("Judged"), lambda judgement: show_moment(judgement.judged_at)),
                    column(_("Facts"), lambda judgement: show_json(judgement.facts)),
                )
            },
        ),
    )


@table_on(Judgement, permission="antifraud.view_judgement")
def _show_own_findings(request: HttpRequest, judgement: Judgement) -> Table:
    return make_judgements(judgement.pk)[0]


@table_on(Review, permission="antifraud.view_judgement")
@table_on(Transfer, permission="antifraud.view_judgement")
@table_on(Payment, permission="antifraud.view_judgement")
def _show_findings(request: HttpRequest, subject: Review | Transfer | Payment) -> Table | None:
    return next(iter(make_judgements(subject.pk)), None)
