"""`verify_ledger` finds a payment that disagrees with its hold, its entries or its events."""

import pytest
from django.db import connection

from tests.factories import make_account
from tests.payments.cashier import complete, give_back, make_payment, prove, submit

pytestmark = pytest.mark.django_db(transaction=True)

WAYS = [(), (submit,), (submit, complete), (give_back,), (submit, complete, give_back)]


@pytest.fixture
def payments() -> None:
    """A payment that went each way there is."""
    account = make_account(balance=1_000)
    for way in WAYS:
        make_payment(account, *way)


def test_payments_of_all_ways_agree_with_the_books(payments: None) -> None:
    assert prove() == []


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("UPDATE payments_payment SET amount = 41", "held, settled and returned are what was initiated"),
        ("UPDATE payments_payment SET amount = 41", "a completed payment is posted as it says"),
        ("UPDATE payments_payment SET amount = 41", "what came back of a completed payment was taken from settlement"),
        (
            "UPDATE ledger_hold SET status = 'expired', ended_at = now() WHERE status = 'open'",
            "a payment's hold says what became of it",
        ),
        (
            "DELETE FROM events_event WHERE type = 'payment.returned'",
            "a payment has one event for each of its steps (I6)",
        ),
    ],
)
def test_damage_is_found(payments: None, damage: str, rule: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(damage)
        cursor.execute("SET session_replication_role = origin")

    assert rule in {broken.rule for broken in prove()}
