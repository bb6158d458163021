"""`verify_ledger` finds standing orders that disagree with their runs or events; `/metrics` shows how late they are."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ledger.verification import verify_ledger
from tests.events.test_lag import _forget, scrape  # noqa: F401 - a fixture
from tests.factories import make_account
from tests.standing_orders.orders import TODAY, carry_out, give, monthly, once, weekly
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.selectors import DueOrders, measure_due_orders
from transfers.standing_orders.services import cancel_standing_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def orders() -> None:
    """Orders of all schedules and ends: some under way, one done, one failed, one cancelled, one all over."""
    debtor, creditor = make_account(balance=100), make_account()
    give(debtor, creditor, once())
    give(debtor, creditor, weekly())
    give(debtor, creditor, weekly(TODAY, TODAY + timedelta(days=10)))
    give(debtor, creditor, monthly(31, TODAY))
    give(make_account(), creditor, monthly(5))
    carry_out(TODAY + timedelta(days=31))
    cancelled = give(debtor, creditor, weekly())
    cancel_standing_order(order_id=cancelled.pk, client_id=cancelled.client_id, now=timezone.now())


def find() -> set[str]:
    """Return the rules that are broken."""
    return {broken.rule for broken in verify_ledger(since=None, on_progress=lambda progress: None)}


def test_orders_of_all_kinds_agree(orders: None) -> None:
    assert find() == set()


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("DELETE FROM standing_orders_run WHERE due_date = '2026-03-09'", "each due date that is past has its run"),
        ("DELETE FROM standing_orders_run WHERE due_date = '2026-03-31'", "each due date that is past has its run"),
        (
            "UPDATE standing_orders_run SET due_date = due_date + 1 WHERE due_date = '2026-03-09'",
            "each run is of a due date that is past",
        ),
        (
            "UPDATE standing_orders_standingorder SET next_due_date = first_date WHERE status = 'active'",
            "each run is of a due date that is past",
        ),
        ("UPDATE transfers_transfer SET amount = 11", "a run's transfer is what its order says"),
        ("UPDATE standing_orders_run SET outcome = 'failed', code = 'x'", "a run's transfer is what its order says"),
        ("DELETE FROM transfers_transfer", "a run's transfer is what its order says"),
        (
            "DELETE FROM events_event WHERE type = 'standing_order.cancelled'",
            "a standing order has its events (I6)",
        ),
    ],
)
def test_damage_is_found(orders: None, damage: str, rule: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(damage)
        cursor.execute("SET session_replication_role = origin")

    assert rule in find()


def test_the_lag_is_measured_from_the_day_on_which_the_oldest_was_to_be_carried_out() -> None:
    debtor, creditor = make_account(), make_account()
    give(debtor, creditor, once(TODAY + timedelta(days=5)))  # a Saturday, to be carried out on Monday
    give(debtor, creditor, once(TODAY + timedelta(days=8)))

    assert measure_due_orders(today=TODAY + timedelta(days=6)) == DueOrders(orders=0, days_late=0)
    assert measure_due_orders(today=TODAY + timedelta(days=8)) == DueOrders(orders=2, days_late=1)


def test_prometheus_is_shown_the_lag() -> None:
    order = give(make_account(), make_account())
    StandingOrder.objects.filter(pk=order.pk).update(next_run_date=timezone.localdate() - timedelta(days=2))

    shown = scrape()

    assert (shown["bank_standing_orders_due"], shown["bank_standing_orders_days_late"]) == (1, 2)
