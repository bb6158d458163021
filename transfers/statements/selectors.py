"""Making statements. Amounts are minor units; a customer's balance grows by credits.

# Note [One snapshot without a long transaction]
One query finds between which versions of the account the period lies, with its balances and sums. What is booked there
never changes, and nothing is ever added between two versions: whoever takes a version holds the account's lock until
the commit. So the entries can be read afterwards, page by page and without a transaction that stays open, and still
add up to the balances, whatever is booked meanwhile.

# Note [What a statement tells of the other party]
Its name and its account's number: who pays must see whom, and who is paid by whom, or neither can keep books. It tells
no id, document or address. Of the bank's own accounts it tells the name, such as Cash; of a payment to another bank,
and of its return, the creditor there. Where an entry has several others, it names none, as it does not know who paid
whom.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import Account
from accounts.states import CreditDebit
from ledger.errors import AccountNotFoundError
from ledger.moments import last_version
from ledger.states import Side
from transfers.payments.models import Payment
from transfers.payments.selectors import find_payments
from transfers.statements.errors import StatementTooLongError
from transfers.statements.periods import Period, get_booking_date
from transfers.statements.states import EntryKind

_READ_AT_ONCE = 1_000

_KINDS = {
    "deposit": EntryKind.DEPOSIT,
    "withdrawal": EntryKind.WITHDRAWAL,
    "internal": EntryKind.TRANSFER,
    "payment": EntryKind.PAYMENT,
    "reversal": EntryKind.REVERSAL,
}
"""By the code of the journal entry."""

_CODES_OF_PAYMENTS = ("payment", "reversal")
"""Of the journal entries that take a payment's money from its debtor, or bring it back."""


class Total(NamedTuple):
    """How many entries of one direction there are, and what they add up to."""

    entries: int
    amount: int


class Counterparty(NamedTuple):
    """The other party of an entry; the bank's own accounts have no number.

    That of an account at another bank is its IBAN, or bank, branch and account with spaces between them.
    """

    name: str
    number: str | None


class Entry(NamedTuple):
    """One line: `amount` is positive, `transfer_id` the transfer that it was or that it undid."""

    version: int
    entry_id: UUID
    kind: EntryKind
    booking_date: date
    value_date: date
    direction: CreditDebit
    amount: int
    balance_after: int
    counterparty: Counterparty | None
    remittance_information: str
    transfer_id: UUID | None


class _Span(NamedTuple):
    """The versions of the account, after the first and up to the second."""

    after: int
    until: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """An account's statement; its entries are read when they are asked for, see `read_entries`."""

    account: Account
    period: Period
    made_at: datetime
    is_final: bool
    opening: int
    closing: int
    credits: Total
    debits: Total
    span: _Span

    @property
    def holder(self) -> str:
        """The name of the client whose account it is."""
        return self.account.client.name

    @property
    def currency(self) -> str:
        """The currency of all its amounts."""
        return self.account.currency

    def read_entries(self) -> Iterator[Entry]:
        """Yield the entries in the order in which they were booked, with a query for each thousand,
        and one more where payments to other banks are among them.
        """
        after = self.span.after
        while rows := _read_rows(self.account.pk, _Span(after, self.span.until)):
            yield from _make_entries(rows)
            if len(rows) < _READ_AT_ONCE:
                return
            after = rows[-1][0]


_FRAME = f"""
    SELECT span.after, span.until,
           coalesce((
               SELECT balance_after FROM ledger_posting
               WHERE account_id = %(account)s AND version <= span.after ORDER BY version DESC LIMIT 1
           ), 0),
           coalesce((
               SELECT balance_after FROM ledger_posting
               WHERE account_id = %(account)s AND version <= span.until ORDER BY version DESC LIMIT 1
           ), 0),
           total.credits, total.credited, total.debits, total.debited
    FROM (
        SELECT {last_version(account="%(account)s", is_too_late="probe.booked_at >= %(begins_at)s")} AS after,
               {last_version(account="%(account)s", is_too_late="probe.booked_at >= %(ends_at)s")} AS until
    ) span
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE side = {Side.CREDIT.value}) AS credits,
               coalesce(sum(amount) FILTER (WHERE side = {Side.CREDIT.value}), 0)::bigint AS credited,
               count(*) FILTER (WHERE side = {Side.DEBIT.value}) AS debits,
               coalesce(sum(amount) FILTER (WHERE side = {Side.DEBIT.value}), 0)::bigint AS debited
        FROM (
            SELECT side, amount FROM ledger_posting
            WHERE account_id = %(account)s AND version > span.after AND version <= span.until
            LIMIT %(limit)s
        ) posting
    ) total
"""  # noqa: S608 - built from constants

