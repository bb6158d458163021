"""Rebuilding the balances that readers see from events, and proving them equal to the ledger's.

Note [What a rebuild proves]
An account's events and its row in the ledger are committed together (I6). So in one snapshot of the database both are
of the same moment, however many transfers go on, and every difference is a fault: nothing is compared "about now".
Only balances that are proven are written, each with its version: where the account has moved on meanwhile, the newer
one stays.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.balances import KeptBalance, restore_balances
from accounts.models import Account
from accounts.snapshots import find_newest_states
from accounts.stream import AccountState, follow
from core.progress import Progress

CHUNK = 100


class Mismatch(NamedTuple):
    """An account whose events, or whose newest snapshot, come to something else than what the ledger says."""

    account: Account
    finding: str


class Rebuilt(NamedTuple):
    """What a rebuild has done: how many accounts it compared, how many balances were wrong, and which it left alone."""

    compared: int
    restored: int
    mismatches: list[Mismatch]


class _Truth(NamedTuple):
    """What events and ledger must agree on. Amounts are minor units."""

    version: int
    booked: int
    pending: int
    available: int
    status: str

    def __str__(self) -> str:
        """Return it in one line."""
        return ", ".join(f"{name} {value}" for name, value in self._asdict().items())


def rebuild_balances(
    *, account_ids: Collection[UUID] | None, from_start: bool, on_progress: Callable[[Progress], None]
) -> Rebuilt:
    """Rebuild the balances of the accounts, of all if None, from their newest snapshots and the events after them.

    With `from_start`, from their events alone. Safe while the bank runs; see Note [What a rebuild proves].
    """
    accounts = Account.objects.all() if account_ids is None else Account.objects.filter(pk__in=account_ids)
    total, compared, restored, mismatches = accounts.count(), 0, 0, list[Mismatch]()
    for ids in _chunks(accounts.order_by("pk").values_list("pk", flat=True)):
        proven, differing = _replay(ids, from_start=from_start)
        restored += restore_balances(balances=proven)
        compared += len(ids)
        mismatches += differing
        on_progress(Progress("accounts", compared, total))
    return Rebuilt(compared, restored, mismatches)


def _chunks(ids: "QuerySet[Account, UUID]") -> Iterator[Sequence[UUID]]:
    """Walk through `ids`, which are in order, CHUNK at a time."""
    chunk = list(ids[:CHUNK])
    while chunk:
        yield chunk
        chunk = list(ids.filter(pk__gt=chunk[-1])[:CHUNK])


def _replay(account_ids: Sequence[UUID], *, from_start: bool) -> tuple[list[KeptBalance], list[Mismatch]]:
    """Return the balances that the accounts' events come to and the ledger agrees with, and where it does not."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        starts = (
            [AccountState(account_id) for account_id in account_ids]
            if from_start
            else find_newest_states(account_ids=account_ids)
        )
        states = _follow_to_end(starts)
        accounts = list(Account.objects.filter(pk__in=account_ids).select_related("ledger_account").order_by("pk"))
        differing = [account for account in accounts if _read_events(states[account.pk]) != _read_ledger(account)]
        whole = _follow_to_end([AccountState(account.pk) for account in differing])
    mismatches = [_describe(account, states[account.pk], whole[account.pk]) for account in differing]
    return [_as_kept(state) for state in states.values() if state.account_id not in whole], mismatches


def _follow_to_end(starts: Sequence[AccountState]) -> dict[UUID, AccountState]:
    """Return by account what its events after a state come to."""
    return {state.account_id: state for state in [*starts, *follow(states=starts)]}


def _describe(account: Account, state: AccountState, whole: AccountState) -> Mismatch:
    """Say who is wrong, the snapshot that led to `state` or the events, which from the first on come to `whole`."""
    expected, told, all_told = _read_ledger(account), _read_events(state), _read_events(whole)
    if all_told == expected:
        return Mismatch(
            account,
            f"a snapshot is wrong: ledger and events say {expected}; with the newest snapshot it were {told}. "
            f"Rebuild with --from-start.",
        )
    return Mismatch(account, f"the ledger says {expected}; {whole.number} events come to {all_told}")


def _read_ledger(account: Account) -> _Truth:
    books = account.ledger_account
    return _Truth(books.version, books.balance, books.pending, books.available, account.status)


def _read_events(state: AccountState) -> _Truth:
    return _Truth(state.version, state.booked, state.pending, state.available, state.status)


def _as_kept(state: AccountState) -> KeptBalance:
    if state.as_of is None:
        raise ValueError(f"no event has told the balance of {state.account_id}")
    return KeptBalance(
        state.account_id, state.booked, state.pending, state.available, version=state.version, as_of=state.as_of
    )
