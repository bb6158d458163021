"""A transfer as services hand it around: its row, without the weight of a model instance."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from core.db import Row, Statement, Write, as_rows, columns_of, rows_of
from transfers.models import Transfer


class TransferRecord(Row):
    """The columns of a transfer's row; see the model for what they mean."""

    id: UUID
    kind: str
    status: str
    debtor_account_id: UUID | None
    creditor_account_id: UUID | None
    amount: int
    currency: str
    remittance_information: str
    initiated_by_id: int
    created_at: datetime
    completed_at: datetime | None = None
    failure_code: str = ""
    debtor_version: int | None = None
    creditor_version: int | None = None


_COLUMNS = TransferRecord.__struct_fields__
_INSERT = Statement(
    f"""
    INSERT INTO transfers_transfer ({columns_of(TransferRecord)})
    SELECT transfer.* FROM {rows_of(TransferRecord)} transfer
    """  # noqa: S608 - built from constants
)


def write_records(*, records: Sequence[TransferRecord]) -> list[Write]:
    """Return the write of new transfers, to be run together with what they did."""
    return [Write(_INSERT, (as_rows(records),))] if records else []


def get_records(*, transfer_ids: Iterable[UUID]) -> dict[UUID, TransferRecord]:
    """Return the transfers that exist of `transfer_ids`, by id."""
    rows = Transfer.objects.filter(id__any=list(transfer_ids)).values_list(*_COLUMNS)
    return {row[0]: TransferRecord(*row) for row in rows}
