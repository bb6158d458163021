"""`verify_ledger` finds a payment that disagrees with its hold, its entries, its review or its events."""

import pytest
from django.db import connection

from tests.antifraud.rulebook import put_in_force, rule
from tests.factories import make_account, make_staff
from tests.payments.cashier import NOW, complete, give_back, make_payment, prove, submit
from transfers.payments.reviews import accept_payment, reject_payment

pytestmark = pytest.mark.django_db(transaction=True)

WAYS = [(), (submit,), (submit, complete), (give_back,), (submit, complete, give_back)]


@pytest.fixture
def payments() -> None:
    """A payment that went each way there is."""
    account = make_account(balance=1_000)
    for way in WAYS:
        make_payment(account, *way)


@pytest.fixture
def reviews() -> None:
    """A payment that is in review, and two that were."""
    put_in_force(rule("velocity", per_hour=1))
    account = make_account(balance=1_000)
    _, *held = [make_payment(account) for _ in range(4)]
    for call, payment in zip((accept_payment, reject_payment), held, strict=False):
        call(payment_id=payment.pk, reason="Called", actor=make_staff(), now=NOW)


_SENT_IN_REVIEW = """
    INSERT INTO payments_submission (payment_id, uetr, status, attempts, failures, due_at, created_at)
    SELECT id, gen_random_uuid(), 'waiting', 0, 0, now(), now() FROM payments_payment WHERE status = 'in_review'
"""


@pytest.mark.parametrize(
    ("damage", "rule_of"),
    [
        (_SENT_IN_REVIEW, "what is in review, or was stopped there, has its review and is not sent; all else is"),
        (
            "DELETE FROM antifraud_review WHERE status = 'open'",
            "what is in review, or was stopped there, has its review and is not sent; all else is",
        ),
        (
            "UPDATE payments_payment SET status = 'held' WHERE status = 'in_review'",
            "a review says what became of its payment",
        ),
        (
            "UPDATE payments_payment SET failure_code = 'other' WHERE status = 'returned'",
            "a review says what became of its payment",
        ),
        ("DELETE FROM events_event WHERE type = 'payment.in_review'", "a review has its events (I6)"),
        ("DELETE FROM antifraud_judgement", "a review is judged, by another than who ordered it"),
    ],
)
def test_a_review_that_disagrees_with_its_payment_is_found(reviews: None, damage: str, rule_of: str) -> None:
    assert prove() == []

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(damage)
        cursor.execute("SET session_replication_role = origin")

    assert rule_of in {broken.rule for broken in prove()}


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
