"""Sending reports that are due: claimed in batches, sent outside of any transaction, each attempt kept.

See Note [Who reports] of the models. Several workers share the work, as each passes over rows that another has locked.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import SystemRandom
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.db import Row, Statement, as_rows, rows_of
from core.money import format_amount
from events.outages import OUTAGES
from reporting.regulatory import circuit, regulator
from reporting.regulatory.circuit import Permit
from reporting.regulatory.regulator import MAX_REPORTS, ContentRefusedError, RegulatorAwayError, ReportBody, Verdict
from reporting.regulatory.states import Outcome, ReportState
from transfers.states import TransferKind

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 12
"""In first pauses: an hour, if the first is of five minutes."""
JITTER = 0.2
_dice = SystemRandom()


class Claim(Row):
    """An attempt at a report, which one worker makes, and what it sends. `amount` is in minor units."""

    report_id: UUID
    number: int
    failures: int
    began_at: datetime
    debtor_account_id: UUID | None
    creditor_account_id: UUID | None
    amount: int
    currency: str
    completed_at: datetime


class _Ended(Row):
    """How an attempt ended, and what becomes of its report."""

    report_id: UUID
    number: int
    ended_at: datetime
    outcome: str
    http_status: int | None
    code: str
    state: str
    failures: int
    due_at: datetime
    acknowledgement: str
    refusal_code: str
    decided_at: datetime | None


_CLAIM = Statement(
    f"""
    WITH moment AS (SELECT %s::timestamptz AS now, %s::timestamptz AS lease_ends), due AS (
        SELECT transfer_id, attempts, began_at FROM regulatory_report, moment
        WHERE state = '{ReportState.WAITING.value}' AND due_at <= moment.now
        ORDER BY due_at LIMIT %s FOR NO KEY UPDATE OF regulatory_report SKIP LOCKED
    ), abandoned AS (
        INSERT INTO regulatory_reportattempt (report_id, number, began_at, outcome, code)
        SELECT transfer_id, attempts, began_at, '{Outcome.UNKNOWN.value}', 'worker_ended' FROM due
        WHERE began_at IS NOT NULL
    )
    UPDATE regulatory_report report
    SET attempts = report.attempts + 1, began_at = moment.now, due_at = moment.lease_ends
    FROM due, moment
    WHERE report.transfer_id = due.transfer_id
    RETURNING report.transfer_id, report.attempts, report.failures, report.began_at, debtor_account_id,
        creditor_account_id, amount, currency, completed_at
    """  # noqa: S608 - built from constants
)

# Not what took so long that it was taken for dead.
_END = Statement(
    f"""
    WITH ended AS (
        SELECT ended.*, report.began_at FROM {rows_of(_Ended)} ended
        JOIN regulatory_report report ON report.transfer_id = ended.report_id
        WHERE report.attempts = ended.number AND report.began_at IS NOT NULL
        ORDER BY report.transfer_id FOR NO KEY UPDATE OF report
    ), attempt AS (
        INSERT INTO regulatory_reportattempt (report_id, number, began_at, ended_at, outcome, http_status, code)
        SELECT report_id, number, began_at, ended_at, outcome, http_status, code FROM ended
    )
    UPDATE regulatory_report report
    SET state = ended.state, began_at = NULL, failures = ended.failures, due_at = ended.due_at,
        acknowledgement = ended.acknowledgement, refusal_code = ended.refusal_code, decided_at = ended.decided_at
    FROM ended
    WHERE report.transfer_id = ended.report_id
    RETURNING report.transfer_id
    """  # noqa: S608 - built from constants
)


def send_due(*, seconds: float) -> bool:
    """Send what is due, for `seconds`; return whether more may be due."""
    deadline = time.monotonic() + seconds
    while settings.REGULATOR_URL and time.monotonic() < deadline:
        if not _send_next():
            return False
    return bool(settings.REGULATOR_URL)


def get_lease() -> timedelta:
    """Return how long an attempt may take before it is taken for dead; it may end later, which does no harm."""
    return timedelta(seconds=6 * settings.REGULATOR_TIMEOUT_SECONDS)


def get_pause(*, failures: int) -> timedelta:
    """Return how long a report waits after that many failures: twice as long each time, up to LONGEST_PAUSE.

    It differs by JITTER, so that what failed together does not come together again.
    """
    first = timedelta(minutes=settings.REGULATOR_RETRY_MINUTES)
    times = min(1 << min(failures - 1, 10), LONGEST_PAUSE)
    return first * times * _dice.uniform(1 - JITTER, 1 + JITTER)


def _send_next() -> bool:
    """Send the reports that are due longest, in one call if it is answered, and return whether there were any."""
    now = timezone.now()
    permit = circuit.ask(now=now, lease=get_lease())
    if permit is None:
        return False
    claims = _claim(limit=MAX_REPORTS if permit is Permit.ALL else 1, now=now)
    if not claims:
        return False
    _end(claims, _attempt(claims), now=timezone.now())
    return True


def _claim(*, limit: int, now: datetime) -> list[Claim]:
    with transaction.atomic(durable=True):
        return [Claim(*row) for row in _CLAIM.run(now, now + get_lease(), limit)]


def _attempt(claims: Sequence[Claim]) -> list[Verdict]:
    """Send the reports, outside of any transaction, and return what became of each."""
    try:
        return _submit(claims)
    except OUTAGES:
        raise  # without a database nothing can be noted either; the attempt ends when its time is over
    except Exception:
        logger.exception("%d reports cannot be sent", len(claims))
        return [Verdict(Outcome.PUT_OFF, None, "internal_error")] * len(claims)


def _submit(claims: Sequence[Claim]) -> list[Verdict]:
    """Send the reports in one call; in two, and so on, if it is refused for what one of them holds."""
    try:
        verdicts = regulator.send_reports(reports=[_make_body(claim) for claim in claims])
    except RegulatorAwayError as error:
        circuit.note_failure(now=timezone.now())
        logger.warning("The regulator does not take %d reports: %s", len(claims), error)
        return [error.verdict] * len(claims)
    except ContentRefusedError as error:
        circuit.note_success()
        middle = len(claims) // 2
        return [*_submit(claims[:middle]), *_submit(claims[middle:])] if middle else [error.verdict]
    circuit.note_success()
    return [verdicts[claim.report_id] for claim in claims]


def _make_body(claim: Claim) -> ReportBody:
    return ReportBody(
        id=claim.report_id,
        day=timezone.localdate(claim.completed_at),
        completed_at=claim.completed_at,
        kind=name_kind(debtor_account_id=claim.debtor_account_id, creditor_account_id=claim.creditor_account_id),
        debtor_account=claim.debtor_account_id,
        creditor_account=claim.creditor_account_id,
        amount=format_amount(claim.amount, claim.currency),
        currency=claim.currency,
    )


def name_kind(*, debtor_account_id: UUID | None, creditor_account_id: UUID | None) -> str:
    """Return the kind of a transfer, which its parties tell."""
    if debtor_account_id is None:
        return TransferKind.DEPOSIT.value
    return TransferKind.WITHDRAWAL.value if creditor_account_id is None else TransferKind.INTERNAL.value


def _end(claims: Sequence[Claim], verdicts: Sequence[Verdict], *, now: datetime) -> None:
    """Note how the attempts ended, but for those that took so long that they were taken for dead."""
    ended = [_decide(claim, verdict, now=now) for claim, verdict in zip(claims, verdicts, strict=True)]
    with transaction.atomic(durable=True):
        noted = len(_END.run(as_rows(ended)))
    if noted < len(ended):
        logger.warning("%d attempts at reports were taken over before they ended", len(ended) - noted)


def _decide(claim: Claim, verdict: Verdict, *, now: datetime) -> _Ended:
    """Return what becomes of a report."""
    is_acknowledged, is_refused = verdict.outcome == Outcome.ACKNOWLEDGED, verdict.outcome == Outcome.REFUSED
    state = ReportState.ACKNOWLEDGED if is_acknowledged else ReportState.REFUSED if is_refused else ReportState.WAITING
    failures = claim.failures + (not is_acknowledged)
    return _Ended(
        report_id=claim.report_id,
        number=claim.number,
        ended_at=now,
        outcome=verdict.outcome.value,
        http_status=verdict.http_status,
        code=verdict.code,
        state=state.value,
        failures=failures,
        due_at=now + get_pause(failures=failures) if state == ReportState.WAITING else now,
        acknowledgement=verdict.acknowledgement,
        refusal_code=verdict.code if is_refused else "",
        decided_at=None if state == ReportState.WAITING else now,
    )
