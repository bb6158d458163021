"""Extracts as CSV files for auditors: made whole, put on record, then sent.

The rows come by a cursor of the server into a file on the disk, some thousand at a time, so a million of them need no
more memory than a few; all are of one snapshot. What is on record says how many rows and which SHA-256 the file has, so
an auditor can prove later that a file is the one that the bank gave.
"""

import csv
import hashlib
from datetime import date, datetime
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext

from audit.extracts import EXTRACTS, Query, Span
from audit.models import Export
from audit.states import ExtractKind
from core.errors import InvalidInputError
from core.ids import uuid7
from core.models import User
from core.spreadsheets import guard_cell
from core.text import clean_line
from kyc.models import Client
from transfers.statements.periods import make_period

_ROWS_AT_ONCE = 2_000
_BYTES_AT_ONCE = 64 * 1024


class Order(NamedTuple):
    """What an auditor asks for; the days are both included, in the bank's time zone."""

    kind: ExtractKind
    first_date: date
    last_date: date
    client_id: UUID | None = None
    account_id: UUID | None = None


def make_export(*, order: Order, reason: str, exported_by: User, now: datetime) -> tuple[Export, IO[bytes]]:
    """Return what is on record of a new export, and its file, which the caller sends and closes.

    Raises InvalidInputError, also for a client that does not exist and for more than a year.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    period = make_period(first_date=order.first_date, last_date=order.last_date, now=now)
    if order.client_id and not Client.objects.filter(pk=order.client_id).exists():
        raise InvalidInputError(errors={"client": [gettext("No client has this id.")]})
    span = Span(period.begins_at, period.ends_at, order.client_id, order.account_id)
    file = TemporaryFile()  # noqa: SIM115 - closed once it is sent
    rows = _write(file, EXTRACTS[order.kind](span))
    export = Export.objects.create(
        id=uuid7(),
        **order._asdict(),
        reason=reason,
        exported_by=exported_by,
        exported_at=now,
        rows=rows,
        size_bytes=file.seek(0, 2),
        sha256=_hash(file),
    )
    file.seek(0)
    return export, file


def _write(file: IO[bytes], query: Query) -> int:
    """Write the table, begun with a byte order mark as Excel wants it, and return how many rows it has."""
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
    table = csv.writer(text)
    rows = 0
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(query.sql, query.params)
        some = cursor.fetchmany(_ROWS_AT_ONCE)
        table.writerow([column.name for column in cursor.description or ()])
        while some:
            table.writerows([_show(cell) for cell in row] for row in some)
            rows += len(some)
            some = cursor.fetchmany(_ROWS_AT_ONCE)
    text.detach()
    return rows


def _show(cell: object) -> object:
    if isinstance(cell, datetime):
        return cell.isoformat()
    return guard_cell(cell) if isinstance(cell, str) else cell


def _hash(file: IO[bytes]) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while some := file.read(_BYTES_AT_ONCE):
        digest.update(some)
    return digest.digest()
