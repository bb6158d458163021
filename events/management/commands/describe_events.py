"""`manage.py describe_events [--check]`: write, or check, what describes the catalogue of events."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events.catalogue.page import PATH, render_page
from events.catalogue.schemas import (
    find_breaks,
    get_path,
    make_documents,
    read_documents,
    render_document,
)


class Command(BaseCommand):
    """Refuses, with or without --check, a schema that breaks the promise of one that was published."""

    help = "Write events/schemas and docs/events.md from events/catalogue; with --check, fail if they are not current."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --check."""
        parser.add_argument("--check", action="store_true", help="Write nothing.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Compare with what was published, then write or compare the files."""
        declared, published = make_documents(), read_documents()
        if breaks := list(find_breaks(published=published, declared=declared)):
            raise CommandError("\n".join(breaks))
        files = {get_path(schema=schema): render_document(document=each) for schema, each in declared.items()}
        files[PATH] = render_page()
        stale = {
            get_path(schema=schema) for schema in published.keys() - declared.keys()
        }  # a draft's, or it would be a break
        if check:
            _require_current(files, stale)
        else:
            _write(files, stale)


def _require_current(files: Mapping[Path, str], stale: set[Path]) -> None:
    other = {path for path, text in files.items() if not path.exists() or path.read_text() != text} | stale
    if other:
        names = ", ".join(sorted(path.name for path in other))
        raise CommandError(f"Not current: {names}. To write them: manage.py describe_events")


def _write(files: Mapping[Path, str], stale: set[Path]) -> None:
    for path, text in files.items():
        path.write_text(text)
    for path in stale:
        path.unlink()
