"""Deliveries: sent, refused, put off, abandoned, sent again; and never by two workers at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from core.errors import InvalidInputError
from events.models import Event
from kyc.models import Client
from notifications import deliveries
from notifications.deliveries import deliver_due, get_pause
from notifications.errors import DeliveryNotFailedError
from notifications.models import Delivery, DeliveryAttempt
from notifications.services import send_again
from notifications.states import Outcome
from tests.factories import make_staff
from tests.notifications.mail_server import MailServer
from tests.notifications.news import make_waiting_delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery(transactional_db: None) -> Delivery:
    """An e-mail to Alice, the only one that waits."""
    return make_waiting_delivery()


def list_outcomes(delivery: Delivery) -> list[str]:
    return list(delivery.tries.order_by("number").values_list("outcome", flat=True))


def get_error(delivery: Delivery) -> str:
    return delivery.tries.latest("number").error


def make_due(delivery: Delivery) -> None:
    """Let the time pass until it is tried next."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())


def abandon(delivery: Delivery) -> None:
    """Leave it as a worker does that dies at work, until its time is over."""
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk).update(attempts=1, began_at=now - deliveries.LEASE, due_at=now)


def test_an_email_is_sent_to_the_clients_address_of_now(delivery: Delivery, outbox: list[mail.EmailMessage]) -> None:
    client = delivery.notification.client
    assert client is not None
    type(client).objects.filter(pk=client.pk).update(email="new@example.com")

    assert deliver_due(seconds=5) is False

    [sent] = outbox
    delivery.refresh_from_db()
    assert (sent.to, sent.subject) == (["new@example.com"], "Your new account is open")
    assert "Dear Alice Almeida" in sent.body
    assert sent.extra_headers["Message-ID"] == f"<{delivery.pk}@bank.example>"
    assert (delivery.state, delivery.attempts, delivery.began_at) == ("sent", 1, None)
    assert list_outcomes(delivery) == [Outcome.SENT]


def test_what_was_sent_is_not_sent_again(delivery: Delivery, outbox: list[mail.EmailMessage]) -> None:
    for _ in range(3):
        deliver_due(seconds=5)

    assert len(outbox) == 1


def test_an_email_reaches_a_mail_server(delivery: Delivery, mail_server: MailServer) -> None:
    deliver_due(seconds=5)

    [taken] = mail_server.taken
    assert f"Message-ID: <{delivery.pk}@bank.example>" in taken
    assert "From: Bank <no-reply@bank.example>" in taken
    assert list_outcomes(delivery) == [Outcome.SENT]


@pytest.mark.parametrize(
    ("command", "answer"),
    [("RCPT", "550 no such user"), ("TEXT", "554 looks like spam"), ("DATA", "503 not here")],
)
def test_an_email_that_is_refused_for_good_has_failed(
    delivery: Delivery, mail_server: MailServer, command: str, answer: str
) -> None:
    mail_server.answers[command] = answer

    deliver_due(seconds=5)

    delivery.refresh_from_db()
    assert (delivery.state, list_outcomes(delivery)) == ("failed", [Outcome.REFUSED])
    assert answer[4:] in get_error(delivery)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("HELLO", "421 too busy"),
        ("RCPT", "450 mailbox is busy"),
        ("TEXT", "452 disk full"),
        ("MAIL", "530 sign in first"),
        ("RCPT", "421 shutting down"),
    ],
)
def test_an_email_that_is_refused_for_now_waits_for_another_attempt(
    delivery: Delivery, mail_server: MailServer, command: str, answer: str
) -> None:
    mail_server.answers[command] = answer

    deliver_due(seconds=5)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.failures, list_outcomes(delivery)) == ("waiting", 1, [Outcome.PUT_OFF])
    assert delivery.due_at > timezone.now() + timedelta(seconds=20)
    assert answer[4:] in get_error(delivery)


