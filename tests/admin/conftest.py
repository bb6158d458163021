"""Who looks, and a bank that has one of everything to look at."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import Account
from approvals.rights.operations import ChangeLimit, LimitOrder
from audit.exports import Order, make_export
from audit.states import ExtractKind
from bank import roles as bank_roles
from core.models import RoleEntry, User
from events.inbox import bury
from events.messages import make_message
from events.models import DeadLetter
from kyc.models import Client, KycCase
from kyc.services import add_document
from kyc.states import KycStatus
from ledger.holds import place_hold
from ledger.models import Hold
from notifications.models import Delivery, DeliveryAttempt
from notifications.services import Draft, make_deliveries, make_notifications
from notifications.states import Channel, DeliveryState, Kind, Outcome
from reporting.regulatory.circuit import note_failure
from tests.approvals.naming import request_name
from tests.events.delivery import deliver_all
from tests.events.facts import make_record
from tests.factories import agree, make_account, make_blocked_account, make_bob, make_client, make_staff
from tests.files import make_jpeg
from tests.presence import enter_as
from tests.regulatory.reports import make_summary
from transfers.models import Transfer
from transfers.orders import TransferOrder
from transfers.payments import services as payments
from transfers.payments.creditors import Creditor
from transfers.payments.models import Payment
from transfers.payments.orders import PaymentOrder
from transfers.rails.messages import keep_received
from transfers.rails.models import ReconciliationBreak
from transfers.services import submit_transfer
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.schedules import Schedule
from transfers.standing_orders.services import Terms, create_standing_order
from transfers.standing_orders.states import ScheduleKind
from transfers.states import TransferKind

ROLES = ("admin", *(role for role in bank_roles.ROLES if role != "partner"))
"""The roles of staff; `admin` is a superuser."""


def make_member(role: str) -> User:
    """Make a member of staff in a role."""
    user = make_staff(username=role, is_superuser=role == "admin")
    if role != "admin":
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture(autouse=True)
def _quick_pages(settings: Any) -> None:
    """Serve styles without a collected manifest, and hash passwords quickly: every test makes several people."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sign_in() -> Callable[[str], Browser]:
    """Return a function that gives the browser of a member of staff, by role."""

    def sign_in_as(role: str) -> Browser:
        return enter_as(make_member(role))

    return sign_in_as


class Bank(NamedTuple):
    """One of everything."""

    alice: Client
    account: Account
    case: KycCase
    transfer: Transfer
    failed: Transfer
    hold: Hold
    letter: DeadLetter
    delivery: Delivery


WHAT_NOBODY_SENDS = 10**9
"""Minor units: so much to somebody new is reviewed by the rules that a bank begins with."""


@pytest.fixture
def bank() -> Bank:
    """Return a bank that has one of everything."""
    return make_bank()


def make_bank() -> Bank:
    """Make Alice with 100.00 BRL, a transfer that went through and is reported, one that failed, a hold, Bob's case and
    his identity card, a dead letter, a failed e-mail, a payment to another bank, a standing order, what waits for an
    approval, an account of Mallory's that is blocked, and a transfer of Carla's in review.
    """
    limit_tellers(now=timezone.now())
    request_name(now=timezone.now())
    export_something(now=timezone.now())
    account = make_account(balance=100_00)
    other = make_account(client=account.client)
    bob = make_bob()
    add_document(client_id=bob.pk, kind="identity", file=make_jpeg(), now=timezone.now())
    transfer = order_transfer(debtor=account, creditor=other, amount=25_00)
    failed = order_transfer(debtor=account, creditor=other, amount=999_00)
    deliver_all(group="regulatory")
    note_failure(now=timezone.now())
    make_blocked_account()
    make_summary()
    tell_of_payment(order_payment(account=account, amount=1_00))
    rich = make_account(client=make_client(name="Carla Costa"), balance=WHAT_NOBODY_SENDS)
    order_transfer(debtor=rich, creditor=other, amount=WHAT_NOBODY_SENDS)
    give_standing_order(debtor=account, creditor=other)
    return Bank(
        alice=account.client,
        account=account,
        case=bob.cases.get(status=KycStatus.IN_REVIEW),
        transfer=Transfer.objects.get(pk=transfer),
        failed=Transfer.objects.get(pk=failed),
        hold=reserve(account=account, amount=5_00),
        letter=bury_message(),
        delivery=fail_to_deliver(client=account.client),
    )