_ENTRIES = """
    SELECT posting.version, posting.entry_id, entry.code, posting.booked_at, entry.value_date, posting.side,
           posting.amount, posting.balance_after, coalesce(client.name, books.name), account.number,
           transfer.remittance_information, transfer.id, entry.reference
    FROM (
        SELECT * FROM ledger_posting
        WHERE account_id = %(account)s AND version > %(after)s AND version <= %(until)s
        ORDER BY version LIMIT %(limit)s
    ) posting
    CROSS JOIN LATERAL (
        SELECT code, value_date, reference, coalesce(reversal_of_id, id) AS undone_or_own_id
        FROM ledger_journalentry WHERE id = posting.entry_id LIMIT 1
    ) entry
    LEFT JOIN LATERAL (
        SELECT id, remittance_information FROM transfers_transfer WHERE id = entry.undone_or_own_id LIMIT 1
    ) transfer ON true
    LEFT JOIN LATERAL (
        SELECT (array_agg(account_id))[1] AS account_id FROM ledger_posting
        WHERE entry_id = posting.entry_id AND side <> posting.side HAVING count(DISTINCT account_id) = 1
    ) other ON true
    LEFT JOIN LATERAL (SELECT name FROM ledger_ledgeraccount WHERE id = other.account_id LIMIT 1) books ON true
    LEFT JOIN LATERAL (
        SELECT number, client_id FROM accounts_account WHERE id = other.account_id LIMIT 1
    ) account ON true
    LEFT JOIN LATERAL (SELECT name FROM kyc_client WHERE id = account.client_id LIMIT 1) client ON true
    ORDER BY posting.version
"""


def get_statement(
    *, account_id: UUID, client_id: UUID | None, period: Period, max_entries: int, now: datetime
) -> Statement:
    """Return the statement of the client's own account, or of anybody's if no client is given, with two queries.

    Raises AccountNotFoundError, for another client's account too, and StatementTooLongError beyond `max_entries`.
    """
    account = _get_account(account_id, client_id)
    after, until, opening, closing, *sums = _read_frame(account_id, period, limit=max_entries + 1)
    incoming, outgoing = Total(*sums[:2]), Total(*sums[2:])
    if incoming.entries + outgoing.entries > max_entries:
        raise StatementTooLongError(details={"max_entries": max_entries})
    return Statement(
        account=account,
        period=period,
        made_at=now,
        is_final=period.is_final(now=now),
        opening=opening,
        closing=closing,
        credits=incoming,
        debits=outgoing,
        span=_Span(after, until),
    )


def _get_account(account_id: UUID, client_id: UUID | None) -> Account:
    accounts = Account.objects.select_related("client").defer("client__document_number", "client__birth_date")
    whose = {} if client_id is None else {"client_id": client_id}
    account = accounts.filter(pk=account_id, **whose).first()
    if account is None:
        raise AccountNotFoundError
    return account


def _read_frame(account_id: UUID, period: Period, *, limit: int) -> tuple[int, ...]:
    """Return the span, opening, closing, and the credits and debits with their sums, of `limit` entries at most."""
    days = {"begins_at": period.begins_at, "ends_at": period.ends_at}
    with connection.cursor() as cursor:
        cursor.execute(_FRAME, {"account": account_id, "limit": limit, **days})
        frame: tuple[int, ...] = cursor.fetchone()
    return frame


def _read_rows(account_id: UUID, span: _Span) -> list[tuple[Any, ...]]:
    params: dict[str, Any] = {"account": account_id, "after": span.after, "until": span.until, "limit": _READ_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _make_entries(rows: Sequence[tuple[Any, ...]]) -> Iterator[Entry]:
    """Yield the entries of `rows`; those of payments are told apart by what their journal entries refer to."""
    references = {row[-1] for row in rows if row[2] in _CODES_OF_PAYMENTS and row[-1] is not None}
    payments = find_payments(payment_ids=references) if references else {}
    for row in rows:
        entry, payment = _make_entry(row[:-1]), payments.get(row[-1])
        yield entry if payment is None else _tell_payment(entry, payment)


def _tell_payment(entry: Entry, payment: Payment) -> Entry:
    domestic = f"{payment.creditor_bank} {payment.creditor_branch} {payment.creditor_account}"
    return entry._replace(
        counterparty=Counterparty(payment.creditor_name, payment.creditor_iban or domestic),
        remittance_information=payment.remittance_information,
    )


def _make_entry(row: tuple[Any, ...]) -> Entry:
    version, entry_id, code, booked_at, value_date, side, amount, balance_after, name, number, text, transfer_id = row
    return Entry(
        version=version,
        entry_id=entry_id,
        kind=_KINDS.get(code, EntryKind.BOOKING),
        booking_date=get_booking_date(booked_at),
        value_date=value_date,
        direction=CreditDebit.CREDIT if side == Side.CREDIT else CreditDebit.DEBIT,
        amount=amount,
        balance_after=balance_after,
        counterparty=None if name is None else Counterparty(name, number),
        remittance_information=text or "",
        transfer_id=transfer_id,
    )
