"""Deposits, withdrawals and internal transfers, alone and in batches."""

import pytest
from django.db import DataError

from core.models import IdempotencyKey
from events.models import Event
from ledger.chart import CASH
from ledger.models import JournalEntry, LedgerAccount, Posting
from ledger.services import get_internal_account_id
from ledger.states import Side
from tests.proof import find_faults
from tests.transfers.desk import NOW, Desk
from tests.wire import listening
from transfers.models import Transfer
from transfers.services import submit_transfers


def test_an_internal_transfer_moves_money_between_two_customers(desk: Desk) -> None:
    submission = desk.submit("alice -> carla 30", text="Lunch")

    transfer = Transfer.objects.get()
    assert (submission.transfer.id, submission.is_replayed) == (transfer.id, False)
    assert (transfer.kind, transfer.status, transfer.failure_code) == ("internal", "completed", "")
    assert (transfer.amount, transfer.currency, transfer.remittance_information) == (30, "BRL", "Lunch")
    assert (transfer.created_at, transfer.completed_at) == (NOW, NOW)
    assert (transfer.debtor_version, transfer.creditor_version) == (2, 1)
    assert transfer.initiated_by == desk.clients["alice"].user
    assert desk.get_balances("alice", "carla") == {"alice": 70, "carla": 30}
    assert find_faults() == []


@pytest.mark.parametrize(
    ("line", "kind", "balance", "cash_side"),
    [("cash -> alice 30", "deposit", 130, Side.DEBIT), ("alice -> cash 30", "withdrawal", 70, Side.CREDIT)],
)
def test_a_deposit_and_a_withdrawal_have_cash_on_the_other_side(
    desk: Desk, line: str, kind: str, balance: int, cash_side: Side
) -> None:
    desk.submit(line)

    transfer = Transfer.objects.get()
    cash = Posting.objects.get(entry_id=transfer.id, account_id=get_internal_account_id(line=CASH, currency="BRL"))
    assert (transfer.kind, transfer.status) == (kind, "completed")
    assert (cash.side, cash.amount) == (cash_side, 30)
    assert desk.get_balances("alice") == {"alice": balance}
    assert find_faults() == []


def test_the_entry_of_a_transfer_has_its_id_and_kind(desk: Desk) -> None:
    transfer_id = desk.submit("alice -> savings 30").transfer.id

    entry = JournalEntry.objects.get(id=transfer_id)
    assert (entry.code, entry.posting_count, entry.booked_at) == ("internal", 2, NOW)


def test_a_client_moves_money_of_its_own_account_to_anybody(desk: Desk) -> None:
    desk.submit("alice -> savings 30", over_own=True)
    desk.submit("alice -> carla 30", over_own=True)
    desk.submit("cash -> savings 5", over_own=True)

    assert desk.get_balances("alice", "savings", "carla") == {"alice": 40, "savings": 35, "carla": 30}


def test_the_outcomes_of_a_batch_come_in_its_order_and_build_on_each_other(desk: Desk) -> None:
    desk.submit_table("""
        carla -> alice 10     | failed insufficient_funds
        alice -> carla 60     | completed
        alice -> carla 60     | failed insufficient_funds
        alice -> mallory 1    | refused: account_blocked
        nobody -> carla 1     | refused: account_not_found
        carla -> alice 10     | completed
        cash -> carla 5       | completed
        alice -> alice 1      | refused: same_account
        alice -> cash 50      | completed
        alice -> carla 1      | failed insufficient_funds
    """)

    assert desk.get_balances("alice", "carla", "mallory") == {"alice": 0, "carla": 55, "mallory": 50}
    assert find_faults() == []


def test_refused_orders_of_a_batch_leave_nothing_not_even_their_keys(desk: Desk) -> None:
    refused, accepted = desk.read("alice -> mallory 1", key="refused"), desk.read("alice -> carla 1", key="accepted")

    submit_transfers(orders=[refused, accepted], now=NOW)

    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["accepted"]
    assert list(Transfer.objects.values_list("status", flat=True)) == ["completed"]


