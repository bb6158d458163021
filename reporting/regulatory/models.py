"""What goes to the regulator, and the rules that PostgreSQL keeps over it."""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from core.ids import uuid7
from core.triggers import append_only, born_in, frozen_once, legal_states, never_changed, never_deleted, refuse
from reporting.regulatory.states import REPORT_TRANSITIONS, Gate, Outcome, ReportState
from transfers.models import Transfer

_FACTS = ["transfer_id", "debtor_account_id", "creditor_account_id", "amount", "currency", "completed_at", "created_at"]

_BEFORE_INACTIVATION = f"""
    IF EXISTS (
        SELECT FROM new_reports report
        CROSS JOIN LATERAL unnest(ARRAY[report.debtor_account_id, report.creditor_account_id]) party (id)
        CROSS JOIN LATERAL (SELECT inactivated_at FROM accounts_account WHERE id = party.id LIMIT 1) account
        WHERE account.inactivated_at < report.completed_at
    ) THEN
        {refuse(constraint="regulatory_report_before_inactivation", message="a report of after its account was closed")}
    END IF;
    RETURN NULL;
"""  # noqa: S608 - built from constants


def _final(table: str) -> list[pgtrigger.Trigger]:
    """Return the rules of a submission's life."""
    return [
        never_deleted(table=table),
        born_in(table=table, field="state", state=ReportState.WAITING),
        legal_states(table=table, field="state", transitions=REPORT_TRANSITIONS),
        frozen_once(table=table, condition=f"OLD.state = '{ReportState.ACKNOWLEDGED.value}'"),
    ]


def _decided(table: str) -> list[CheckConstraint | UniqueConstraint]:
    """Return what a submission of each state must have."""
    decided = ~Q(state=ReportState.WAITING)
    return [
        CheckConstraint(name=f"{table}_state", condition=Q(state__in=ReportState.values)),
        CheckConstraint(
            name=f"{table}_decided",
            condition=Q(state=ReportState.WAITING, decided_at__isnull=True)
            | (decided & Q(decided_at__isnull=False, began_at__isnull=True)),
        ),
        CheckConstraint(
            name=f"{table}_acknowledged",
            condition=Q(state=ReportState.ACKNOWLEDGED) & ~Q(acknowledgement="")
            | ~Q(state=ReportState.ACKNOWLEDGED) & Q(acknowledgement=""),
        ),
        UniqueConstraint(
            name=f"{table}_acknowledged_once", fields=["acknowledgement"], condition=~Q(acknowledgement="")
        ),
    ]


def _due(table: str) -> models.Index:
    return models.Index(name=f"{table}_due", fields=["due_at"], condition=Q(state=ReportState.WAITING))


class Submission(models.Model):
    """What the regulator has to take. This row, not a message in a queue, is the task to send it.

    Note [Who reports]
    Whoever adds one to `attempts` is the one to send, until `due_at`: by then it has noted how that ended, or is taken
    for dead, its attempt is noted as unknown, and somebody else tries. So a worker that dies after the regulator's yes
    leads to a second call; the regulator knows the id and answers as it did first, so nothing is accepted twice.
    """

    state = models.CharField(
        max_length=12, choices=ReportState.choices, default=ReportState.WAITING, db_default=ReportState.WAITING
    )
    attempts = models.IntegerField(default=0, db_default=0, help_text="How often it was tried, one under way included.")
    failures = models.IntegerField(
        default=0, db_default=0, help_text="How many attempts failed since it was asked for."
    )
    due_at = models.DateTimeField(db_default=Now(), help_text="When it is tried next, if it waits.")
    began_at = models.DateTimeField(null=True, help_text="Since when somebody is at it, if somebody is.")
    acknowledgement = models.CharField(max_length=64, blank=True, default="", db_default="")
    refusal_code = models.CharField(max_length=64, blank=True, default="", db_default="")
    decided_at = models.DateTimeField(null=True, help_text="When the regulator acknowledged or refused it.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Each has a table of its own."""

        abstract = True


class Attempt(models.Model):
    """One try, and how it ended: codes, no text of anybody's."""

    number = models.IntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="None if the worker ended meanwhile.")
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    http_status = models.SmallIntegerField(null=True, help_text="None if there was no answer.")
    code = models.CharField(max_length=64, blank=True)

    class Meta:
        """Each has a table of its own."""

        abstract = True

    def __str__(self) -> str:
        """Return which."""
        return gettext("attempt %(number)s") % {"number": self.number}


