"""What happens is told to those whom it concerns, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.services import block_account, inactivate_client
from core.ids import uuid7
from events.catalogue.others import NotificationSend
from events.catalogue.transactions import FraudAlert, PaymentProcessed
from events.messages import make_message
from events.models import Event, InboxMessage
from kyc.casework import request_information
from kyc.reviews import run_reviews
from kyc.states import KycStatus
from notifications.models import Delivery, Notification
from notifications.services import change_preferences
from tests.events.delivery import deliver, list_messages
from tests.events.facts import transfer
from tests.factories import (
    decide_client,
    make_account,
    make_alice,
    make_bob,
    make_client,
    make_staff,
    unblock_account,
)
from tests.notifications.news import GROUP, hear, list_kinds
from tests.reversals.undoing import undo

pytestmark = pytest.mark.django_db


def test_a_client_is_told_of_its_life_and_its_accounts() -> None:
    alice = make_alice()
    account = make_account(client=alice)
    why: dict[str, Any] = {"reason": "Test", "actor": None, "now": timezone.now()}
    block_account(account_id=account.pk, **why)
    unblock_account(account_id=account.pk, **why)
    inactivate_client(client_id=alice.pk, **why)

    hear()

    assert list_kinds(alice) == [
        "client_created",
        "client_verified",
        "account_created",
        "account_blocked",
        "account_unblocked",
        "account_inactivated",
        "client_inactivated",
    ]


def test_both_sides_are_told_that_a_transfer_was_undone() -> None:
    alice, carla = make_account(balance=100), make_account(client=make_client(name="Carla Costa"))
    undo(transfer_id=transfer(debtor=alice, creditor=carla, amount=7).id, now=timezone.now())

    hear()

    assert list_kinds(alice.client)[-2:] == ["transfer_sent", "reversal_credited"]
    assert list_kinds(carla.client)[-2:] == ["transfer_received", "reversal_debited"]
    told = Notification.objects.get(kind="reversal_debited")
    assert (told.facts["account"], told.facts["amount"]) == (str(carla.pk), 7)


def test_who_is_on_both_sides_of_what_is_undone_is_told_once() -> None:
    checking = make_account(balance=100)
    savings = make_account(client=checking.client, kind="savings")
    undo(transfer_id=transfer(debtor=checking, creditor=savings, amount=7).id, now=timezone.now())

    hear()

    assert list_kinds(checking.client)[-2:] == ["own_transfer_completed", "reversal_credited"]


def test_who_paid_cash_in_is_told_that_it_was_undone() -> None:
    account = make_account()
    undo(transfer_id=transfer(debtor=None, creditor=account, amount=7).id, now=timezone.now())

    hear()

    assert list_kinds(account.client)[-1] == "reversal_debited"


def test_a_rejected_client_is_told_so() -> None:
    mallory = make_client(kyc_status=KycStatus.REJECTED)

    hear()

    assert list_kinds(mallory) == ["client_created", "client_rejected"]


def test_a_client_is_told_which_documents_are_missing_and_of_its_review() -> None:
    bob, analyst = make_bob(), make_staff()
    now = timezone.now()
    request_information(
        case_id=bob.cases.get().pk, kinds=["address", "identity"], text="too_old", actor=analyst, now=now
    )
    decide_client(client=bob, decision=KycStatus.VERIFIED)
    for days in (400, 500):
        run_reviews(clock=lambda at=now + timedelta(days=days): at, seconds=60)  # type: ignore[misc]

    hear()

    told = Notification.objects.get(kind="information_requested")
    assert told.facts == {"kinds": ["identity", "address"], "text": "too_old"}
    assert list_kinds(bob)[-3:] == ["client_verified", "client_review_opened", "client_in_review"]


def test_both_sides_of_a_transfer_are_told_each_of_its_own_account() -> None:
    alice, carla = make_account(), make_account()
    transfer(debtor=None, creditor=alice, amount=100)
    sent = transfer(debtor=alice, creditor=carla, amount=30)
    transfer(debtor=carla, creditor=None, amount=10)

    hear()

    assert list_kinds(alice.client)[-2:] == ["deposit_completed", "transfer_sent"]
    assert list_kinds(carla.client)[-2:] == ["transfer_received", "withdrawal_completed"]
    told = Notification.objects.get(client=carla.client, kind="transfer_received")
    assert told.facts == {"transfer": str(sent.id), "account": str(carla.pk), "amount": 30, "currency": "BRL"}


def test_a_transfer_between_own_accounts_is_told_once() -> None:
    account = make_account(balance=100)
    transfer(debtor=account, creditor=make_account(client=account.client), amount=30)

    hear()

    assert list_kinds(account.client).count("own_transfer_completed") == 1
    assert "transfer_received" not in list_kinds(account.client)


def test_a_failed_transfer_is_told_to_the_debtor_alone() -> None:
    alice, carla = make_account(), make_account()
    transfer(debtor=alice, creditor=carla, amount=30)

    hear()

    assert list_kinds(alice.client)[-1] == "transfer_failed"
    assert list_kinds(carla.client)[-1] == "account_created"


@pytest.mark.parametrize(("outcome", "kind"), [("settled", "payment_settled"), ("returned", "payment_returned")])
def test_the_end_of_a_payment_is_told_to_whose_it_was(outcome: str, kind: str) -> None:
    account = make_account()
    data = PaymentProcessed(uuid7(), account.pk, outcome, 500, "BRL", "")

    deliver(
        [make_message(topic="payment.processed", subject=account.pk, sequence=1, time=timezone.now(), data=data)],
        group=GROUP,
    )

    assert list_kinds(account.client) == [kind]


def test_an_end_of_a_payment_that_is_not_known_is_told_to_nobody() -> None:
    account = make_account()
    data = PaymentProcessed(uuid7(), account.pk, "recalled", 500, "BRL", "")
    message = make_message(topic="payment.processed", subject=account.pk, sequence=1, time=timezone.now(), data=data)

    with pytest.raises(KeyError, match="recalled"):
        deliver([message], group=GROUP)

    assert list_kinds(account.client) == []


def test_money_that_is_kept_for_a_closed_account_is_told_to_nobody() -> None:
    account = make_account()
    data = PaymentProcessed(uuid7(), account.pk, "kept", 500, "BRL", "account_unknown")

    deliver(
        [make_message(topic="payment.processed", subject=account.pk, sequence=1, time=timezone.now(), data=data)],
        group=GROUP,
    )

    assert list_kinds(account.client) == []


def test_a_channel_that_is_not_known_is_not_passed_over_in_silence() -> None:
    bob = make_bob()
    data = NotificationSend(uuid7(), bob.pk, "telegram", "client_created", bob.pk)
    message = make_message(topic="notification.send", subject=bob.pk, sequence=1, time=timezone.now(), data=data)

    with pytest.raises(ValueError, match="telegram"):
        deliver([message], group=GROUP)


def test_a_fraud_alert_is_told_to_staff_and_not_to_the_client() -> None:
    account = make_account()
    data = FraudAlert(uuid7(), account.pk, account.client_id, "review", ["amount"])

    deliver(
        [make_message(topic="fraud.alert", subject=account.pk, sequence=1, time=timezone.now(), data=data)], group=GROUP
    )

    told = Notification.objects.get()
    assert (told.kind, told.role, told.client) == ("fraud_alert", "ops_checker", None)
    assert not Event.objects.filter(type="notification.requested").exists()


def test_what_is_heard_again_makes_nothing_twice() -> None:
    transfer(debtor=make_account(balance=100), creditor=make_account(), amount=30)
    hear()
    before = list(Notification.objects.order_by("pk").values()), list(Delivery.objects.order_by("pk").values())

    InboxMessage.objects.all().delete()  # as after INBOX_DAYS
    deliver(list_messages(group=GROUP), group=GROUP)

    after = list(Notification.objects.order_by("pk").values()), list(Delivery.objects.order_by("pk").values())
    assert after == before
    assert len(before[1]) == len(before[0]) > 3
    assert Event.objects.filter(type="notification.requested").count() == len(before[1])


def test_a_message_of_long_ago_is_told_in_the_list_and_not_by_email() -> None:
    account = make_account()
    [message] = [message for message in list_messages(group=GROUP) if message.type == "account.created"]
    old = make_message(
        topic=message.type,
        subject=account.pk,
        sequence=1,
        time=timezone.now() - timedelta(hours=73),
        data=message.data,
    )

    deliver([old], group=GROUP)

    assert list_kinds(account.client) == ["account_created"]
    assert not Event.objects.filter(type="notification.requested").exists()


def test_email_goes_to_who_wants_it_and_about_security_to_all() -> None:
    account = make_account(balance=100)
    unwanted = {"email_money_in": False, "email_money_out": False, "email_account": False}
    change_preferences(client_id=account.client_id, changes=unwanted)
    transfer(debtor=account, creditor=None, amount=10)
    block_account(account_id=account.pk, reason="Test", actor=None, now=timezone.now())

    hear()

    assert len(list_kinds(account.client)) == 5
    mailed = Delivery.objects.values_list("notification__kind", flat=True)
    assert list(mailed) == ["account_blocked"]


def test_a_client_is_told_in_the_language_that_it_has_chosen_by_then() -> None:
    account = make_account(balance=100)
    hear()
    change_preferences(client_id=account.client_id, changes={"language": "pt-br"})
    transfer(debtor=account, creditor=None, amount=10)

    hear()

    languages = list(Notification.objects.order_by("created_at", "pk").values_list("language", flat=True))
    assert (languages[0], languages[-1]) == ("en", "pt-br")


def test_no_notification_holds_personal_data() -> None:
    canary = make_client(name="Canaria da Silva", email="canary@example.com")
    transfer(debtor=None, creditor=make_account(client=canary), amount=100)
    hear()

    stored = str(list(Notification.objects.values())) + str(list(Event.objects.values())).lower()

    assert "canar" not in stored.lower()
    assert Notification.objects.filter(client=canary).count() == 4


@pytest.mark.parametrize(
    "change",
    [{"kind": "client_created"}, {"facts": {}}, {"read_at": None}, {"happened_at": timezone.now()}],
    ids=lambda change: next(iter(change)),
)
def test_what_was_told_and_that_it_was_read_never_change(change: dict[str, object]) -> None:
    make_bob()
    hear()
    Notification.objects.update(read_at=timezone.now())

    with pytest.raises(IntegrityError), transaction.atomic():
        Notification.objects.update(**change)
