"""Money in suspense: two people give it to another account of the same client, once."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account
from core.errors import BankError
from events.models import Event
from ledger.chart import SUSPENSE
from ledger.errors import AccountInactiveError, AccountNotFoundError, CurrencyMismatchError
from ledger.models import JournalEntry
from tests.factories import make_account
from tests.payments.cashier import NOW, complete, give_back, make_payment, prove, read_books, read_own, submit
from tests.payments.suspense import ask, keep_in_suspense, pay_out
from transfers.payments.errors import NothingKeptError
from transfers.payments.models import Payout

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_money_in_suspense_goes_to_another_account_of_its_client() -> None:
    payment, other = keep_in_suspense()
    assert read_own(SUSPENSE) == -40

    approval = pay_out(payment, other)

    payout = Payout.objects.get()
    assert (payout.payment, payout.account, payout.approval_id) == (payment, other, approval.pk)
    assert (read_own(SUSPENSE), read_books(other)) == (0, (40, 40))
    assert Event.objects.get(type="payment.paid_out").payload["entry"] == str(payout.entry_id)
    assert prove() == []


def test_it_goes_there_once() -> None:
    payment, other = keep_in_suspense()
    pay_out(payment, other)

    with pytest.raises(NothingKeptError):
        ask(payment, other)


def test_what_the_bank_does_not_keep_is_not_paid_out() -> None:
    account = make_account(balance=40)
    returned = make_payment(account, submit, complete, give_back)

    with pytest.raises(NothingKeptError):
        ask(returned, account)


def test_it_goes_to_nobody_else_and_not_back_to_a_closed_account() -> None:
    payment, other = keep_in_suspense()
    foreign = make_account(client=other.client, currency="USD")
    cases: list[tuple[Account, type[BankError]]] = [
        (make_account(), AccountNotFoundError),
        (foreign, CurrencyMismatchError),
        (payment.debtor_account, AccountInactiveError),
    ]

    for account, refusal in cases:
        with pytest.raises(refusal):
            ask(payment, account)


def test_postgresql_lets_nothing_out_of_suspense_without_its_approval() -> None:
    payment, other = keep_in_suspense()
    approval = ask(payment, other)
    entry = JournalEntry.objects.latest("booked_at")

    with pytest.raises(IntegrityError, match="without its approval"), transaction.atomic():
        Payout.objects.create(payment=payment, account=other, approval=approval, entry=entry, paid_at=NOW)
