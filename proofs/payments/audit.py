"""The audit at the end: the bank's books, the rail's, what the reconciliation finds between them, and the ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connection
from django.db.models import Count, F
from django.utils import timezone

from core.money import format_amount
from ledger.verification import verify_ledger
from proofs.audit import Figure
from tests.proof import find_faults
from transfers.payments.models import Payment, SubmissionAttempt
from transfers.payments.states import AttemptOutcome, PaymentStatus
from transfers.rails.models import Intake, ReconciliationBreak, StatementEntry
from transfers.rails.reconciliation import GRACE, reconcile_day
from transfers.rails.states import IntakeStatus

_BOOKED_HERE = """
    SELECT submission.uetr::text, posting.side = -1, posting.amount, posting.currency
    FROM ledger_posting posting
    JOIN ledger_ledgeraccount own ON own.id = posting.account_id AND own.chart_code = '1100'
    LEFT JOIN payments_payment payment ON posting.entry_id IN (payment.settlement_id, payment.return_entry_id)
    LEFT JOIN payments_submission submission ON submission.payment_id = payment.id
"""
_BOOKED_THERE = "SELECT uetr, is_credit, amount, currency FROM booking"

Movement = tuple[str | None, bool, str, str]
"""A payment's UETR, whether it came back, amount and currency."""


def reconcile(*, since: datetime) -> None:
    """Compare the days from `since` on, as if all that is in flight had had its time."""
    now = timezone.now()
    for number in range((now.astimezone(UTC).date() - since.date()).days + 1):
        reconcile_day(day=since.date() + timedelta(days=number), now=now + GRACE)


def audit(*, register: Path) -> Iterator[Figure]:
    """Yield what is found; `register` is the file of the rail, which has been stopped."""
    yield from _count_payments()
    here, there = sorted(_read_here(), key=str), sorted(_read_there(register), key=str)
    yield Figure("movements booked at the rail", len(there), is_needed=True)
    yield Figure("repeats that the rail recognised", _count_repeats(register))
    yield Figure("movements booked here only", len(set(here) - set(there)), is_violation=True)
    yield Figure("movements booked there only", len(set(there) - set(here)), is_violation=True)
    yield Figure("other numbers of movements", abs(len(here) - len(there)), is_violation=True)
    yield Figure("movements that were reconciled", StatementEntry.objects.count(), is_needed=True)
    yield Figure("differences that the reconciliation found", ReconciliationBreak.objects.count(), is_violation=True)
    odd = Intake.objects.filter(status=IntakeStatus.ODD)
    yield Figure("messages that need attention", odd.count(), is_violation=True)
    broken = len(verify_ledger(since=None, on_progress=lambda _: None)) + len(find_faults())
    yield Figure("rules of the ledger that are broken", broken, is_violation=True)


def _count_payments() -> Iterator[Figure]:
    states = dict(Payment.objects.values_list("status").annotate(payments=Count("pk")))
    yield Figure("payments completed", states.get(PaymentStatus.COMPLETED, 0), is_needed=True)
    yield Figure("payments that came back", states.get(PaymentStatus.RETURNED, 0), is_needed=True)
    unfinished = sum(states.get(status, 0) for status in (PaymentStatus.HELD, PaymentStatus.SUBMITTED))
    yield Figure("payments that did not come to their end", unfinished, is_violation=True)
    overtaken = Payment.objects.filter(returned_at=F("completed_at")).count()
    yield Figure("of these told as returned before they were told as settled", overtaken)
    outcomes = dict(SubmissionAttempt.objects.values_list("outcome").annotate(attempts=Count("pk")))
    for outcome in AttemptOutcome:
        yield Figure(f"attempts that ended as: {outcome.label}", outcomes.get(outcome, 0))


def _read_here() -> list[Movement]:
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED_HERE)
        return [(uetr, back, format_amount(amount, currency), currency) for uetr, back, amount, currency in cursor]


def _read_there(register: Path) -> list[Movement]:
    with closing(sqlite3.connect(register)) as rail:
        return [(uetr, bool(back), amount, currency) for uetr, back, amount, currency in rail.execute(_BOOKED_THERE)]


def _count_repeats(register: Path) -> int:
    with closing(sqlite3.connect(register)) as rail:
        [repeats] = rail.execute("SELECT coalesce(sum(repeats), 0) FROM payment").fetchone()
    return int(repeats)
