"""Deciding about transfers in review: what moves, who may, and what a repeated order is told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from accounts.services import block_account, inactivate_account
from core.errors import BankError
from core.models import User
from events.models import Event
from ledger.errors import AccountBlockedError, AccountInactiveError
from ledger.models import Hold, JournalEntry, LedgerAccount
from ledger.verification import verify_ledger
from reporting.regulatory.models import Report
from tests.antifraud.rulebook import put_in_force, rule
from tests.events.delivery import deliver_all
from tests.factories import make_staff, unblock_account
from tests.proof import find_faults
from tests.transfers.desk import NOW, Desk
from transfers.antifraud.errors import OwnTransferError, ReviewNotFoundError, ReviewNotOpenError
from transfers.antifraud.models import Review
from transfers.antifraud.reviews import Decided, accept_transfer, expire_reviews, reject_transfer
from transfers.models import Transfer
from transfers.orders import Submission

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(hours=2)

Decide = Callable[..., Decided]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    """Return the desk of a bank whose books can be proven, which wants transactions of its own."""
    return Desk()


def hold_in_review(desk: Desk, line: str = "alice -> carla 30", *, key: str = "key") -> Submission:
    """Let an order be in review."""
    put_in_force(rule("night", from_amount={"*": 1}, from_hour=0, to_hour=23), rule("velocity", per_minute=1))
    desk.submit("alice -> savings 1")
    return desk.submit(line, key=key)


def decide(call: Decide, submission: Submission, *, actor: User | None = None) -> Decided:
    """Decide about it, two hours after it was ordered."""
    return call(
        transfer_id=submission.transfer.id, reason="Customer was called", actor=actor or make_staff(), now=LATER
    )


def list_breaks() -> list[str]:
    """Return what `verify_ledger` finds wrong."""
    return [str(each) for each in verify_ledger(since=None, on_progress=lambda _: None)]


def assert_sound() -> None:
    """Fail unless books, transfers and reviews agree."""
    assert find_faults() == []
    assert list_breaks() == []


@pytest.mark.parametrize(
    ("line", "balances"),
    [("alice -> carla 30", {"alice": 69, "carla": 30}), ("alice -> cash 30", {"alice": 69, "carla": 0})],
)
def test_an_accepted_transfer_is_completed_under_its_own_id(desk: Desk, line: str, balances: dict[str, int]) -> None:
    submission, staff = hold_in_review(desk, line), make_staff()

    decided = decide(accept_transfer, submission, actor=staff)

    transfer, review, hold = Transfer.objects.get(pk=submission.transfer.id), Review.objects.get(), Hold.objects.get()
    assert (transfer.status, transfer.created_at, transfer.completed_at) == ("completed", NOW, LATER)
    assert (review.status, review.decided_by, review.decided_at) == ("accepted", staff, LATER)
    assert review.reason == "Customer was called"
    assert (hold.status, hold.captured_amount) == ("captured", 30)
    assert JournalEntry.objects.get(pk=transfer.pk).code == transfer.kind
    assert desk.get_balances("alice", "carla") == balances
    assert LedgerAccount.objects.get(id=desk.accounts["alice"]).pending == 0
    assert decided.balances[0].version == transfer.debtor_version
    assert_sound()


def test_a_rejected_transfer_has_failed_and_its_money_is_free(desk: Desk) -> None:
    submission = hold_in_review(desk)

    decide(reject_transfer, submission)

    transfer = Transfer.objects.get(pk=submission.transfer.id)
    assert (transfer.status, transfer.failure_code) == ("failed", "rejected_by_antifraud")
    assert Hold.objects.get().status == "released"
    assert LedgerAccount.objects.get(id=desk.accounts["alice"]).available == 99
    assert desk.get_balances("alice", "carla") == {"alice": 99, "carla": 0}
    assert_sound()


def test_a_review_that_nobody_decided_in_time_has_failed(desk: Desk, settings: Settings) -> None:
    settings.ANTIFRAUD_REVIEW_DAYS = 7
    submission = hold_in_review(desk)

    assert expire_reviews(now=NOW + timedelta(days=7, microseconds=-1)) == 0
    assert expire_reviews(now=NOW + timedelta(days=7)) == 1
    assert expire_reviews(now=NOW + timedelta(days=8)) == 0

    transfer, review = Transfer.objects.get(pk=submission.transfer.id), Review.objects.get()
    assert (transfer.status, transfer.failure_code) == ("failed", "review_expired")
    assert (review.status, review.decided_by, review.reason) == ("expired", None, "")
    assert_sound()


@pytest.mark.parametrize("call", [None, accept_transfer, reject_transfer])
def test_a_repeated_order_gets_its_first_answer_whatever_was_decided(desk: Desk, call: Decide | None) -> None:
    first = hold_in_review(desk)
    if call:
        decide(call, first)

    again = desk.submit("alice -> carla 30", key="key")

    assert again.is_replayed
    assert again.transfer == first.transfer
    assert again.transfer.status == "in_review"


@pytest.mark.parametrize("first", [accept_transfer, reject_transfer])
@pytest.mark.parametrize("second", [accept_transfer, reject_transfer])
def test_is_decided_once(desk: Desk, first: Decide, second: Decide) -> None:
    submission = hold_in_review(desk)
    decide(first, submission)

    with pytest.raises(ReviewNotOpenError):
        decide(second, submission)

    assert_sound()


@pytest.mark.parametrize("call", [accept_transfer, reject_transfer])
def test_who_ordered_a_transfer_does_not_decide_about_it(desk: Desk, call: Decide) -> None:
    submission = hold_in_review(desk)

    with pytest.raises(OwnTransferError):
        decide(call, submission, actor=desk.clients["alice"].user)

    assert Review.objects.get().status == "open"


def test_the_database_keeps_who_ordered_it_from_deciding(desk: Desk) -> None:
    hold_in_review(desk)
    orderer = desk.clients["alice"].user

    with pytest.raises(IntegrityError, match="antifraud_review_other_person"), transaction.atomic():
        Review.objects.update(status="accepted", decided_by=orderer, decided_at=LATER, reason="Mine")


def test_a_decision_is_never_changed(desk: Desk) -> None:
    decide(accept_transfer, hold_in_review(desk))

    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        Review.objects.update(reason="Another")


@pytest.mark.parametrize("call", [accept_transfer, reject_transfer])
def test_what_is_not_in_review_cannot_be_decided(desk: Desk, call: Decide) -> None:
    with pytest.raises(ReviewNotFoundError):
        decide(call, desk.submit("alice -> carla 30"))


@pytest.mark.parametrize("name", ["alice", "carla"])
def test_a_blocked_account_is_not_moved_and_may_be_accepted_once_it_is_free(desk: Desk, name: str) -> None:
    submission = hold_in_review(desk)
    block_account(account_id=desk.accounts[name], reason="Fraud", actor=None, now=NOW)

    with pytest.raises(AccountBlockedError):
        decide(accept_transfer, submission)
    assert Hold.objects.get().status == "open"
    unblock_account(account_id=desk.accounts[name], reason="None", actor=None, now=NOW)
    decide(accept_transfer, submission)

    assert_sound()


def test_a_transfer_from_a_blocked_account_can_be_rejected(desk: Desk) -> None:
    submission = hold_in_review(desk)
    block_account(account_id=desk.accounts["alice"], reason="Fraud", actor=None, now=NOW)

    decide(reject_transfer, submission)

    assert Hold.objects.get().status == "released"


def test_a_creditor_that_left_meanwhile_is_not_paid(desk: Desk) -> None:
    submission = hold_in_review(desk)
    inactivate_account(account_id=desk.accounts["carla"], reason="Left", actor=None, now=NOW)

    with pytest.raises(AccountInactiveError):
        decide(accept_transfer, submission)
    decide(reject_transfer, submission)

    assert_sound()


def test_a_debtor_does_not_leave_while_its_transfer_is_in_review(desk: Desk) -> None:
    hold_in_review(desk, "alice -> carla 99")

    with pytest.raises(BankError) as refusal:
        inactivate_account(account_id=desk.accounts["alice"], reason="Left", actor=None, now=NOW)

    assert refusal.value.code == "transaction_in_progress"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (accept_transfer, ["transfer.completed", "hold.captured", "fraud.reviewed"]),
        (reject_transfer, ["hold.released", "transfer.failed", "fraud.reviewed"]),
    ],
)
def test_tells_how_a_review_ended(desk: Desk, call: Decide, told: list[str]) -> None:
    submission = hold_in_review(desk)
    before = Event.objects.latest("seq").seq

    decide(call, submission)

    events = Event.objects.filter(seq__gt=before).order_by("seq")
    assert [event.type for event in events] == told
    assert next(event for event in events if event.type.startswith("transfer.")).payload["was_in_review"]


def test_an_accepted_transfer_is_reported_to_the_regulator_once(desk: Desk) -> None:
    submission = hold_in_review(desk)
    deliver_all(group="regulatory")
    assert not Report.objects.filter(transfer_id=submission.transfer.id).exists()

    decide(accept_transfer, submission)
    deliver_all(group="regulatory")

    assert Report.objects.filter(transfer_id=submission.transfer.id).count() == 1
