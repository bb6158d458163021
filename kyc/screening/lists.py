"""Loading lists of sanctioned people. The newest is in force from its commit on."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.db import transaction

from core.progress import Progress
from kyc.models import SanctionsEntry, SanctionsList
from kyc.screening.files import ListFile, read_list

_BATCH = 2_000


class Loaded(NamedTuple):
    """A list, and whether it is new: a file that was loaded before changes nothing."""

    sanctions_list: SanctionsList
    is_new: bool


def load_list(*, path: Path, now: datetime, on_progress: Callable[[Progress], None] = lambda progress: None) -> Loaded:
    """Put the list in the file at `path` in force, whole or not at all; clients are screened against it afterwards.

    Raises InvalidListError, and nothing has changed.
    """
    file = read_list(path=path)
    with transaction.atomic(durable=True):
        known = {
            "name": file.header.list,
            "version": file.header.version,
            "entry_count": len(file.entries),
            "loaded_at": now,
        }
        sanctions_list, is_new = SanctionsList.objects.get_or_create(sha256=file.sha256, defaults=known)
        if is_new:
            _keep_entries(sanctions_list, file, on_progress)
    return Loaded(sanctions_list, is_new)


def _keep_entries(sanctions_list: SanctionsList, file: ListFile, on_progress: Callable[[Progress], None]) -> None:
    for start in range(0, len(file.entries), _BATCH):
        batch = file.entries[start : start + _BATCH]
        SanctionsEntry.objects.bulk_create(
            SanctionsEntry(sanctions_list=sanctions_list, reference=entry.reference, content=msgspec.to_builtins(entry))
            for entry in batch
        )
        on_progress(Progress("entries", start + len(batch), len(file.entries)))
