"""Writes of reports to the regulator."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import transaction

from core.db import Statement, Write, as_rows, run_together
from core.models import User
from core.text import clean_line
from events.services import record_events
from reporting.regulatory.errors import NotRefusedError, NotWaitingError
from reporting.regulatory.events import (
    report_hastened,
    report_resubmitted,
    reports_hastened,
    summary_resubmitted,
)
from reporting.regulatory.models import DailySummary, Report
from reporting.regulatory.states import ReportState


class CompletedTransfer(msgspec.Struct, frozen=True, gc=False):
    """What the regulator has to know of a transfer. `amount` is in minor units."""

    transfer_id: UUID
    debtor_account_id: UUID | None
    creditor_account_id: UUID | None
    amount: int
    currency: str
    completed_at: datetime


_COLUMNS = ", ".join(CompletedTransfer.__struct_fields__)
_INSERT = Statement(
    f"""
    INSERT INTO regulatory_report (state, {_COLUMNS})
    SELECT '{ReportState.WAITING.value}', {_COLUMNS} FROM jsonb_populate_recordset(NULL::regulatory_report, %s)
    ORDER BY transfer_id
    ON CONFLICT (transfer_id) DO NOTHING
    """  # noqa: S608 - built from constants
)


def write_reports(*, transfers: Sequence[CompletedTransfer]) -> None:
    """Write a waiting report of each of `transfers` that has none yet, in the caller's transaction.

    The database refuses all of them if one was completed after an account of it was inactivated (I7).
    """
    if transfers:
        run_together(Write(_INSERT, (as_rows(transfers),)))


def retry_now(*, report_id: UUID, reason: str, actor: User, now: datetime) -> None:
    """Let a report that waits for its next attempt be tried at once. Raises InvalidInputError or NotWaitingError."""
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        waiting = Report.objects.filter(pk=report_id, state=ReportState.WAITING, began_at=None)
        if not waiting.update(due_at=now):
            raise NotWaitingError
        record_events(events=[report_hastened(report_id=report_id, reason=reason, actor=actor, now=now)])


def retry_all_now(*, reason: str, actor: User, now: datetime) -> int:
    """Let all reports that wait for their next attempt be tried at once; return how many. Raises InvalidInputError."""
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        waiting = Report.objects.filter(state=ReportState.WAITING, began_at=None, due_at__gt=now)
        hastened = waiting.update(due_at=now)
        record_events(events=[reports_hastened(reports=hastened, reason=reason, actor=actor, now=now)])
    return hastened


def resubmit(*, report_id: UUID, reason: str, actor: User, now: datetime) -> None:
    """Submit a report again that the regulator refused, once the cause is mended.

    Raises InvalidInputError or NotRefusedError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        report = Report.objects.filter(pk=report_id, state=ReportState.REFUSED).first()
        if report is None or not _renew(report, now=now):
            raise NotRefusedError
        code = report.refusal_code
        record_events(
            events=[report_resubmitted(report_id=report_id, refusal_code=code, reason=reason, actor=actor, now=now)]
        )


def _renew(report: Report, *, now: datetime) -> bool:
    refused = Report.objects.filter(pk=report.pk, state=ReportState.REFUSED)
    changes = {"state": ReportState.WAITING, "failures": 0, "due_at": now, "decided_at": None, "refusal_code": ""}
    return bool(refused.update(**changes))


def resubmit_summary(*, summary_id: UUID, reason: str, actor: User, now: datetime) -> None:
    """Submit a daily summary again that the regulator refused, as it is; what changed since makes a new version.

    Raises InvalidInputError or NotRefusedError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    refused = DailySummary.objects.filter(pk=summary_id, state=ReportState.REFUSED)
    with transaction.atomic(durable=True):
        summary = refused.first()
        changes = {"state": ReportState.WAITING, "failures": 0, "due_at": now, "decided_at": None, "refusal_code": ""}
        if summary is None or not refused.update(**changes):
            raise NotRefusedError
        code = summary.refusal_code
        record_events(
            events=[summary_resubmitted(summary_id=summary_id, refusal_code=code, reason=reason, actor=actor, now=now)]
        )
