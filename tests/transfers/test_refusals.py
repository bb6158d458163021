"""Why an order is refused: where it has several faults, the first in the contract's order is the answer."""

import pytest

from core.errors import BankError
from core.models import IdempotencyKey
from events.models import Event
from ledger.models import JournalEntry
from tests.proof import find_faults
from tests.transfers.desk import Desk
from transfers.models import Transfer

# Each order has the fault that is told and, where it can, all of those that come later in the contract's order.
REFUSALS = """
    order                       | told                 | and besides
    nobody  -> nobody  500 USD  | account_not_found    | same account, no dollars, no funds
    nobody  -> mallory 500      | account_not_found    | blocked, no funds
    mallory -> nobody  500 USD  | account_not_found    | no dollars, blocked, no funds
    ivan    -> nobody  500      | account_not_found    | inactive, no funds
    mallory -> mallory 500 USD  | same_account         | no dollars, blocked, no funds
    ivan    -> ivan    500 USD  | same_account         | no dollars, inactive, no funds
    alice   -> alice   5        | same_account         |
    mallory -> dora    500      | currency_mismatch    | blocked, no funds
    dora    -> mallory 500      | currency_mismatch    | blocked, no funds
    ivan    -> dora    500 USD  | currency_mismatch    | inactive, no funds
    alice   -> carla   5 USD    | currency_mismatch    |
    mallory -> ivan    500      | account_blocked      | inactive, no funds
    ivan    -> mallory 500      | account_blocked      | inactive, no funds
    alice   -> mallory 500      | account_blocked      | no funds
    mallory -> alice   5        | account_blocked      |
    ivan    -> alice   500      | account_inactive     | no funds
    alice   -> ivan    500      | account_inactive     | no funds
    cash    -> nobody  5 USD    | account_not_found    | no dollars
    cash    -> mallory 5 USD    | currency_mismatch    | blocked
    cash    -> mallory 5        | account_blocked      |
    cash    -> ivan    5        | account_inactive     |
    nobody  -> cash    5 USD    | account_not_found    | no dollars
    mallory -> cash    500 EUR  | currency_mismatch    | blocked, no funds
    mallory -> cash    500      | account_blocked      | no funds
    ivan    -> cash    500      | account_inactive     | no funds
"""

# The same of orders that Alice gives: what is not hers to give an order over is as good as not there.
REFUSALS_TO_ALICE = """
    order                       | told                 | and besides
    carla   -> alice   5        | account_not_found    | no funds
    carla   -> carla   5        | account_not_found    | same account
    mallory -> alice   5 USD    | account_not_found    | no dollars, blocked
    mallory -> cash    5        | account_not_found    | blocked
    ivan    -> cash    5        | account_not_found    | inactive
    cash    -> carla   5        | account_not_found    |
    cash    -> dora    5        | account_not_found    | no reais
    alice   -> mallory 500      | account_blocked      | no funds
"""


def read_table(table: str) -> list[tuple[str, str]]:
    """Return order and code of each line."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [(" ".join(order.split()), code) for order, code, _ in rows[1:]]


@pytest.mark.parametrize(("line", "code"), read_table(REFUSALS))
def test_refuses(desk: Desk, line: str, code: str) -> None:
    with pytest.raises(BankError) as refused:
        desk.submit(line)

    assert refused.value.code == code


@pytest.mark.parametrize(("line", "code"), read_table(REFUSALS_TO_ALICE))
def test_refuses_to_alice(desk: Desk, line: str, code: str) -> None:
    with pytest.raises(BankError) as refused:
        desk.submit(line, over_own=True)

    assert refused.value.code == code


@pytest.mark.parametrize("line", ["alice -> nobody 5", "alice -> mallory 5", "cash -> ivan 5", "alice -> alice 5"])
def test_a_refusal_leaves_nothing_behind(desk: Desk, line: str) -> None:
    entries, events = JournalEntry.objects.count(), Event.objects.count()

    with pytest.raises(BankError):
        desk.submit(line)

    assert not Transfer.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert (JournalEntry.objects.count(), Event.objects.count()) == (entries, events)


def test_a_transfer_without_funds_fails_and_is_kept(desk: Desk) -> None:
    submission = desk.submit("alice -> carla 101")

    transfer = Transfer.objects.get()
    assert transfer.id == submission.transfer.id
    assert (transfer.status, transfer.failure_code, transfer.completed_at) == ("failed", "insufficient_funds", None)
    assert (transfer.debtor_version, transfer.creditor_version) == (None, None)
    assert desk.get_balances("alice", "carla") == {"alice": 100, "carla": 0}
    assert find_faults() == []