@pytest.mark.parametrize("wanted", [{"EMAIL_USE_TLS": True}, {"EMAIL_HOST_USER": "bank", "EMAIL_HOST_PASSWORD": "x"}])
def test_a_mail_server_that_offers_no_tls_or_sign_in_gets_nothing_and_that_is_no_emails_fault(
    delivery: Delivery, mail_server: MailServer, settings: Settings, wanted: dict[str, Any]
) -> None:
    for name, value in wanted.items():
        setattr(settings, name, value)
    other = make_other(delivery)

    deliver_due(seconds=5)

    assert mail_server.taken == []
    assert list_outcomes(delivery) + list_outcomes(other) == [Outcome.PUT_OFF]
    assert Delivery.objects.filter(pk__in=[delivery.pk, other.pk], state="waiting").count() == 2


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RCPT", "550 <alice@example.com>: no such user"),
        ("RCPT", "450 Alice@Example.com: mailbox is busy"),
        ("TEXT", "554 <alice.of.old@example.org> has moved"),
        ("MAIL", "530 sign in first"),
    ],
)
def test_what_is_kept_of_an_attempt_and_logged_names_no_address(
    delivery: Delivery, mail_server: MailServer, caplog: pytest.LogCaptureFixture, command: str, answer: str
) -> None:
    Client.objects.update(email="alice@example.com")
    mail_server.answers[command] = answer

    deliver_due(seconds=5)

    assert answer.split()[-1] in get_error(delivery)
    assert "@" not in get_error(delivery) + caplog.text