def limit_tellers(*, now: datetime) -> None:
    """Let two people decide up to which amount a teller would reverse."""
    role = RoleEntry.objects.get(group__name="teller")
    agree(ChangeLimit, LimitOrder(role.pk, "transfers.reverse", "BRL", 1_000_00), now=now)


def export_something(*, now: datetime) -> None:
    """Let somebody take an extract."""
    today = timezone.localdate(now)
    order = Order(kind=ExtractKind.ROLES, first_date=today, last_date=today)
    _, file = make_export(order=order, reason="Yearly audit", exported_by=make_staff(), now=now)
    file.close()


def fail_to_deliver(*, client: Client) -> Delivery:
    """Tell a client something by an e-mail that the mail server refused."""
    now = timezone.now()
    draft = Draft(uuid4(), 1, now, Kind.CLIENT_VERIFIED, {}, about=client.pk, client_id=client.pk)
    with transaction.atomic():
        make_notifications(drafts=[draft], now=now)
        make_deliveries(notification_ids=[draft.notification_id], channel=Channel.EMAIL, now=now)
    delivery = Delivery.objects.get(notification=draft.notification_id)
    DeliveryAttempt.objects.create(
        delivery=delivery, number=1, began_at=now, ended_at=now, outcome=Outcome.REFUSED, error="550 <b>unknown</b>"
    )
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.FAILED, attempts=1, failures=1, ended_at=now)
    delivery.refresh_from_db()
    return delivery


def bury_message(*, data: object = None, value: bytes | None = None) -> DeadLetter:
    """Make a dead letter of the group balances: a balance that can be replayed, other `data`, or any bytes."""
    account = make_account()
    balance = {"account": account.pk, "currency": "BRL", "booked": 0, "pending": 0, "available": 0, "version": 1}
    message = make_message(
        topic="account.balance.updated", subject=account.pk, sequence=1, time=timezone.now(), data=data or balance
    )
    record = make_record(message.encode() if value is None else value, topic=message.type)
    bury(group="balances", record=record, error=ValueError("<b>not today</b>"), attempts=5)
    return DeadLetter.objects.latest("pk")


def order_transfer(*, debtor: Account, creditor: Account, amount: int) -> UUID:
    """Order a transfer between two accounts and return its id."""
    order = TransferOrder(
        kind=TransferKind.INTERNAL,
        debtor_account_id=debtor.pk,
        creditor_account_id=creditor.pk,
        amount=amount,
        currency="BRL",
        principal_id=debtor.client.user_id,
        idempotency_key=str(uuid4()),
        client_id=debtor.client_id,
        remittance_information="Lunch",
    )
    return submit_transfer(order=order, now=timezone.now()).transfer.id


def order_payment(*, account: Account, amount: int) -> Payment:
    """Order a payment to Bruno at another bank."""
    order = PaymentOrder(
        debtor_account_id=account.pk,
        creditor=Creditor("Bruno Barbosa", iban="DE89370400440532013000"),
        amount=amount,
        currency="BRL",
        principal_id=account.client.user_id,
        idempotency_key=str(uuid4()),
        client_id=account.client_id,
    )
    return payments.order_payment(order=order, now=timezone.now()).payment


def tell_of_payment(payment: Payment) -> None:
    """Receive a message of the rail that nobody can read, and find a payment that the bank alone has booked."""
    now = timezone.now()
    with transaction.atomic():
        keep_received(bodies=[b"<b>no message</b>"], now=now)
    ReconciliationBreak.objects.create(
        subject="bank:1",
        kind="missing_at_rail",
        day=now.date(),
        payment=payment,
        bank_amount=1_00,
        currency="BRL",
        opened_at=now,
    )


def give_standing_order(*, debtor: Account, creditor: Account) -> StandingOrder:
    """Give an order to transfer 1.00 each month, and let it be refused today."""
    now = timezone.now()
    today = timezone.localdate(now)
    order = create_standing_order(
        terms=Terms(debtor.pk, creditor.pk, 1_00, "BRL", Schedule(ScheduleKind.MONTHLY, today, day=today.day)),
        client_id=debtor.client_id,
        principal_id=debtor.client.user_id,
        now=now,
    )
    Run.objects.create(standing_order=order, due_date=today, outcome="refused", code="account_blocked", ran_at=now)
    return order


def reserve(*, account: Account, amount: int) -> Hold:
    """Hold funds of an account."""
    with transaction.atomic():
        return place_hold(account_id=account.pk, amount=amount, now=timezone.now())
