"""Standing orders and their rivals: what is cancelled is not carried out, what is closed is not debited."""

import io
from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.errors import TransactionInProgressError
from accounts.models import Account
from accounts.services import inactivate_account
from ledger.models import LedgerAccount
from tests.factories import make_account
from tests.races.conftest import _many_connections  # noqa: F401 - a fixture
from tests.races.rivals import locked_elsewhere, run_together, start_until_blocked
from tests.standing_orders.orders import NOW, carry_out, give, list_runs, once, weekly
from transfers.models import Transfer
from transfers.standing_orders.locks import lock_due_orders, lock_order
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.runs import Ran
from transfers.standing_orders.services import cancel_standing_order
from transfers.standing_orders.states import StandingOrderStatus

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(order: StandingOrder) -> StandingOrder:
    """Call the order off."""
    return cancel_standing_order(order_id=order.pk, client_id=order.client_id, now=NOW)


def test_several_workers_at_once_carry_each_order_out_once() -> None:
    debtor, creditor = make_account(balance=10_000), make_account()
    orders = [give(debtor, creditor) for _ in range(250)]

    outcomes = run_together(*[carry_out] * 4)

    assert sum(outcome.done for outcome in outcomes if isinstance(outcome, Ran)) == 250
    assert Run.objects.count() == Transfer.objects.count() == len(orders)
    assert LedgerAccount.objects.get(pk=creditor.pk).balance == 2_500


def test_a_worker_passes_over_what_another_has_locked() -> None:
    debtor, creditor = make_account(balance=100), make_account()
    first, second = give(debtor, creditor), give(debtor, creditor)

    def lock(account_ids: object) -> None:
        lock_order(order_id=first.pk, client_id=first.client_id)

    with locked_elsewhere(by=lock):
        assert carry_out().done == 1

    assert (len(list_runs(first)), len(list_runs(second))) == (0, 1)
    assert carry_out().done == 1


@pytest.mark.parametrize("attempt", range(10))
def test_an_order_that_is_cancelled_and_carried_out_at_once_does_either(attempt: int) -> None:
    order = give(make_account(balance=100), make_account(), weekly())

    run_together(carry_out, lambda: cancel(order))
    before = list_runs(order)
    carry_out()

    assert list_runs(order) == before, "after it was cancelled, nothing is carried out"
    assert StandingOrder.objects.get().status == StandingOrderStatus.CANCELLED
    assert Transfer.objects.count() == len(before)


def test_cancelling_waits_for_a_run_and_then_stops_the_next() -> None:
    order = give(make_account(balance=100), make_account(), weekly())

    with transaction.atomic():
        assert lock_due_orders(today=order.first_date, limit=1)
        get_outcome = start_until_blocked(lambda: cancel(order))

    assert isinstance(get_outcome(), StandingOrder)
    assert carry_out().done == 0


@pytest.mark.parametrize("attempt", range(10))
def test_inactivation_and_a_run_at_once_lose_no_money(attempt: int) -> None:
    debtor, creditor = make_account(balance=10), make_account()
    order = give(debtor, creditor)

    _, closed = run_together(
        carry_out, lambda: inactivate_account(account_id=creditor.pk, reason="Moved", actor=None, now=NOW)
    )

    balances = [LedgerAccount.objects.get(pk=account.pk).balance for account in (debtor, creditor)]
    if isinstance(closed, Account):
        assert balances == [10, 0]
        assert list_runs(order)[0][1:] == ("refused", "account_inactive")
    else:
        assert balances == [0, 10]


def test_a_busy_account_holds_up_its_own_order_only_and_only_for_now(settings: Settings) -> None:
    settings.LOCK_TIMEOUT_MS = 200
    busy, creditor = make_account(balance=100), make_account()
    waiting = give(busy, creditor)
    others = [give(make_account(balance=100), make_account()) for _ in range(3)]

    with locked_elsewhere(busy.pk):
        assert carry_out() == Ran(done=3, busy=1)

    assert [len(list_runs(order)) for order in (waiting, *others)] == [0, 1, 1, 1]
    assert carry_out() == Ran(done=1, busy=0)


def test_a_busy_account_costs_the_lock_timeout_once_however_many_orders_it_has(settings: Settings) -> None:
    settings.LOCK_TIMEOUT_MS = 200
    busy, creditor = make_account(balance=100), make_account()
    for debtor in [busy] * 5 + [make_account(balance=100)]:
        give(debtor, creditor)
    moments: list[datetime] = []

    def clock() -> datetime:
        moments.append(NOW)
        return NOW

    with locked_elsewhere(busy.pk):
        assert carry_out(clock=clock) == Ran(done=1, busy=5)

    assert len(moments) == 5, "to count; all; one of the busy account; the other; nothing is left"
    assert carry_out() == Ran(done=5)


def test_inactivation_is_refused_while_a_run_moves_the_money() -> None:
    account = make_account(balance=10)
    give(account, make_account())

    with locked_elsewhere(account.pk), pytest.raises(TransactionInProgressError):
        inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW)


def test_the_command_does_what_the_schedule_does_and_says_so() -> None:
    now, output = timezone.now(), io.StringIO()
    today = timezone.localdate(now)
    order = give(make_account(balance=100), make_account(), once(today), now=now)
    StandingOrder.objects.filter(pk=order.pk).update(next_run_date=today)  # also at a weekend

    call_command("run_standing_orders", stdout=output)

    assert output.getvalue().strip() == "1 due dates were carried out."
    assert len(list_runs(order)) == 1
    connection.close()
