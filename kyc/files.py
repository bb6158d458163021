"""Files from outside: looked into by a process of its own, within limits of time and memory. See kyc/inspection."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import NamedTuple

from django.conf import settings

from kyc.errors import InspectionBusyError, UnsupportedDocumentError
from kyc.inspection.__main__ import REFUSED

TIMEOUT_SECONDS = 20.0
"""For one file; an honest one takes less than a second or two."""

PATIENCE_SECONDS = 5.0
"""How long a file waits until its turn comes."""

_turns = BoundedSemaphore(2)  # of a web process: a picture can take hundreds of megabytes while it is decoded
_places = BoundedSemaphore(4)  # with a turn or waiting for one: each keeps a thread, and other callers need some too
_VARIABLES = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")  # by which an interpreter finds its packages; secrets stay here


class InspectedFile(NamedTuple):
    """A file that is good: what it was sent as, and what is kept of it."""

    media_type: str
    kept_media_type: str
    kept: bytes


def inspect_file(*, content: bytes) -> InspectedFile:
    """Return what the file is and what is kept of it. Raises UnsupportedDocumentError or InspectionBusyError."""
    with _taking(_places, patience_seconds=0), _taking(_turns, patience_seconds=PATIENCE_SECONDS):
        answer = _ask(content)
    if answer.returncode == REFUSED:
        raise UnsupportedDocumentError(answer.stdout.decode())
    if answer.returncode != 0:  # ended by a limit, or by a fault of a decoder
        raise UnsupportedDocumentError
    line, _, kept = answer.stdout.partition(b"\n")
    media_type, kept_media_type = line.decode().split()
    return InspectedFile(media_type, kept_media_type, kept or content)


@contextmanager
def _taking(seats: BoundedSemaphore, *, patience_seconds: float) -> Iterator[None]:
    """Keep one of the seats during the block. Raises InspectionBusyError if none becomes free in time."""
    if not seats.acquire(timeout=patience_seconds):
        raise InspectionBusyError
    try:
        yield
    finally:
        seats.release()


def _ask(content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [sys.executable, "-m", "kyc.inspection"],
            cwd=settings.BASE_DIR,
            env={name: os.environ[name] for name in _VARIABLES if name in os.environ},
            input=content,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnsupportedDocumentError from error
