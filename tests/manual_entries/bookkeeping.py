"""Manual entries as one would write them down, requested by one and approved by another.

    debit 5000 12, credit 1000 12      operating costs are paid in cash, in minor units
Accounts of the bank are named by their class, in reais unless a currency follows; others by the name that was given.
"""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from approvals.models import Approval
from approvals.services import approve, request_approval
from core.models import User
from ledger.chart import INTERNAL
from ledger.manual_entries import ManualEntry, ManualLine
from ledger.operations import PostManualEntry
from ledger.services import get_internal_account_id
from ledger.states import Side
from tests.approvals.naming import get_seen
from tests.factories import make_staff

_SIDES = {"debit": Side.DEBIT, "credit": Side.CREDIT}
_CHART = {line.code: line for line in INTERNAL}


def write_entry(text: str, *, names: Mapping[str, UUID], value_date: date) -> ManualEntry:
    """Return the entry that `text` writes."""
    lines = []
    for part in text.split(", "):
        side, account, amount, *currency = part.split()
        of_bank = account in _CHART
        found = (
            get_internal_account_id(line=_CHART[account], currency=(currency or ["BRL"])[0])
            if of_bank
            else names[account]
        )
        lines.append(ManualLine(found, _SIDES[side], int(amount)))
    return ManualEntry(tuple(lines), value_date)


def request_entry(entry: ManualEntry, *, now: datetime, requested_by: User | None = None) -> Approval:
    """Let somebody request it."""
    return request_approval(
        operation=PostManualEntry.name,
        payload=entry,
        reason="Written off",
        requested_by=requested_by or make_staff(permissions=(PostManualEntry.request_permission,)),
        now=now,
    )


def approve_entry(approval: Approval, *, now: datetime) -> Approval:
    """Let somebody else approve it."""
    checker = make_staff(permissions=(PostManualEntry.approve_permission,))
    return approve(approval_id=approval.pk, seen=get_seen(approval), decided_by=checker, reason="Right", now=now)
