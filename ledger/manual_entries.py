"""Manual journal entries: what two people book by hand where no product does, such as a write-off."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from django.utils.translation import gettext

from approvals.models import Approval
from core.db import require_transaction
from core.errors import InvalidInputError
from core.money import MAX_AMOUNT_MINOR
from ledger.batch import EntryDraft, Line
from ledger.errors import AccountInactiveError, AccountNotFoundError, UnbalancedEntryError
from ledger.models import LedgerAccount
from ledger.services import post_entries
from ledger.states import MANUAL, Side

MIN_LINES, MAX_LINES = 2, 20
MAX_AGE = timedelta(days=366)
"""How far back the value date may lie."""


class ManualLine(msgspec.Struct, frozen=True):
    """A debit (-1) or a credit (1) of `amount` minor units."""

    account_id: UUID
    side: int
    amount: int


class ManualEntry(msgspec.Struct, frozen=True):
    """A journal entry as it is to be booked."""

    lines: tuple[ManualLine, ...]
    value_date: date


def check_form(*, entry: ManualEntry, today: date) -> None:
    """Raise InvalidInputError, under `lines` or `value_date`, unless the entry has the form of one."""
    if not MIN_LINES <= len(entry.lines) <= MAX_LINES:
        raise InvalidInputError(
            errors={
                "lines": [
                    gettext("An entry has %(min_lines)s to %(max_lines)s lines.")
                    % {"min_lines": MIN_LINES, "max_lines": MAX_LINES}
                ]
            }
        )
    if any(line.side not in Side.values or not 0 < line.amount <= MAX_AMOUNT_MINOR for line in entry.lines):
        raise InvalidInputError(errors={"lines": [gettext("Each line has a debit or a credit above 0.")]})
    if not today - MAX_AGE <= entry.value_date <= today:
        raise InvalidInputError(errors={"value_date": [gettext("The value date is today or a day of the last year.")]})


def get_accounts(*, entry: ManualEntry) -> dict[UUID, LedgerAccount]:
    """Return the entry's accounts by id, all open. Raises AccountNotFoundError or AccountInactiveError."""
    ids = {line.account_id for line in entry.lines}
    accounts = {account.pk: account for account in LedgerAccount.objects.filter(id__any=ids)}
    if len(accounts) < len(ids):
        raise AccountNotFoundError
    if any(account.closed_at is not None for account in accounts.values()):
        raise AccountInactiveError
    return accounts


def sum_debits(*, lines: Iterable[ManualLine], accounts: Mapping[UUID, LedgerAccount]) -> dict[str, int]:
    """Return the debits by currency, in minor units.

    Raises UnbalancedEntryError unless credits equal them in each currency.
    """
    debits: dict[str, int] = {}
    surplus: dict[str, int] = {}
    for line in lines:
        currency = accounts[line.account_id].currency
        surplus[currency] = surplus.get(currency, 0) + line.side * line.amount
        debits[currency] = debits.get(currency, 0) + (line.amount if line.side == Side.DEBIT else 0)
    if any(surplus.values()):
        raise UnbalancedEntryError
    return debits


def post_manual_entry(*, entry: ManualEntry, approval: Approval, now: datetime) -> UUID:
    """Book the entry in the transaction that carries out `approval`, and return its id; its reference is the approval.

    Raises what `post_entries` raises.
    """
    require_transaction()
    lines = [Line(line.account_id, Side(line.side), line.amount) for line in entry.lines]
    draft = EntryDraft(code=MANUAL, lines=lines, reference=approval.pk, value_date=entry.value_date)
    return post_entries(drafts=[draft], now=now)[0]
