"""Comparing the bank's settlement account with the rail's statement of it.

Note [In flight]
The rail books first; the bank follows once it has taken in the message that tells it. So what only the rail has booked
is in flight while its message waits here (the account may be blocked), or for GRACE after it was booked. What only the
bank has booked is judged by the first statement that reaches beyond it, and never is in flight: nothing is booked here
before the rail says so. A movement is sought in all statements, not only that of its day, as a day of the rail's ends
at another moment than ours.

A difference is opened once, however often a day is compared. One that has meanwhile matched is closed by itself.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from ledger.chart import SETTLEMENT
from ledger.models import LedgerAccount
from transfers.payments.models import Payment
from transfers.rails.errors import NoRailError, RailStatementError
from transfers.rails.http import MAX_STATEMENT_BYTES, get_rail
from transfers.rails.iso20022.documents import InvalidMessageError
from transfers.rails.iso20022.statements import RailAccountStatement, parse_statement
from transfers.rails.models import RailStatement, ReconciliationBreak, StatementEntry
from transfers.rails.rail import Rail
from transfers.rails.states import BreakKind

GRACE = timedelta(minutes=30)
"""How long after the rail has booked a movement the message about it may take."""

LONGEST_CATCH_UP = timedelta(days=31)

# What the bank has booked with the rail: what went out, and what came back of it.
_BOOKED = f"""
    SELECT payment.id AS payment_id, submission.uetr, posting.side = 1 AS is_out, posting.amount, posting.currency,
           entry.id AS entry_id, entry.booked_at
    FROM payments_payment payment
    JOIN payments_submission submission ON submission.payment_id = payment.id
    JOIN ledger_journalentry entry ON entry.id IN (payment.settlement_id, payment.return_entry_id)
    JOIN ledger_posting posting ON posting.entry_id = entry.id
    JOIN ledger_ledgeraccount own ON own.id = posting.account_id AND own.chart_code = '{SETTLEMENT.code}'
"""  # noqa: S608 - built from constants

_RAIL_ONLY = f"""
    WITH stated AS (
        SELECT entry.*, row_number() OVER (PARTITION BY uetr, is_credit ORDER BY booked_at, reference) AS nth
        FROM rails_statemententry entry
        WHERE uetr IN (SELECT uetr FROM rails_statemententry WHERE day = %(day)s AND currency = %(currency)s)
           OR uetr IS NULL AND day = %(day)s AND currency = %(currency)s
    )
    SELECT 'rail:' || stated.reference,
           CASE WHEN submission.uetr IS NULL THEN 'unknown_payment' WHEN stated.nth > 1 THEN 'booked_twice'
                WHEN booked.entry_id IS NULL THEN 'missing_at_bank' ELSE 'amount_differs' END,
           submission.payment_id, stated.reference,
           CASE WHEN booked.is_out THEN booked.amount ELSE -booked.amount END,
           CASE WHEN stated.is_credit THEN -stated.amount ELSE stated.amount END
    FROM stated
    LEFT JOIN payments_submission submission ON submission.uetr = stated.uetr
    LEFT JOIN ({_BOOKED}) booked ON booked.uetr = stated.uetr AND booked.is_out <> stated.is_credit
    WHERE stated.day = %(day)s AND stated.currency = %(currency)s AND (
        submission.uetr IS NULL
        OR stated.nth > 1
        OR (booked.amount, booked.currency) <> (stated.amount, stated.currency)
        OR booked.entry_id IS NULL AND stated.booked_at <= %(settled_by)s AND NOT EXISTS (
            SELECT FROM rails_railmessage message JOIN rails_intake intake ON intake.message_id = message.id
            WHERE message.payment_id = submission.payment_id AND intake.status = 'waiting'
        )
    )
"""  # noqa: S608 - built from constants

_BANK_ONLY = f"""
    SELECT 'bank:' || booked.entry_id, 'missing_at_rail', booked.payment_id, '',
           CASE WHEN booked.is_out THEN booked.amount ELSE -booked.amount END, NULL::bigint
    FROM ({_BOOKED}) booked
    WHERE booked.currency = %(currency)s AND booked.booked_at >= %(begins_at)s AND booked.booked_at < %(ends_at)s
      AND NOT EXISTS (
          SELECT FROM rails_statemententry stated
          WHERE stated.uetr = booked.uetr AND stated.is_credit <> booked.is_out
      )
"""  # noqa: S608 - built from constants

_MATCHED = f"""
    UPDATE rails_reconciliationbreak difference SET status = 'matched', resolved_at = %(now)s
    WHERE difference.status = 'open' AND (
        difference.kind = 'missing_at_bank' AND EXISTS (
            SELECT FROM rails_statemententry stated
            JOIN ({_BOOKED}) booked ON booked.uetr = stated.uetr AND booked.is_out <> stated.is_credit
            WHERE stated.reference = difference.reference
              AND (booked.amount, booked.currency) = (stated.amount, stated.currency)
        )
        OR difference.kind = 'missing_at_rail' AND EXISTS (
            SELECT FROM ({_BOOKED}) booked
            JOIN rails_statemententry stated ON stated.uetr = booked.uetr AND booked.is_out <> stated.is_credit
            WHERE 'bank:' || booked.entry_id = difference.subject
              AND (booked.amount, booked.currency) = (stated.amount, stated.currency)
        )
    )
