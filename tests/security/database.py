"""What is in the database, so that a test can say that nothing changed, or what did."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.apps import apps
from django.db import transaction

Snapshot = dict[tuple[str, Any], dict[str, Any]]


def take_snapshot() -> Snapshot:
    """Return all rows of all tables, each by its table and primary key."""
    return {
        (model._meta.label, row.pk): {name: value for name, value in vars(row).items() if not name.startswith("_")}
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label != "pghistory"  # views in Python, of no table
        for row in model._base_manager.all()
    }


def list_changes(before: Snapshot, after: Snapshot) -> Counter[str]:
    """Return what changed: tables with rows that are new or gone, columns with values that are others."""
    changes: Counter[str] = Counter()
    for key in before.keys() | after.keys():
        table, (old, new) = key[0], (before.get(key), after.get(key))
        if old is None or new is None:
            changes[f"{table} {'gone' if new is None else 'made'}"] += 1
        else:
            changes.update(f"{table}.{name}" for name in new if new[name] != old[name])
    return changes


@contextmanager
def undoing() -> Iterator[None]:
    """Undo at its end what the block did. Services may begin transactions in it, as in pytest-django's own."""
    block = transaction.atomic()
    cast("Any", block)._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)
