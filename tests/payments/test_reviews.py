"""Payments in review: not sent and not lost, whoever decides, and however many decide at once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import TransactionInProgressError
from accounts.models import Account
from accounts.services import block_account, inactivate_account
from core.errors import BankError
from core.models import User
from events.models import Event
from ledger.errors import AccountBlockedError, InsufficientFundsError
from ledger.models import Hold
from notifications.models import Notification
from tests.antifraud.rulebook import put_in_force, rule
from tests.api.caller import Caller
from tests.events.delivery import deliver_all
from tests.factories import make_account, make_staff
from tests.payments.cashier import IBAN, NOW, complete, give_back, make_order, order, prove, read_books, submit
from tests.races.conftest import _many_connections  # noqa: F401 - a fixture
from tests.races.rivals import run_together
from transfers.antifraud.errors import OwnTransferError, ReviewNotFoundError, ReviewNotOpenError
from transfers.antifraud.models import Judgement, Review
from transfers.antifraud.reviews import accept_transfer, expire_reviews
from transfers.payments.errors import PaymentNotFoundError, PaymentStepError
from transfers.payments.models import Payment, Submission
from transfers.payments.reviews import accept_payment, reject_payment
from transfers.payments.services import order_payment
from transfers.payments.states import PaymentStatus

LATER = NOW + timedelta(hours=1)
OVER = NOW + timedelta(days=7)
"""When nobody has decided in time."""

Decide = Callable[..., Payment]

pytestmark = pytest.mark.django_db


def hold_in_review(account: Account | None = None) -> Payment:
    """Order the second payment of an hour, of 40, which the rules do not let pass."""
    put_in_force(rule("velocity", per_hour=1))
    account = account or make_account(balance=80)
    order(account)
    return order(account).payment


def decide(call: Decide, payment: Payment, *, actor: User | None = None) -> Payment:
    """Decide about it, as somebody of the staff."""
    return call(payment_id=payment.pk, reason="Called", actor=actor or make_staff(), now=LATER)


def test_a_payment_in_review_holds_its_money_and_is_not_sent() -> None:
    payment = hold_in_review()

    review = Review.objects.get()
    assert (payment.status, review.payment_id, review.transfer_id, review.hold_id) == (
        "in_review",
        payment.pk,
        None,
        payment.hold_id,
    )
    assert (review.pk, review.status, Judgement.objects.get().decision) == (payment.pk, "open", "review")
    assert read_books(payment.debtor_account) == (80, 0)
    assert not Submission.objects.filter(payment=payment).exists()


def test_staff_are_alerted_of_it() -> None:
    payment = hold_in_review()

    events = Event.objects.filter(key=payment.pk).order_by("seq")
    assert sorted(event.type for event in events) == ["fraud.suspected", "payment.in_review"]
    assert events.get(type="fraud.suspected").payload["decision"] == "review"


def test_postgresql_refuses_to_send_a_payment_in_review() -> None:
    payment = hold_in_review()

    with pytest.raises(IntegrityError, match="in review is not sent"), transaction.atomic():
        Submission.objects.create(payment=payment, due_at=NOW, created_at=NOW)


@pytest.mark.parametrize("step", [submit, complete, give_back])
def test_what_the_rail_might_say_of_a_payment_in_review_is_refused(step: Callable[..., object]) -> None:
    payment = hold_in_review()

    with pytest.raises(PaymentStepError):
        step(payment.pk)

    assert Review.objects.get().status == "open"


def test_without_the_funds_nothing_is_in_review() -> None:
    with pytest.raises(InsufficientFundsError):
        hold_in_review(make_account(balance=79))

    assert not Review.objects.exists()
    assert not Judgement.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestDecided:
    """What a decision brings."""

    def test_an_accepted_payment_goes_to_the_rail(self) -> None:
        payment, staff = hold_in_review(), make_staff()

        decide(accept_payment, payment, actor=staff)

        payment.refresh_from_db()
        review, submission = Review.objects.get(), Submission.objects.get(payment=payment)
        assert (payment.status, submission.status, submission.due_at) == ("held", "waiting", LATER)
        assert (review.status, review.decided_by, review.decided_at, review.reason) == (
            "accepted",
            staff,
            LATER,
            "Called",
        )
        assert read_books(payment.debtor_account) == (80, 0)
        assert prove() == []

    def test_a_rejected_payment_gives_its_money_back_and_is_never_sent(self) -> None:
        payment = hold_in_review()

        decide(reject_payment, payment)

        payment.refresh_from_db()
        assert (payment.status, payment.failure_code, payment.returned_at) == (
            "returned",
            "rejected_by_antifraud",
            LATER,
        )
        assert Review.objects.get().status == "rejected"
        assert read_books(payment.debtor_account) == (80, 40)
        assert not Submission.objects.filter(payment=payment).exists()
        assert prove() == []

    def test_a_payment_that_nobody_decides_about_comes_back(self) -> None:
        payment = hold_in_review()

        assert expire_reviews(now=OVER - timedelta(microseconds=1)) == 0
        assert expire_reviews(now=OVER) == 1
        assert expire_reviews(now=OVER) == 0

        payment.refresh_from_db()
        assert (payment.status, payment.failure_code) == ("returned", "review_expired")
        assert (Review.objects.get().status, Review.objects.get().decided_by) == ("expired", None)
        assert prove() == []

    @pytest.mark.parametrize(
        ("call", "told"),
        [
            (accept_payment, ["payment.held", "fraud.reviewed"]),
            (reject_payment, ["hold.released", "payment.returned", "fraud.reviewed"]),
        ],
    )
    def test_a_decision_is_told_in_its_own_transaction(self, call: Decide, told: list[str]) -> None:
        payment = hold_in_review()
        before = Event.objects.latest("seq").seq

        decide(call, payment)

        assert [event.type for event in Event.objects.filter(seq__gt=before).order_by("seq")] == told

    def test_the_client_of_a_rejected_payment_is_told_why(self) -> None:
        payment = hold_in_review()

        decide(reject_payment, payment)
        deliver_all(group="notifications")

        told = Notification.objects.get(client=payment.client, kind="payment_returned")
        assert told.facts["failure_code"] == "rejected_by_antifraud"

    @pytest.mark.parametrize("first", [accept_payment, reject_payment])
    @pytest.mark.parametrize("second", [accept_payment, reject_payment])
    def test_a_payment_is_decided_about_once(self, first: Decide, second: Decide) -> None:
        payment = hold_in_review()
        decide(first, payment)

        with pytest.raises(ReviewNotOpenError):
            decide(second, payment)

        assert prove() == []

    @pytest.mark.parametrize("call", [accept_payment, reject_payment])
    def test_who_ordered_a_payment_does_not_decide_about_it(self, call: Decide) -> None:
        payment = hold_in_review()

        with pytest.raises(OwnTransferError):
            decide(call, payment, actor=payment.initiated_by)

        assert Review.objects.get().status == "open"

    def test_a_blocked_account_keeps_a_payment_from_being_accepted_but_not_from_being_rejected(self) -> None:
        payment = hold_in_review()
        block_account(account_id=payment.debtor_account_id, reason="A test", actor=None, now=NOW)

        with pytest.raises(AccountBlockedError):
            decide(accept_payment, payment)
        decide(reject_payment, payment)

        assert read_books(payment.debtor_account) == (80, 40)
        assert prove() == []

    def test_an_account_with_a_payment_in_review_cannot_be_inactivated(self) -> None:
        payment = hold_in_review()

        with pytest.raises(TransactionInProgressError):
            inactivate_account(account_id=payment.debtor_account_id, reason="Moved", actor=None, now=LATER)


@pytest.mark.django_db(transaction=True)
def test_what_is_no_payment_in_review_cannot_be_decided_about() -> None:
    sent, held = order(make_account(balance=40)).payment, hold_in_review()

    with pytest.raises(ReviewNotFoundError):
        decide(accept_payment, sent)
    with pytest.raises(PaymentNotFoundError):
        accept_payment(payment_id=make_account().pk, reason="Seen", actor=make_staff(), now=LATER)
    with pytest.raises(ReviewNotFoundError):
        accept_transfer(transfer_id=held.pk, reason="Seen", actor=make_staff(), now=LATER)


@pytest.mark.django_db(transaction=True)
class TestRivals:
    """Of those who act at once, one is first, and the others find what it has done."""

    @pytest.mark.parametrize("rival", [accept_payment, reject_payment])
    def test_of_two_who_decide_at_once_one_decides(self, rival: Decide) -> None:
        payment = hold_in_review()
        terms: dict[str, Any] = {"payment_id": payment.pk, "reason": "Called", "now": LATER}

        outcomes = run_together(
            partial(accept_payment, actor=make_staff(), **terms), partial(rival, actor=make_staff(), **terms)
        )

        assert [each.code for each in outcomes if isinstance(each, BankError)] == ["review_not_open"]
        assert prove() == []

    def test_a_decision_and_the_end_of_its_time_at_once(self) -> None:
        payment = hold_in_review()
        accept = partial(accept_payment, payment_id=payment.pk, reason="Called", actor=make_staff(), now=OVER)

        accepted, expired = run_together(accept, partial(expire_reviews, now=OVER))

        is_accepted = isinstance(accepted, Payment)
        assert is_accepted != (expired == 1)
        assert Review.objects.get().status == ("accepted" if is_accepted else "expired")
        assert Submission.objects.filter(payment=payment).exists() == is_accepted
        assert prove() == []

    @pytest.mark.parametrize("call", [accept_payment, reject_payment])
    def test_a_decision_and_an_inactivation_at_once_never_lose_money(self, call: Decide) -> None:
        payment = hold_in_review()
        terms: dict[str, Any] = {"payment_id": payment.pk, "reason": "Called", "actor": make_staff(), "now": LATER}
        leave = partial(inactivate_account, account_id=payment.debtor_account_id, reason="Moved", actor=None, now=LATER)

        decided, left = run_together(partial(call, **terms), leave)

        assert isinstance(decided, Payment)
        assert isinstance(left, TransactionInProgressError)  # its first payment is under way whatever is decided
        assert prove() == []


def test_an_order_is_answered_202_as_in_review_also_when_it_is_repeated_after_the_decision(
    api: Caller, source: Account
) -> None:
    put_in_force(rule("velocity", per_hour=1))
    body = {
        "debtor_account": str(source.pk),
        "creditor": {"name": "Bruno Barbosa", "iban": IBAN},
        "amount": "10.50",
        "currency": "BRL",
    }
    api.post("payments", body, key="first")

    answer = api.post("payments", body, key="second")

    assert (answer.status, answer.data["status"]) == (202, "in_review")
    assert [each["id"] for each in api.get("payments?status=in_review").data["results"]] == [answer.data["id"]]


@pytest.mark.django_db(transaction=True)
def test_a_repeated_order_is_told_how_it_began() -> None:
    put_in_force(rule("velocity", per_hour=1))
    account = make_account(balance=80)
    order(account)
    asked = make_order(account)
    first = order_payment(order=asked, now=NOW)
    decide(reject_payment, first.payment)

    again = order_payment(order=asked, now=LATER)

    assert (again.payment.pk, again.is_replayed) == (first.payment.pk, True)
    assert (first.first_status, again.first_status) == (PaymentStatus.IN_REVIEW, PaymentStatus.IN_REVIEW)


@pytest.mark.django_db(transaction=True)
def test_the_hold_of_a_payment_in_review_is_its_own() -> None:
    payment = hold_in_review()

    assert Hold.objects.get(pk=payment.hold_id).reference == payment.pk