def test_a_silent_mail_server_is_given_up_in_time(
    delivery: Delivery, mail_server: MailServer, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    mail_server.is_silent = True

    assert deliver_due(seconds=5) is False

    assert list_outcomes(delivery) == [Outcome.PUT_OFF]
    assert "timed out" in get_error(delivery)


def test_a_mail_server_that_is_away_is_asked_again_after_a_pause(delivery: Delivery, mail_server: MailServer) -> None:
    mail_server.stop()
    deliver_due(seconds=5)
    make_due(delivery)

    deliver_due(seconds=5)

    assert list_outcomes(delivery) == [Outcome.PUT_OFF], "the second time, nobody asked it"


def test_without_redis_the_mail_server_is_asked(
    delivery: Delivery, outbox: list[mail.EmailMessage], dead_redis: None
) -> None:
    deliver_due(seconds=5)

    assert len(outbox) == 1


def test_one_that_is_put_off_does_not_keep_back_another(delivery: Delivery, mail_server: MailServer) -> None:
    mail_server.answers["RCPT"] = "450 mailbox is busy"
    deliver_due(seconds=5)
    mail_server.answers.clear()
    other = make_other(delivery)

    deliver_due(seconds=5)

    assert (list_outcomes(delivery), list_outcomes(other)) == ([Outcome.PUT_OFF], [Outcome.SENT])


def make_other(delivery: Delivery) -> Delivery:
    """Let another notification of the same client go out."""
    other = Delivery.objects.filter(state="failed").latest("pk")
    send_again(delivery_id=other.pk, reason="Test", actor=make_staff(), now=timezone.now())
    assert other.pk != delivery.pk
    return other


def test_after_enough_attempts_it_has_failed(delivery: Delivery, mail_server: MailServer, settings: Settings) -> None:
    settings.NOTIFICATION_ATTEMPTS = 3
    mail_server.answers["RCPT"] = "450 mailbox is busy"

    for _ in range(4):
        make_due(delivery)
        deliver_due(seconds=5)

    delivery.refresh_from_db()
    assert (delivery.state, list_outcomes(delivery)) == ("failed", [Outcome.PUT_OFF] * 3)


def test_pauses_grow_and_end() -> None:
    pauses = [get_pause(failures=failures).total_seconds() for failures in (1, 2, 3, 7, 99)]

    assert pauses == [30, 120, 480, 21_600, 21_600]


def test_what_a_worker_left_when_it_died_is_tried_again_and_its_attempt_is_kept(
    delivery: Delivery, outbox: list[mail.EmailMessage]
) -> None:
    abandon(delivery)

    deliver_due(seconds=5)
    assert not outbox
    make_due(delivery)
    deliver_due(seconds=5)

    assert len(outbox) == 1
    assert list_outcomes(delivery) == [Outcome.UNKNOWN, Outcome.SENT]


def test_what_kills_its_workers_has_failed_in_the_end(delivery: Delivery, settings: Settings) -> None:
    settings.NOTIFICATION_ATTEMPTS = 1
    abandon(delivery)

    deliver_due(seconds=5)

    delivery.refresh_from_db()
    assert (delivery.state, list_outcomes(delivery)) == ("failed", [Outcome.UNKNOWN])


def test_a_worker_that_was_taken_for_dead_changes_nothing_when_it_comes_back(
    delivery: Delivery, outbox: list[mail.EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def outlive_the_lease(**_: object) -> None:
        Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())
        deliveries._end_abandoned(now=timezone.now())

    monkeypatch.setattr(deliveries, "send_email", outlive_the_lease)

    deliver_due(seconds=5)

    delivery.refresh_from_db()
    assert (delivery.state, list_outcomes(delivery)) == ("waiting", [Outcome.UNKNOWN])


def test_a_fault_of_ours_is_an_attempt_too(
    delivery: Delivery, outbox: list[mail.EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise KeyError("account_end")

    monkeypatch.setattr(deliveries, "render_email", fail)

    deliver_due(seconds=5)

    assert list_outcomes(delivery) == [Outcome.PUT_OFF]
    assert get_error(delivery) == "KeyError('account_end')"


def test_an_outage_of_the_database_leaves_the_attempt_to_end_by_itself(
    delivery: Delivery, outbox: list[mail.EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(deliveries, "render_email", fail)

    with pytest.raises(OperationalError):
        deliver_due(seconds=5)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, list_outcomes(delivery)) == ("waiting", 1, [])
    assert delivery.began_at is not None


class SlowBackend(EmailBackend):
    """Sends when the test lets it."""

    may_send = threading.Event()
    is_sending = threading.Event()

    def send_messages(self, messages: object) -> int:
        """Wait, then send."""
        self.is_sending.set()
        assert self.may_send.wait(10)
        sent: int = super().send_messages(messages)  # type: ignore[arg-type]
        return sent


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that leave no session behind."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_two_workers_do_not_send_the_same(
    delivery: Delivery, outbox: list[mail.EmailMessage], settings: Settings, pool: ThreadPoolExecutor
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.SlowBackend"

    def work() -> None:
        try:
            deliver_due(seconds=5)
        finally:
            connection.close()

    first = pool.submit(work)
    assert SlowBackend.is_sending.wait(10)
    deliver_due(seconds=5)  # a second worker, while the first is at it
    SlowBackend.may_send.set()
    first.result(10)

    assert len(outbox) == 1
    assert list_outcomes(delivery) == [Outcome.SENT]


def test_staff_let_a_failed_delivery_be_sent_again(
    delivery: Delivery, mail_server: MailServer, settings: Settings
) -> None:
    mail_server.answers["RCPT"] = "550 no such user"
    deliver_due(seconds=5)
    mail_server.answers.clear()
    staff = make_staff()

    send_again(delivery_id=delivery.pk, reason="The address was mended", actor=staff, now=timezone.now())
    deliver_due(seconds=5)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("sent", 2)
    assert list_outcomes(delivery) == [Outcome.REFUSED, Outcome.SENT]
    told = Event.objects.get(type="delivery.retried")
    assert told.payload == {"delivery": str(delivery.pk), "actor": staff.pk, "reason": "The address was mended"}


def test_only_what_failed_is_sent_again_and_with_a_reason(delivery: Delivery) -> None:
    staff, now = make_staff(), timezone.now()

    with pytest.raises(DeliveryNotFailedError):
        send_again(delivery_id=delivery.pk, reason="Why not", actor=staff, now=now)
    with pytest.raises(InvalidInputError):
        send_again(delivery_id=delivery.pk, reason=" ", actor=staff, now=now)


@pytest.mark.parametrize("change", [{"state": "waiting", "ended_at": None}, {"attempts": 9}, {"failures": 9}])
def test_what_was_sent_never_changes(
    delivery: Delivery, outbox: list[mail.EmailMessage], change: dict[str, object]
) -> None:
    deliver_due(seconds=5)

    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(**change)


def test_an_attempt_is_history(delivery: Delivery, outbox: list[mail.EmailMessage]) -> None:
    deliver_due(seconds=5)

    for change in (DeliveryAttempt.objects.all().delete, lambda: DeliveryAttempt.objects.update(error="")):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
