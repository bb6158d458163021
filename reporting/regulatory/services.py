"""Writes of reports to the regulator."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from core.db import Statement, Write, as_rows, run_together
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
