"""An order that fails as nobody foresaw holds up no other, waits, and is told of."""

import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from accounts.models import Account
from tests.factories import make_account
from tests.standing_orders.orders import TODAY, carry_out, give, list_runs, once, weekly
from transfers.models import Transfer
from transfers.standing_orders import calendars, runs
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.runs import Ran

pytestmark = pytest.mark.django_db

Break = Callable[[], None]


@pytest.fixture
def break_calendar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Break]:
    """Return what breaks the calendar of pounds: no next business day can be found for an order in them."""

    def fail(year: int) -> frozenset[date]:
        raise LookupError(f"no holidays of {year}")

    def do_break() -> None:
        monkeypatch.setitem(calendars.HOLIDAYS, "GBP", fail)
        calendars._list_holidays.cache_clear()

    yield do_break
    calendars._list_holidays.cache_clear()


def give_pounds() -> StandingOrder:
    """Give an order that needs the calendar of pounds when it is carried out."""
    pay, take = (make_account(currency="GBP", balance=balance) for balance in (100, 0))
    return give(pay, take, weekly(), currency="GBP")


def give_reals(debtor: Account | None = None) -> StandingOrder:
    """Give an order that nothing stops."""
    return give(debtor or make_account(balance=100), make_account())


def test_the_one_that_fails_waits_and_the_rest_is_carried_out(
    break_calendar: Break, caplog: pytest.LogCaptureFixture
) -> None:
    orders = [give_reals(), give_pounds(), give_reals()]
    break_calendar()

    assert carry_out() == Ran(done=2, failed=1)

    assert [len(list_runs(order)) for order in orders] == [1, 0, 1]
    assert Transfer.objects.count() == 2, "what failed moved nothing"
    assert [record.levelname for record in caplog.records if str(orders[1].pk) in record.getMessage()] == ["ERROR"]


def test_it_is_tried_again_and_carried_out_once_its_fault_is_mended(
    break_calendar: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = give_pounds()
    break_calendar()
    assert [carry_out().failed for _ in range(2)] == [1, 1]

    monkeypatch.undo()
    calendars._list_holidays.cache_clear()

    assert carry_out() == Ran(done=1)
    assert list_runs(order) == [(TODAY, "completed", "")]


def test_the_command_ends_in_an_error_when_an_order_failed(break_calendar: Break) -> None:
    order = give_pounds()
    StandingOrder.objects.filter(pk=order.pk).update(next_run_date=TODAY + timedelta(days=1))
    break_calendar()

    with pytest.raises(CommandError, match="1 orders failed"):
        call_command("run_standing_orders", stdout=io.StringIO())


def test_a_database_that_is_away_ends_the_task_and_blames_no_order(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    give(make_account(balance=100), make_account(), once())

    def vanish(**asked: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(runs, "submit_in_transaction", vanish)

    with pytest.raises(OperationalError):
        carry_out()
    assert not [record for record in caplog.records if record.name == runs.__name__]
