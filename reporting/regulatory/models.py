"""Reports to the regulator, and the rules that PostgreSQL keeps over them."""

import pgtrigger
from django.db import models
from django.db.models import CheckConstraint, Q

from accounts.models import Account
from core.triggers import never_changed, never_deleted, refuse
from reporting.regulatory.states import ReportState
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


class Report(models.Model):
    """What the regulator has to know of one completed transfer (I9). It shares the transfer's id, so there is one.

    The accounts have no database constraint, as those of the transfer, which it names as well.
    """

    transfer = models.OneToOneField(Transfer, primary_key=True, on_delete=models.PROTECT, related_name="report")
    state = models.CharField(max_length=12, choices=ReportState.choices, default=ReportState.WAITING)
    debtor_account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    creditor_account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)
    completed_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        """I7: no report of an account carries a time after its inactivation. What was reported never changes."""

        triggers = [
            never_deleted(table="regulatory_report"),
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
            CheckConstraint(name="regulatory_report_state", condition=Q(state__in=ReportState.values)),
        ]

    def __str__(self) -> str:
        """Return of which transfer it is."""
        return f"report of {self.transfer_id}"
