"""Antifraud of payments: what is rejected leaves no payment and a free key, but what was found and an alert."""

from functools import partial

import pytest

from accounts.models import Account
from accounts.services import block_account
from core.errors import BankError
from core.models import IdempotencyKey
from events.models import Event
from ledger.errors import AccountBlockedError, InsufficientFundsError
from ledger.models import Hold
from tests.antifraud.rulebook import REJECT_LISTED, put_in_force, rule
from tests.api.caller import Caller
from tests.factories import make_account, make_staff
from tests.payments.cashier import IBAN, NOW, make_order, order, prove, read_books
from tests.races.conftest import _many_connections  # noqa: F401 - a fixture
from tests.races.rivals import run_together
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.antifraud.models import Judgement
from transfers.antifraud.services import lift_listing, list_party
from transfers.antifraud.states import ListingEffect
from transfers.orders import TransferOrder
from transfers.payments.models import Payment
from transfers.payments.orders import OrderedPayment
from transfers.payments.services import order_payment
from transfers.services import submit_transfer
from transfers.states import TransferKind

pytestmark = pytest.mark.django_db


def make_listed_account(*, balance: int = 100) -> Account:
    """Make an account on the list of the blocked, which rejects."""
    put_in_force(REJECT_LISTED)
    account = make_account(balance=balance)
    list_party(party_id=account.pk, effect=ListingEffect.BLOCKED, reason="A test", actor=make_staff(), now=NOW)
    return account


def test_a_rejected_order_leaves_no_payment_but_what_was_found_and_an_alert() -> None:
    account = make_listed_account()

    with pytest.raises(RejectedByAntifraudError):
        order(account)

    judgement, alert = Judgement.objects.get(), Event.objects.get(type="fraud.suspected")
    assert (judgement.decision, judgement.findings[0]["rule"]) == ("reject", "listed")
    assert alert.key == judgement.pk
    assert alert.payload == {
        "account": str(account.pk),
        "client": str(account.client_id),
        "decision": "reject",
        "rules": ["listed"],
    }
    assert not Payment.objects.exists()
    assert not Hold.objects.exists()
    assert read_books(account) == (100, 100)


def test_its_key_stays_free_so_that_it_succeeds_once_nothing_speaks_against_it() -> None:
    account = make_listed_account()
    asked = make_order(account)
    with pytest.raises(RejectedByAntifraudError):
        order_payment(order=asked, now=NOW)
    assert not IdempotencyKey.objects.filter(key=asked.idempotency_key).exists()
    lift_listing(party_id=account.pk, effect=ListingEffect.BLOCKED, reason="A test", actor=make_staff(), now=NOW)

    assert not order_payment(order=asked, now=NOW).is_replayed


def test_a_payment_that_was_made_is_repeated_also_when_it_would_be_rejected_by_now() -> None:
    put_in_force(rule("velocity", action="reject", per_minute=1))
    asked = make_order(make_account(balance=100))
    first = order_payment(order=asked, now=NOW).payment

    again = order_payment(order=asked, now=NOW)

    assert (again.payment, again.is_replayed) == (first, True)


def test_a_blocked_account_is_refused_before_antifraud_is_asked() -> None:
    account = make_listed_account()
    block_account(account_id=account.pk, reason="A test", actor=None, now=NOW)

    with pytest.raises(AccountBlockedError):
        order(account)

    assert not Judgement.objects.exists()


def test_antifraud_is_asked_before_funds_are_looked_at() -> None:
    with pytest.raises(RejectedByAntifraudError):
        order(make_listed_account(balance=1))


def test_what_was_found_about_an_order_without_funds_goes_with_it() -> None:
    put_in_force(rule("velocity", mode="shadow", per_minute=1))
    account = make_account(balance=79)
    order(account)

    with pytest.raises(InsufficientFundsError):
        order(account)

    assert not Judgement.objects.exists()


def test_earlier_payments_and_earlier_transfers_count() -> None:
    put_in_force(rule("velocity", action="reject", per_hour=2))
    account = make_account(balance=1_000)
    order(account)
    withdrawal = TransferOrder(
        kind=TransferKind.WITHDRAWAL,
        debtor_account_id=account.pk,
        creditor_account_id=None,
        amount=1,
        currency="BRL",
        principal_id=account.client.user_id,
        idempotency_key="cash",
        client_id=account.client_id,
    )
    assert submit_transfer(order=withdrawal, now=NOW).transfer.status == "completed"

    with pytest.raises(RejectedByAntifraudError):
        order(account)


def test_a_rejected_payment_is_answered_422(api: Caller, source: Account) -> None:
    put_in_force(REJECT_LISTED)
    list_party(party_id=source.client_id, effect=ListingEffect.BLOCKED, reason="A test", actor=make_staff(), now=NOW)
    creditor = {"name": "Bruno Barbosa", "iban": IBAN}
    body = {"debtor_account": str(source.pk), "creditor": creditor, "amount": "10.50", "currency": "BRL"}

    answer = api.post("payments", body, key="rent")

    assert (answer.status, answer.code) == (422, "rejected_by_antifraud")


@pytest.mark.django_db(transaction=True)
def test_of_parallel_payments_no_more_pass_than_the_limit_lets() -> None:
    put_in_force(rule("velocity", action="reject", per_minute=3))
    account = make_account(balance=1_000)

    outcomes = run_together(*(partial(order_payment, order=make_order(account), now=NOW) for _ in range(8)))

    assert sum(isinstance(outcome, OrderedPayment) for outcome in outcomes) == 3
    assert {each.code for each in outcomes if isinstance(each, BankError)} == {"rejected_by_antifraud"}
    assert Event.objects.filter(type="fraud.suspected").count() == 5
    assert prove() == []