def test_a_batch_of_nothing_is_nothing(desk: Desk) -> None:
    assert submit_transfers(orders=[], now=NOW) == []


def test_refuses_a_batch_in_which_a_key_stands_twice(desk: Desk) -> None:
    orders = [desk.read("alice -> carla 1", key="twice"), desk.read("alice -> carla 2", key="twice")]

    with pytest.raises(ValueError, match="twice"):
        submit_transfers(orders=orders, now=NOW)

    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    "pattern", [["alice -> carla 1"], ["alice -> carla 1", "carla -> alice 99", "nobody -> alice 1"]]
)
def test_a_batch_costs_a_statement_more_for_each_250_orders(desk: Desk, pattern: list[str]) -> None:
    def count_statements(size: int) -> int:
        orders = [desk.read(line) for line in (pattern * size)[:size]]
        with listening() as statements:
            submit_transfers(orders=orders, now=NOW)
        return len(statements)

    desk.submit("cash -> alice 1000")

    assert count_statements(250) == count_statements(len(pattern))
    assert count_statements(500) == count_statements(len(pattern)) + 1
    assert find_faults() == []


def test_a_repeated_batch_costs_as_many_statements_however_long_it_is(desk: Desk) -> None:
    def count_statements(size: int) -> int:
        orders = [desk.read("cash -> alice 1") for _ in range(size)]
        submit_transfers(orders=orders, now=NOW)
        with listening() as statements:
            submit_transfers(orders=orders, now=NOW)
        return len(statements)

    assert count_statements(200) == count_statements(1)


def test_each_transfer_tells_what_became_of_it_and_the_balances_after_it(desk: Desk) -> None:
    before = Event.objects.count()
    completed, failed = desk.submit("alice -> carla 30").transfer, desk.submit("alice -> carla 71").transfer

    told = list(Event.objects.order_by("seq"))[before:]
    assert [(event.type, event.key, event.occurred_at) for event in told] == [
        ("transfer.completed", completed.id, NOW),
        ("transfer.failed", failed.id, NOW),
    ]
    assert told[0].payload == {
        "kind": "internal",
        "status": "completed",
        "debtor_account": str(desk.accounts["alice"]),
        "creditor_account": str(desk.accounts["carla"]),
        "amount": 30,
        "currency": "BRL",
        "failure_code": "",
        "balances": [
            {
                "account": str(desk.accounts["alice"]),
                "currency": "BRL",
                "booked": 70,
                "pending": 0,
                "available": 70,
                "version": 2,
            },
            {
                "account": str(desk.accounts["carla"]),
                "currency": "BRL",
                "booked": 30,
                "pending": 0,
                "available": 30,
                "version": 1,
            },
        ],
    }
    assert told[1].payload["failure_code"] == "insufficient_funds"
    assert [balance["version"] for balance in told[1].payload["balances"]] == [2, 1]


def test_the_events_of_a_batch_come_in_its_order_each_with_the_balance_of_its_moment(desk: Desk) -> None:
    orders = [desk.read(line) for line in ("alice -> carla 30", "alice -> carla 20", "carla -> alice 5")]

    submissions = submit_transfers(orders=orders, now=NOW)

    told = Event.objects.filter(type="transfer.completed").order_by("seq")
    assert [event.key for event in told] == [submission.transfer.id for submission in submissions]  # type: ignore[union-attr]
    alice = str(desk.accounts["alice"])
    after = [
        balance["booked"] for event in told for balance in event.payload["balances"] if balance["account"] == alice
    ]
    assert after == [70, 50, 55]


def test_when_the_last_write_fails_nothing_of_the_transfer_remains(desk: Desk) -> None:
    too_long, before = "x" * 141, (JournalEntry.objects.count(), Event.objects.count())

    with pytest.raises(DataError):
        desk.submit("alice -> carla 30", text=too_long)

    assert (JournalEntry.objects.count(), Event.objects.count()) == before
    assert not Transfer.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert LedgerAccount.objects.get(id=desk.accounts["alice"]).version == 1
    desk.submit("alice -> carla 30")
    assert find_faults() == []
