"""Statements as files: made whole before the first byte goes out, so that a fault on the way is no half a statement.

# Note [How long a statement may be]
Entries are read and written page by page into a file on the disk, from which the web server sends it at the caller's
pace. Measured through it on two busy cores, 100,000 of them with long texts took 2 to 4 seconds as JSON, CSV, camt.053
or OFX, and 38 to 83 megabytes of the disk. A PDF costs ten times as much: 5,000 entries took 4 seconds, and have some
200 pages, which nobody reads. As that is much work for one thread, a process makes only a few large ones at once and
refuses more: whoever asks for many shall not keep all threads from all others.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import NamedTuple

from django.http import FileResponse

from transfers.statements.errors import StatementsBusyError
from transfers.statements.renderers.as_camt053 import write_camt053
from transfers.statements.renderers.as_csv import write_csv
from transfers.statements.renderers.as_json import write_json
from transfers.statements.renderers.as_ofx import write_ofx
from transfers.statements.renderers.as_pdf import write_pdf
from transfers.statements.selectors import Statement
from transfers.statements.states import StatementFormat

_LARGE_ONES = BoundedSemaphore(2)
"""As many large statements as a process makes at once."""


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


def answer_with(statement: Statement, *, form: StatementFormat) -> FileResponse:
    """Return the statement in a format; all but JSON are files to be saved. Raises StatementsBusyError."""
    renderer = RENDERERS[form]
    file = TemporaryFile()  # noqa: SIM115 - closed once it is sent
    with _place_for(statement, renderer):
        renderer.write(statement=statement, out=file)
    file.seek(0)
    is_download = form != StatementFormat.JSON
    name = f"{_name(statement)}.{renderer.suffix}" if is_download else ""
    return FileResponse(file, as_attachment=is_download, filename=name, content_type=renderer.media_type)


@contextmanager
def _place_for(statement: Statement, renderer: Renderer) -> Iterator[None]:
    """Let a large statement, of a tenth of what its format may hold, be made as one of few, or refuse it."""
    entries = statement.credits.entries + statement.debits.entries
    if 10 * entries <= renderer.max_entries:
        yield
        return
    if not _LARGE_ONES.acquire(blocking=False):
        raise StatementsBusyError
    try:
        yield
    finally:
        _LARGE_ONES.release()


def _name(statement: Statement) -> str:
    return f"statement-{statement.account.number}-{statement.period.first_date}-{statement.period.last_date}"
