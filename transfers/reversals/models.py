"""Which transfers were reversed, by which entry and with whose approval."""

import pgtrigger
from django.db import models

from approvals.models import Approval
from approvals.triggers import needs_approval
from core.triggers import append_only, refuse
from ledger.models import JournalEntry
from transfers.models import Transfer

OPERATION = "transfers.reverse"
_TABLE = "reversals_reversal"

_MIRRORS = f"""
    IF NOT EXISTS (
        SELECT FROM ledger_journalentry WHERE id = NEW.entry_id AND reversal_of_id = NEW.transfer_id
    ) THEN
        {refuse(constraint=f"{_TABLE}_mirrors", message="an entry that does not reverse the transfer")}
    END IF;
    RETURN NEW;
"""


class Reversal(models.Model):
    """That a transfer was undone: its own row says what it did at the time, and stays as it is."""

    transfer = models.OneToOneField(Transfer, primary_key=True, on_delete=models.PROTECT, related_name="reversal")
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="+")
    reversed_at = models.DateTimeField()

    class Meta:
        """Once a transfer, with an approval of its own, by the entry that mirrors the transfer's."""

        default_permissions = ()
        permissions = [
            ("request_reversal", "Can request that a transfer is reversed"),
            ("approve_reversal", "Can approve that a transfer is reversed"),
        ]
        triggers = [
            append_only(table=_TABLE),
            needs_approval(table=_TABLE, operation=OPERATION, subject="NEW.transfer_id"),
            pgtrigger.Trigger(
                name="mirrors",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_MIRRORS,
            ),
        ]

    def __str__(self) -> str:
        """Return of what."""
        return f"reversal of {self.transfer_id}"