"""  # noqa: S608 - built from constants


class Comparison(NamedTuple):
    """What comparing a day in a currency brought."""

    day: date
    currency: str
    entries: int
    opened: int
    matched: int


def reconcile_past_days(*, now: datetime) -> list[Comparison]:
    """Compare each day of the rail's (UTC) that is over and was not compared yet; without a rail, none.

    Raises RailError and RailStatementError.
    """
    if get_rail() is None or not Payment.objects.filter(submitted_at__isnull=False).exists():
        return []
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    latest = RailStatement.objects.order_by("-day").filter(day__lte=yesterday).values_list("day", flat=True).first()
    first = yesterday if latest is None else max(latest + timedelta(days=1), yesterday - LONGEST_CATCH_UP)
    days = [first + timedelta(days=number) for number in range((yesterday - first).days + 1)]
    return [comparison for day in days for comparison in reconcile_day(day=day, now=now)]


def reconcile_day(*, day: date, now: datetime) -> list[Comparison]:
    """Compare a day of the rail's (UTC) in each currency of the bank's settlement accounts.

    Raises NoRailError, RailError, and RailStatementError for a statement that cannot be relied on.
    """
    rail = get_rail()
    if rail is None:
        raise NoRailError
    own = LedgerAccount.objects.filter(chart_code=SETTLEMENT.code).order_by("currency")
    return [_reconcile(rail, day, currency, now=now) for currency in own.values_list("currency", flat=True)]


def _reconcile(rail: Rail, day: date, currency: str, *, now: datetime) -> Comparison:
    before = day - timedelta(days=1)  # what the bank booked early on a day, the rail may have booked the day before
    if not RailStatement.objects.filter(day=before, currency=currency).exists():
        _keep_entries(before, _read(rail, before, currency))
    statement = _read(rail, day, currency)
    with transaction.atomic(durable=True):
        _keep_entries(day, statement)
        opened = _open_breaks(day, statement, now=now)
        matched = _close_matched(now=now)
        RailStatement.objects.update_or_create(
            day=day,
            currency=currency,
            defaults={
                "begins_at": statement.begins_at,
                "ends_at": statement.ends_at,
                "opening": statement.opening,
                "closing": statement.closing,
                "entries": len(statement.movements),
                "compared_at": now,
            },
        )
    return Comparison(day, currency, len(statement.movements), opened, matched)


def _read(rail: Rail, day: date, currency: str) -> RailAccountStatement:
    try:
        content = rail.read_statement(day=day, currency=currency)
        statement = parse_statement(content=content, max_bytes=MAX_STATEMENT_BYTES)
    except InvalidMessageError as error:
        raise RailStatementError(f"The rail's statement of {day} in {currency} cannot be relied on. {error}") from error
    if statement.currency != currency:
        raise RailStatementError(f"The rail sent a statement in {statement.currency} in place of {currency}.")
    return statement


def _keep_entries(day: date, statement: RailAccountStatement) -> None:
    """Keep what the rail has booked. Raises RailStatementError if it says of an entry other than it said before."""
    entries = [
        StatementEntry(
            reference=each.reference,
            day=day,
            booked_at=each.booked_at,
            uetr=each.uetr,
            is_credit=each.is_credit,
            amount=each.amount,
            currency=statement.currency,
        )
        for each in statement.movements
    ]
    StatementEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=5_000)
    kept = StatementEntry.objects.in_bulk([entry.pk for entry in entries])
    for entry in entries:
        if _list_facts(kept[entry.pk]) != _list_facts(entry):
            raise RailStatementError(f"The rail now says of its movement {entry.pk} other than it said before.")


def _list_facts(entry: StatementEntry) -> tuple[object, ...]:
    return entry.day, entry.booked_at, entry.uetr, entry.is_credit, entry.amount, entry.currency


def _open_breaks(day: date, statement: RailAccountStatement, *, now: datetime) -> int:
    """Open the differences that are not known yet; return how many."""
    facts = {
        "day": day,
        "currency": statement.currency,
        "begins_at": statement.begins_at,
        "ends_at": statement.ends_at,
        "settled_by": now - GRACE,
    }
    found = [
        ReconciliationBreak(
            subject=subject,
            kind=BreakKind(kind),
            day=day,
            payment_id=payment_id,
            reference=reference,
            bank_amount=bank_amount,
            rail_amount=rail_amount,
            currency=statement.currency,
            opened_at=now,
        )
        for query in (_RAIL_ONLY, _BANK_ONLY)
        for subject, kind, payment_id, reference, bank_amount, rail_amount in _select(query, facts)
    ]
    known = ReconciliationBreak.objects.filter(subject__any=[each.subject for each in found])
    known_subjects = set(known.values_list("subject", flat=True))
    new = [each for each in found if each.subject not in known_subjects]
    ReconciliationBreak.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _close_matched(*, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_MATCHED, {"now": now})
        return int(cursor.rowcount)


def _select(query: str, facts: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, facts)
        return list(cursor.fetchall())
