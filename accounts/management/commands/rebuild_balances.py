"""`manage.py rebuild_balances`: rebuild the balances that readers see from events, and prove them."""

import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from accounts.numbers import find_number
from accounts.rebuild import Mismatch, rebuild_balances
from core.progress import ProgressDisplay


class Command(BaseCommand):
    """Exits with 0 if all balances are proven and right, 1 if one is not; each such account is named."""

    help = (
        "Rebuild the balances that readers see, in the read model and in Redis, from the newest snapshots and the "
        "events after them, and prove each equal to the ledger's. The bank can go on meanwhile."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --account and --from-start."""
        parser.add_argument("--account", metavar="ID|NUMBER", help="only this account")
        parser.add_argument("--from-start", action="store_true", help="replay all events, past the snapshots")

    def handle(self, *args: Any, account: str | None, from_start: bool, **options: Any) -> None:
        """Rebuild, show how far it is, report."""
        account_ids = None if account is None else [_get_account_id(account)]
        started = time.monotonic()
        with ProgressDisplay() as display:
            rebuilt = rebuild_balances(account_ids=account_ids, from_start=from_start, on_progress=display.show)
        seconds = time.monotonic() - started
        if rebuilt.mismatches:
            self._report(rebuilt.mismatches)
            raise CommandError(
                f"Of {rebuilt.compared:,} accounts, {len(rebuilt.mismatches):,} have events or a snapshot that the "
                f"ledger does not agree with; their balances stay as they were, {rebuilt.restored:,} others were put "
                f"right."
            )
        self.stdout.write(
            self.style.SUCCESS(
                f"The balances of {rebuilt.compared:,} accounts are rebuilt and equal to the ledger's, "
                f"in {seconds:.1f} s; {rebuilt.restored:,} of them were missing, behind or wrong."
            )
        )

    def _report(self, mismatches: list[Mismatch]) -> None:
        for account, finding in mismatches:
            self.stderr.write(f"{account.pk}  {account.number}  {finding}")


def _get_account_id(text: str) -> UUID:
    """Return the id of the account with this id or number. Raises CommandError."""
    number = find_number(text=text)
    try:
        found = Account.objects.filter(number=number) if number else Account.objects.filter(pk=UUID(text))
    except ValueError:
        raise CommandError(f"{text} is neither an id nor a number of an account.") from None
    account_id: UUID | None = found.values_list("pk", flat=True).first()
    if account_id is None:
        raise CommandError(f"There is no account {text}.")
    return account_id
