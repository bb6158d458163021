"""Payments and their rivals: one order under a key, one end of a payment, no inactivation in between."""

import pytest

from accounts.errors import AccountHasBalanceError, TransactionInProgressError
from accounts.models import Account
from accounts.services import inactivate_account
from core.errors import BankError
from ledger.chart import SETTLEMENT, SUSPENSE
from tests.factories import make_account
from tests.payments.cashier import (
    NOW,
    complete,
    give_back,
    make_order,
    make_payment,
    order,
    prove,
    read_books,
    read_own,
    submit,
)
from tests.proof import find_faults
from tests.races.conftest import _many_connections  # noqa: F401 - a fixture
from tests.races.rivals import run_together
from transfers.payments.models import Payment
from transfers.payments.orders import OrderedPayment
from transfers.payments.services import order_payment
from transfers.payments.states import PaymentStatus

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_twenty_orders_under_one_key_one_makes_a_payment() -> None:
    account = make_account(balance=1_000)
    asked = make_order(account)

    outcomes = run_together(*[lambda: order_payment(order=asked, now=NOW)] * 20)

    made = [outcome for outcome in outcomes if isinstance(outcome, OrderedPayment)]
    assert [each.is_replayed for each in made].count(False) == 1
    assert {outcome.code for outcome in outcomes if isinstance(outcome, BankError)} <= {"idempotency_key_in_use"}
    assert read_books(account) == (1_000, 960)


def test_of_many_orders_of_all_the_money_one_is_taken() -> None:
    account = make_account(balance=40)

    outcomes = run_together(*[lambda: order(account)] * 20)

    assert sum(isinstance(outcome, OrderedPayment) for outcome in outcomes) == 1
    assert read_books(account) == (40, 0)


@pytest.mark.parametrize("attempt", range(5))
def test_a_payment_that_is_completed_and_returned_at_once_ends_once(attempt: int) -> None:
    account = make_account(balance=100)
    payment = make_payment(account, submit)

    run_together(*[lambda: complete(payment.id), lambda: give_back(payment.id)] * 5)

    assert Payment.objects.get().status == PaymentStatus.RETURNED  # of both orders, the return is legal in each
    assert read_books(account) == (100, 100)
    assert read_own(SETTLEMENT) == 0
    assert prove() == []


@pytest.mark.parametrize("attempt", range(5))
def test_completing_many_payments_of_many_accounts_at_once_does_not_deadlock(attempt: int) -> None:
    payments = [make_payment(make_account(balance=100), submit) for _ in range(10)]

    outcomes = run_together(*[lambda payment=payment: complete(payment.id) for payment in payments])

    assert {outcome.status for outcome in outcomes if isinstance(outcome, Payment)} == {PaymentStatus.COMPLETED}
    assert len(outcomes) == 10
    assert read_own(SETTLEMENT) == -400


@pytest.mark.parametrize("attempt", range(5))
def test_inactivation_and_the_end_of_a_payment_at_once(attempt: int) -> None:
    account = make_account(balance=40)
    payment = make_payment(account, submit)

    done, closed = run_together(
        lambda: complete(payment.id),
        lambda: inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW),
    )

    assert isinstance(done, Payment)
    assert isinstance(closed, Account | TransactionInProgressError)
    assert read_books(account) == (0, 0)


@pytest.mark.parametrize("attempt", range(5))
def test_a_return_and_an_inactivation_at_once_leave_no_money_on_a_closed_account(attempt: int) -> None:
    account = make_account(balance=40)
    payment = make_payment(account, submit, complete)

    returned, closed = run_together(
        lambda: give_back(payment.id),
        lambda: inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW),
    )

    assert isinstance(returned, Payment)
    is_closed = isinstance(closed, Account)
    assert is_closed or isinstance(closed, TransactionInProgressError | AccountHasBalanceError)
    assert (read_books(account)[0], read_own(SUSPENSE)) == ((0, -40) if is_closed else (40, 0))
    assert prove() == []
    assert find_faults() == []
