"""Statements as files: made whole before the first byte goes out, so that a fault on the way is no half a statement.

# Note [How long a statement may be]
Entries are read and written page by page into a file that waits on the disk once it is large. Measured on two busy
cores, 50,000 of them took 3 to 4 seconds as JSON, CSV, camt.053 or OFX, the process a megabyte more, and the disk 29 at
most. A PDF costs ten times as much: 5,000 entries took 4 seconds, and have some 200 pages, which nobody reads.
"""

from collections.abc import Callable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple

from django.http import StreamingHttpResponse

from transfers.statements.renderers.as_camt053 import write_camt053
from transfers.statements.renderers.as_csv import write_csv
from transfers.statements.renderers.as_json import write_json
from transfers.statements.renderers.as_ofx import write_ofx
from transfers.statements.renderers.as_pdf import write_pdf
from transfers.statements.selectors import Statement
from transfers.statements.states import StatementFormat

_KEPT_IN_MEMORY = 1024 * 1024
_SENT_AT_ONCE = 64 * 1024


class Renderer(NamedTuple):
    """How a format is written: its media type, how the names of its files end, and how many entries it may hold."""

    media_type: str
    suffix: str
    max_entries: int
    write: Callable[..., None]


RENDERERS = {
    StatementFormat.JSON: Renderer("application/json", "json", 100_000, write_json),
    StatementFormat.CSV: Renderer("text/csv; charset=utf-8", "csv", 100_000, write_csv),
    StatementFormat.PDF: Renderer("application/pdf", "pdf", 5_000, write_pdf),
    StatementFormat.CAMT_053: Renderer("application/xml", "camt053.xml", 100_000, write_camt053),
    StatementFormat.OFX: Renderer("application/x-ofx", "ofx", 100_000, write_ofx),
}


def answer_with(statement: Statement, *, form: StatementFormat) -> StreamingHttpResponse:
    """Return the statement in a format; all but JSON are files to be saved."""
    renderer = RENDERERS[form]
    file: IO[bytes] = SpooledTemporaryFile(_KEPT_IN_MEMORY)  # noqa: SIM115 - closed once it is sent
    renderer.write(statement=statement, out=file)
    response = StreamingHttpResponse(_send(file), content_type=renderer.media_type)
    response["Content-Length"] = str(file.tell())
    if form != StatementFormat.JSON:
        response["Content-Disposition"] = f'attachment; filename="{_name(statement)}.{renderer.suffix}"'
    return response


def _send(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(_SENT_AT_ONCE):
            yield chunk


def _name(statement: Statement) -> str:
    return f"statement-{statement.account.number}-{statement.period.first_date}-{statement.period.last_date}"
