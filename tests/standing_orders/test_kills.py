"""Workers are killed with -9 while they carry out standing orders: each is carried out once all the same."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from bank.embedded.manage import MANAGE
from core.ids import uuid7
from events.services import record_events
from ledger.models import LedgerAccount
from ledger.verification import verify_ledger
from tests.factories import make_account
from tests.faults.processes import Process
from tests.run.processes import wait_until
from transfers.models import Transfer
from transfers.standing_orders.events import order_created
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.states import ScheduleKind, StandingOrderStatus

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = 2_000
ACCOUNTS = 10
WORKERS = 3
KILLS = 8
BALANCE = 1_000_000


class Crew:
    """Workers at the same standing orders; whoever is killed is replaced."""

    def __init__(self) -> None:
        self._workers = [self._start() for _ in range(WORKERS)]

    def kill(self, number: int) -> None:
        """Kill a worker and put another in its place."""
        self._workers[number].kill()
        self._workers[number] = self._start()

    def go_on(self) -> bool:
        """Replace who has ended, as the schedule does each minute: what a killed one had locked was passed over."""
        self._workers = [self._start() if worker.is_dead else worker for worker in self._workers]
        return True

    def kill_all(self) -> None:
        """Leave none behind."""
        for worker in self._workers:
            worker.kill()

    def _start(self) -> Process:
        return Process(MANAGE, "run_standing_orders", settings="bank.settings", log=None)


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew()
    yield crew
    crew.kill_all()


@pytest.fixture
def accounts() -> list[Account]:
    """Accounts that pay each other, and 2,000 orders to do so that were due in the last weeks."""
    accounts = [make_account(balance=BALANCE) for _ in range(ACCOUNTS)]
    now = timezone.now()
    due_date = timezone.localdate(now) - timedelta(days=7)
    orders = [
        StandingOrder(
            id=uuid7(),
            client_id=accounts[number % ACCOUNTS].client_id,
            debtor_account=accounts[number % ACCOUNTS],
            creditor_account=accounts[(number + 1 + number // ACCOUNTS % 3) % ACCOUNTS],
            amount=1 + number % 7,
            currency="BRL",
            kind=ScheduleKind.ONCE,
            first_date=due_date,
            next_due_date=due_date,
            next_run_date=due_date,
            initiated_by_id=accounts[number % ACCOUNTS].client.user_id,
            created_at=now - timedelta(days=8),
        )
        for number in range(ORDERS)
    ]
    with transaction.atomic():
        StandingOrder.objects.bulk_create(orders)
        record_events(events=[order_created(order=order, now=order.created_at) for order in orders])
    return accounts


def test_each_order_is_carried_out_once_however_often_workers_are_killed(accounts: list[Account], crew: Crew) -> None:
    dice = random.Random(2026)  # noqa: S311 - no secret
    expected = expect_balances(accounts)

    for kill in range(1, KILLS + 1):
        enough = ORDERS * kill // (KILLS + 2) + dice.randrange(100)
        wait_until(lambda enough=enough: crew.go_on() and Run.objects.count() >= enough, what="runs")  # type: ignore[misc]
        crew.kill(dice.randrange(WORKERS))
    wait_until(lambda: crew.go_on() and Run.objects.count() >= ORDERS, what="all runs")

    assert Run.objects.count() == Transfer.objects.count() == ORDERS
    assert set(Run.objects.values_list("outcome", flat=True)) == {"completed"}
    assert not StandingOrder.objects.exclude(status=StandingOrderStatus.COMPLETED).exists()
    assert read_balances(accounts) == expected
    assert verify_ledger(since=None, on_progress=lambda progress: None) == []


def expect_balances(accounts: list[Account]) -> list[int]:
    """Return the balances that the accounts have once each order was carried out once."""
    balances = dict.fromkeys((account.pk for account in accounts), BALANCE)
    for order in StandingOrder.objects.all():
        balances[order.debtor_account_id] -= order.amount
        balances[order.creditor_account_id] += order.amount
    return list(balances.values())


def read_balances(accounts: list[Account]) -> list[int]:
    """Return the booked balances."""
    books = LedgerAccount.objects.in_bulk([account.pk for account in accounts])
    return [books[account.pk].balance for account in accounts]