class Report(Submission):
    """What the regulator has to know of one completed transfer (I9). It shares the transfer's id, so there is one.

    The accounts have no database constraint, as those of the transfer, which it names as well.
    """

    transfer = models.OneToOneField(Transfer, primary_key=True, on_delete=models.PROTECT, related_name="report")
    debtor_account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    creditor_account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)
    completed_at = models.DateTimeField()

    class Meta:
        """I7: no report of an account carries a time after its inactivation. What was reported never changes."""

        permissions = [("resubmit_report", "Can let reports be tried at once, and refused ones again")]
        triggers = [
            *_final("regulatory_report"),
            never_changed(table="regulatory_report", fields=_FACTS),
            pgtrigger.Trigger(
                name="before_inactivation",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_reports"),
                func=_BEFORE_INACTIVATION,
            ),
        ]
        constraints = [
            CheckConstraint(name="regulatory_report_amount_positive", condition=Q(amount__gt=0)),
            *_decided("regulatory_report"),
        ]
        indexes = [
            _due("regulatory_report"),
            models.Index(
                name="regulatory_report_refused", fields=["-transfer"], condition=Q(state=ReportState.REFUSED)
            ),
            models.Index(name="regulatory_report_of_day", fields=["completed_at"]),
        ]

    def __str__(self) -> str:
        """Return of which transfer it is."""
        return gettext("report of %(transfer_id)s") % {"transfer_id": self.transfer_id}


class ReportAttempt(Attempt):
    """One try at a report."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="tries", db_index=False)

    class Meta:
        """History; its numbers are given once."""

        triggers = [append_only(table="regulatory_reportattempt")]
        constraints = [UniqueConstraint(name="regulatory_reportattempt_once", fields=["report", "number"])]


class DailySummary(Submission):
    """The control totals of a day of the bank. A later version corrects an earlier one; neither is ever changed.

    `totals` has an object for each currency and kind: `currency`, `kind`, `completed` and `completed_amount` as the
    ledger has them, `reported` and `reported_amount` of the reports that were acknowledged by then. Minor units.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    day = models.DateField()
    version = models.IntegerField()
    totals = models.JSONField()
    outstanding = models.IntegerField(help_text="How many reports of the day were not acknowledged by then.")

    class Meta:
        """One version after the other."""

        verbose_name_plural = _("daily summaries")
        triggers = [
            *_final("regulatory_dailysummary"),
            never_changed(
                table="regulatory_dailysummary",
                fields=["id", "day", "version", "totals", "outstanding", "created_at"],
            ),
        ]
        constraints = [
            UniqueConstraint(name="regulatory_dailysummary_once", fields=["day", "version"]),
            CheckConstraint(name="regulatory_dailysummary_version_positive", condition=Q(version__gte=1)),
            *_decided("regulatory_dailysummary"),
        ]
        indexes = [_due("regulatory_dailysummary")]

    def __str__(self) -> str:
        """Return of which day it is."""
        return gettext("summary of %(day)s, version %(version)s") % {
            "day": f"{self.day:%Y-%m-%d}",
            "version": self.version,
        }


class SummaryAttempt(Attempt):
    """One try at a summary."""

    summary = models.ForeignKey(DailySummary, on_delete=models.PROTECT, related_name="tries", db_index=False)

    class Meta:
        """History; its numbers are given once."""

        triggers = [append_only(table="regulatory_summaryattempt")]
        constraints = [UniqueConstraint(name="regulatory_summaryattempt_once", fields=["summary", "number"])]


class Circuit(models.Model):
    """Whether the regulator is called at all; the one row that all workers share. See circuit.py."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    failures = models.IntegerField(default=0, help_text="Calls that failed since one succeeded.")
    open_until = models.DateTimeField(null=True, help_text="When a call tries whether it is back; none if it is here.")
    opened_at = models.DateTimeField(null=True)

    class Meta:
        """There is one."""

        verbose_name = _("connection to the regulator")
        verbose_name_plural = _("connection to the regulator")
        constraints = [CheckConstraint(name="regulatory_circuit_only", condition=Q(id=1))]

    def __str__(self) -> str:
        """Say what it is."""
        return gettext("connection to the regulator")

    def get_gate(self, *, now: datetime) -> Gate:
        """Return whether calls go through."""
        if self.open_until is None:
            return Gate.CLOSED
        return Gate.OPEN if self.open_until > now else Gate.HALF_OPEN
