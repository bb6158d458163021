"""A payment's way over the rail: its message, its attempts, and what the rail is told of whom."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from ledger.errors import AccountBusyError
from tests.factories import make_staff
from tests.payments.cashier import make_order, prove, read_books
from tests.rails.clerk import find_uetr, hurry, list_bookings, order, read_settlement, read_status, receive, send
from tests.simulators.process import SimulatorProcess
from transfers.payments.creditors import Creditor
from transfers.payments.models import Submission, SubmissionAttempt
from transfers.payments.services import order_payment
from transfers.payments.states import AttemptOutcome
from transfers.payments.submissions import claim_submission, end_turn, get_pause, mark_sending
from transfers.rails import sending
from transfers.rails.errors import SubmissionOverError
from transfers.rails.models import RailMessage
from transfers.rails.pauses import FAILURES
from transfers.rails.sending import send_due
from transfers.rails.services import try_now

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_payment_is_sent_settled_and_booked_on_both_sides(rail: SimulatorProcess, account: Account) -> None:
    payment = order(account)

    send()
    assert read_status(payment) == "submitted"
    receive()

    assert read_status(payment) == "completed"
    assert list_bookings(rail) == [(str(find_uetr(payment)), False, "40.00")]
    assert read_settlement() == -40_00
    assert read_books(account) == (60_00, 60_00)
    assert prove() == []


def test_without_a_rail_a_payment_stays_held(account: Account) -> None:
    payment = order(account)

    assert not send_due(seconds=1)

    assert read_status(payment) == "held"
    assert Submission.objects.get().attempts == 0


def test_a_rail_that_is_away_is_left_alone_for_a_moment(
    rail: SimulatorProcess, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(FAILURES + 3):
        order(account, amount=1_00)
    rail.kill()

    send()
    assert SubmissionAttempt.objects.count() == FAILURES
    send()
    assert SubmissionAttempt.objects.count() == FAILURES, "nobody asks it so soon"
    assert "The rail does not take payment" in caplog.text


def test_whatever_is_sent_again_is_the_same_message(rail: SimulatorProcess, account: Account) -> None:
    order(account)
    rail.set_faults(error_rate=1)
    for _ in range(3):
        send()

    assert RailMessage.objects.filter(direction="out").count() == 1
    assert list(SubmissionAttempt.objects.order_by("number").values_list("outcome", flat=True)) == ["put_off"] * 3


@pytest.mark.parametrize(
    ("creditor", "said"),
    [
        (Creditor("Bruno & Söhne <GmbH>", iban="DE89370400440532013000"), ["<IBAN>DE89370400440532013000</IBAN>"]),
        (
            Creditor("Bruno", bank="341", branch="0001", account="12345-6"),
            ["<MmbId>341</MmbId>", "<Id>0001</Id>", "<Id>12345-6</Id>"],
        ),
    ],
)
def test_the_rail_is_told_who_is_paid(
    rail: SimulatorProcess, account: Account, creditor: Creditor, said: list[str]
) -> None:
    changed = make_order(account, creditor=creditor, remittance_information="Rent & more \ufffe")
    payment = order_payment(order=changed, now=timezone.now()).payment

    send()

    body = RailMessage.objects.get(direction="out").body
    assert all(each in body.replace("\n", "").replace("  ", "") for each in said)
    assert read_status(payment) == "submitted"


def test_who_is_paid_stands_nowhere_in_clear(rail: SimulatorProcess, account: Account) -> None:
    order(account)
    send()

    with connection.cursor() as cursor:
        cursor.execute("SELECT message::text FROM rails_railmessage message")
        kept = str(cursor.fetchall())

    assert "Bruno" not in kept
    assert "DE893704" not in kept


def test_two_workers_never_take_the_same_turn(account: Account) -> None:
    order(account)

    turn = claim_submission(now=timezone.now())

    assert turn is not None
    assert claim_submission(now=timezone.now()) is None


def test_who_comes_back_after_its_lease_neither_sends_nor_notes(account: Account) -> None:
    order(account)
    late = claim_submission(lease=timedelta(seconds=-1), now=timezone.now())
    current = claim_submission(now=timezone.now())
    assert late is not None
    assert current is not None

    assert not mark_sending(turn=late)
    end_turn(turn=late, outcome=AttemptOutcome.PUT_OFF, now=timezone.now())

    assert mark_sending(turn=current)
    assert list(SubmissionAttempt.objects.order_by("number").values_list("outcome", flat=True)) == ["unknown", ""]
    assert Submission.objects.get().began_at is not None


def test_a_busy_account_is_no_reason_to_send_anew(
    rail: SimulatorProcess, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = order(account)

    def be_busy(**values: object) -> None:
        raise AccountBusyError

    with monkeypatch.context() as patch:
        patch.setattr(sending, "mark_submitted", be_busy)
        send()
    assert read_status(payment) == "held"
    send()

    assert read_status(payment) == "submitted"
    receive()
    assert len(list_bookings(rail)) == 1


def test_pauses_grow_and_differ() -> None:
    pauses = [[get_pause(failures=failures).total_seconds() for _ in range(50)] for failures in (1, 2, 5, 60)]

    assert [max(each) <= longest * 1.25 for each, longest in zip(pauses, (2, 4, 32, 900), strict=True)] == [True] * 4
    assert [min(each) >= shortest * 0.75 for each, shortest in zip(pauses, (2, 4, 32, 900), strict=True)] == [True] * 4
    assert all(len(set(each)) > 40 for each in pauses)


def test_staff_have_a_payment_tried_at_once(rail: SimulatorProcess, account: Account) -> None:
    payment, staff, now = order(account), make_staff(), timezone.now()
    Submission.objects.update(due_at=now + timedelta(hours=1))

    try_now(payment_id=payment.pk, reason="The client is waiting", actor=staff, now=now)

    assert Submission.objects.get().due_at == now
    hurry()
    send()
    with pytest.raises(SubmissionOverError):
        try_now(payment_id=payment.pk, reason="Once more", actor=staff, now=now)
