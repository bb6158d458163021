"""A payment's way: its money is held, then at the other bank or back, and PostgreSQL refuses all else."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import TransactionInProgressError
from accounts.services import block_account, inactivate_account
from core.errors import IdempotencyKeyReusedError, InvalidInputError
from core.ids import uuid7
from core.models import IdempotencyKey
from events.models import Event
from events.topics import fan_out
from ledger.chart import SETTLEMENT, SUSPENSE
from ledger.errors import (
    AccountBlockedError,
    AccountInactiveError,
    AccountNotFoundError,
    CurrencyMismatchError,
    InsufficientFundsError,
)
from ledger.holds import expire_holds
from ledger.models import Hold, JournalEntry
from ledger.states import HoldStatus
from tests.factories import make_account, make_blocked_account, make_inactive_account, pay_in, pay_out
from tests.payments.cashier import (
    IBAN,
    NOW,
    complete,
    give_back,
    make_order,
    make_payment,
    order,
    read_books,
    read_own,
    submit,
)
from transfers.payments.creditors import Creditor
from transfers.payments.errors import PaymentNotFoundError, PaymentStepError
from transfers.payments.models import Payment
from transfers.payments.services import order_payment
from transfers.payments.states import PAYMENT_TRANSITIONS, PaymentStatus

pytestmark = pytest.mark.django_db

Step = Callable[..., Payment]

LATER = NOW + timedelta(seconds=1)

WAYS: dict[PaymentStatus, tuple[Step, ...]] = {
    PaymentStatus.HELD: (),
    PaymentStatus.SUBMITTED: (submit,),
    PaymentStatus.COMPLETED: (submit, complete),
    PaymentStatus.RETURNED: (give_back,),
}
STEPS: dict[PaymentStatus, Step] = {
    PaymentStatus.SUBMITTED: submit,
    PaymentStatus.COMPLETED: complete,
    PaymentStatus.RETURNED: give_back,
}


def test_an_order_holds_the_amount_and_moves_nothing() -> None:
    account = make_account(balance=100)

    payment = make_payment(account)

    assert payment.status == PaymentStatus.HELD
    assert (payment.hold.amount, payment.hold.reference) == (40, payment.id)
    assert read_books(account) == (100, 60)


def test_a_completed_payment_has_left_for_the_settlement_account() -> None:
    account = make_account(balance=100)

    payment = make_payment(account, submit, complete)

    assert (payment.status, payment.completed_at) == (PaymentStatus.COMPLETED, NOW)
    assert read_books(account) == (60, 60)
    assert read_own(SETTLEMENT) == -40


@pytest.mark.parametrize("way", [(), (submit,), (submit, complete)])
def test_a_returned_payment_leaves_the_account_as_it_was(way: tuple[Step, ...]) -> None:
    account = make_account(balance=100)

    payment = make_payment(account, *way, give_back)

    assert (payment.status, payment.failure_code) == (PaymentStatus.RETURNED, "account_unknown")
    assert read_books(account) == (100, 100)
    assert read_own(SETTLEMENT) == 0


def test_what_returns_for_a_closed_account_is_put_into_suspense() -> None:
    account = make_account(balance=40)
    payment = make_payment(account, submit, complete)
    inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW)

    give_back(payment.id)

    assert read_books(account) == (0, 0)
    assert (read_own(SETTLEMENT), read_own(SUSPENSE)) == (0, -40)
    assert tell(Event.objects.latest("seq"))[0]["outcome"] == "kept"


def test_a_blocked_account_keeps_a_payment_where_it_is_until_it_is_freed() -> None:
    account = make_account(balance=100)
    sent, done = make_payment(account, submit), make_payment(account, submit, complete)
    block_account(account_id=account.pk, reason="Fraud", actor=None, now=NOW)

    for step, payment in ((complete, sent), (give_back, done)):
        with pytest.raises(AccountBlockedError):
            step(payment.id)

    assert Payment.objects.get(pk=sent.pk).status == PaymentStatus.SUBMITTED
    assert Payment.objects.get(pk=done.pk).status == PaymentStatus.COMPLETED


def test_the_hold_of_a_blocked_account_can_be_released() -> None:
    account = make_account(balance=100)
    payment = make_payment(account)
    block_account(account_id=account.pk, reason="Fraud", actor=None, now=NOW)

    give_back(payment.id)

    assert read_books(account) == (100, 100)


@pytest.mark.parametrize("start", WAYS)
@pytest.mark.parametrize("end", STEPS)
def test_a_step_is_taken_only_where_the_table_leads(start: PaymentStatus, end: PaymentStatus) -> None:
    payment = make_payment(make_account(balance=100), *WAYS[start])
    events = Event.objects.count()

    if end == start:
        assert STEPS[end](payment.id).status == start
        assert Event.objects.count() == events, "a repetition has no effect"
    elif end in PAYMENT_TRANSITIONS[start]:
        assert STEPS[end](payment.id).status == end
    else:
        with pytest.raises(PaymentStepError):
            STEPS[end](payment.id)


def test_a_repeated_return_keeps_the_first_reason() -> None:
    payment = make_payment(make_account(balance=100), give_back)

    assert give_back(payment.id, "another").failure_code == "account_unknown"


@pytest.mark.parametrize("step", STEPS.values())
def test_a_payment_that_is_not_there_takes_no_step(step: Step) -> None:
    with pytest.raises(PaymentNotFoundError):
        step(uuid7())


@pytest.mark.parametrize("reason", ["", "Account closed", "a" * 33, "é"])
def test_a_reason_is_a_code(reason: str) -> None:
    with pytest.raises(InvalidInputError):
        give_back(uuid7(), reason)


CHANGES: list[dict[str, Any]] = [
    {"status": "completed"},
    {"status": "submitted"},
    {"amount": 41},
    {"creditor_bank": "341"},
    {"created_at": NOW},
    {"submitted_at": NOW},
    {"completed_at": NOW},
    {"status": "returned", "returned_at": NOW},
    {"status": "returned", "failure_code": "x"},
]


@pytest.mark.parametrize("change", CHANGES)
def test_postgresql_refuses_what_the_services_would_not_do(change: dict[str, Any]) -> None:
    payment = make_payment(make_account(balance=100))

    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**change)


@pytest.mark.parametrize("change", [{"failure_code": "other"}, {"status": "held"}, {"settlement_id": None}])
def test_postgresql_lets_nobody_change_how_a_payment_ended(change: dict[str, Any]) -> None:
    payment = make_payment(make_account(balance=100), submit, complete, give_back)

    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"submitted_at": LATER},
        {"completed_at": LATER},
        {"status": "returned", "returned_at": NOW, "failure_code": "x", "completed_at": None, "settlement_id": None},
    ],
)
def test_postgresql_lets_nobody_undo_that_a_payment_was_completed(change: dict[str, Any]) -> None:
    payment = make_payment(make_account(balance=100), submit, complete)

    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**change)


def test_a_payments_funds_are_held_for_as_long_as_it_takes() -> None:
    account = make_account(balance=100)
    make_payment(account)

    expire_holds(now=NOW + timedelta(days=36_500))

    assert read_books(account) == (100, 60)


def test_postgresql_lets_no_payment_be_deleted() -> None:
    make_payment(make_account(balance=100))

    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.all().delete()


def test_an_account_with_a_payment_under_way_cannot_be_inactivated() -> None:
    account = make_account(balance=40)
    payment = make_payment(account, submit)

    with pytest.raises(TransactionInProgressError):
        inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW)
    complete(payment.id)

    inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW)


def test_a_repeated_order_makes_one_payment() -> None:
    asked = make_order(make_account(balance=100))

    first, second = (order_payment(order=asked, now=NOW) for _ in range(2))

    assert (first.is_replayed, second.is_replayed) == (False, True)
    assert first.payment == second.payment
    assert Hold.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 41},
        {"currency": "USD"},
        {"remittance_information": ""},
        {"debtor_account_id": uuid7()},
        {"creditor": Creditor(name="Carla Costa", iban=IBAN)},
        {"creditor": Creditor(name="Bruno Barbosa", iban="GB29NWBK60161331926819")},
    ],
)
def test_another_order_under_the_key_is_refused(change: dict[str, Any]) -> None:
    asked = make_order(make_account(balance=100))
    order_payment(order=asked, now=NOW)

    with pytest.raises(IdempotencyKeyReusedError):
        order_payment(order=asked._replace(**change), now=NOW)


def test_a_refused_order_leaves_nothing_behind_and_its_key_free() -> None:
    account = make_account(balance=39)
    asked = make_order(account)

    with pytest.raises(InsufficientFundsError):
        order_payment(order=asked, now=NOW)

    assert not Payment.objects.exists()
    assert not IdempotencyKey.objects.exists()
    pay_in(account_id=account.pk, amount=1)
    assert order_payment(order=asked, now=NOW).payment.status == PaymentStatus.HELD


def test_refuses_in_the_order_of_the_contract() -> None:
    blocked, inactive, own = make_blocked_account(balance=10), make_inactive_account(), make_account(balance=100)

    with pytest.raises(AccountNotFoundError):
        order(own, debtor_account_id=blocked.pk, currency="USD")
    with pytest.raises(AccountNotFoundError):
        order(own, debtor_account_id=uuid7())
    with pytest.raises(CurrencyMismatchError):
        order(blocked, currency="USD")
    with pytest.raises(AccountBlockedError):
        order(blocked)
    with pytest.raises(AccountInactiveError):
        order(inactive)
    with pytest.raises(InsufficientFundsError):
        order(own, amount=101)


def test_a_held_amount_cannot_be_spent_twice() -> None:
    account = make_account(balance=100)
    make_payment(account)

    with pytest.raises(InsufficientFundsError):
        order(account, amount=61)
    with pytest.raises(InsufficientFundsError):
        pay_out(account_id=account.pk, amount=61)


def test_no_event_tells_who_is_paid() -> None:
    make_payment(make_account(balance=100), submit, complete, give_back)

    told = " ".join(str(event) for event in Event.objects.values_list("payload", flat=True)).lower()

    assert "payment.returned" in Event.objects.values_list("type", flat=True)
    for canary in ("bruno", "370400440532013000", "rent"):
        assert canary not in told


def test_who_is_paid_is_encrypted_at_rest() -> None:
    payment = make_payment(make_account(balance=100))

    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT row_to_json(p)::text, encode(p.creditor_name, 'escape') FROM payments_payment p")
        row, name = cursor.fetchone()

    assert "Bruno" not in row + name
    assert "DE8937" not in row
    assert Payment.objects.get(pk=payment.pk).creditor_name == "Bruno Barbosa"


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ((), []),
        ((submit,), []),
        ((submit, complete), [("settled", "")]),
        ((submit, complete, give_back), [("settled", ""), ("returned", "account_unknown")]),
        ((give_back,), [("returned", "account_unknown")]),
    ],
)
def test_kafka_is_told_how_a_payment_ended(way: tuple[Step, ...], told: list[tuple[str, str]]) -> None:
    account = make_account(balance=100)
    payment = make_payment(account, *way)

    messages = [each for event in Event.objects.filter(key=payment.pk).order_by("seq") for each in tell(event)]

    assert [(each["outcome"], each["failure_code"]) for each in messages] == told
    assert {each["account"] for each in messages} <= {str(account.pk)}


def tell(event: Event) -> list[dict[str, Any]]:
    """Return the data of the messages that tell `event`."""
    return [json.loads(bytes(message.data)) for message in fan_out(event)]


def test_each_step_has_its_entry_and_its_hold() -> None:
    payment = make_payment(make_account(balance=100), submit, complete, give_back)

    assert payment.settlement is not None
    assert payment.settlement.code == "payment"
    assert JournalEntry.objects.get(reversal_of=payment.settlement) == payment.return_entry
    assert Hold.objects.get(pk=payment.hold_id).status == HoldStatus.CAPTURED
