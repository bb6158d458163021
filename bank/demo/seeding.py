"""Making the demo bank: its people, thirty days of their past, and what waits today.

Each step asks whether it was ever taken, not whether its effect still shows. So seeding again changes nothing, also
when somebody has blocked, unblocked or emptied something since, and a run that was cut off is completed by the next.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.services import open_account
from bank.demo.casework import seed_casework, seed_sanctions
from bank.demo.documents import draw_card, write_bill
from bank.demo.history import choose_beginning, live_through
from bank.demo.people import (
    ADMIN,
    BOB,
    BRUNO,
    CUSTOMERS,
    KYC_ANALYST,
    PARTNERS,
    PASSWORD,
    STAFF,
    DemoAccount,
    DemoClient,
)
from bank.demo.steps import ALICE, CARLA, DAYS, SAVINGS, Accounts, name_account
from bank.demo.stories import make_hold_order, make_payment_order
from core.errors import BankError
from core.models import User
from core.money import format_amount
from kyc.cases import decide_case
from kyc.models import Client, ClientDocument
from kyc.screening.runs import screen_client
from kyc.selectors import get_fingerprint
from kyc.services import add_document, register_client
from kyc.states import DocumentKind, KycStatus
from ledger.models import Hold
from ledger.states import HoldOrigin
from transfers.holds import place_hold
from transfers.payments.models import Payment
from transfers.payments.services import order_payment
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.schedules import Schedule
from transfers.standing_orders.services import Terms, create_standing_order
from transfers.standing_orders.states import ScheduleKind

_PAYMENT = 150_00
_HELD = 80_00
_SAVED = 200_00


def seed(*, now: datetime) -> Iterator[str]:
    """Make what is missing of the demo bank, and yield a line for each thing as it is made."""
    yield from _seed_users()
    begin = _find_beginning(now=now)
    yield from seed_sanctions(now=begin)
    for demo in CUSTOMERS:
        yield from _seed_customer(demo, begin=begin)
    accounts = _get_accounts()
    if steps := live_through(accounts=accounts, begin=begin):
        yield f"{DAYS} days of history: {steps} steps"
    yield from _seed_applicant(BRUNO, at=begin + timedelta(days=DAYS - 1, hours=12), now=now)
    yield from _seed_applicant(BOB, at=begin + timedelta(days=DAYS - 1, hours=13), now=now)
    yield from seed_casework(_get_client(BOB), at=begin + timedelta(days=DAYS - 1, hours=14), now=now)
    since = begin + timedelta(days=DAYS - 1)  # later than all payments and holds of the history
    yield from _seed_payment(accounts, since=since, now=now)
    yield from _seed_hold(accounts, since=since, now=now)
    yield from _seed_standing_order(accounts, now=now)


def _seed_users() -> Iterator[str]:
    if not User.objects.filter(username=ADMIN).exists():
        User.objects.create_superuser(username=ADMIN, password=PASSWORD)
        yield f"{ADMIN}: superuser"
    for role in (*STAFF, *PARTNERS):
        if not User.objects.filter(username=role).exists():
            _make_user(role)
            yield f"{role}: {'member of staff' if role in STAFF else 'partner system'}"


def _make_user(role: str) -> None:
    with transaction.atomic(durable=True):
        user = User.objects.create_user(username=role, password=PASSWORD, is_staff=role in STAFF)
        user.groups.add(Group.objects.get(name=role))


def _find_beginning(*, now: datetime) -> datetime:
    """Return when the first customer came, or is to come."""
    first = Client.objects.filter(user__username=CUSTOMERS[0].username).first()
    return first.created_at if first else choose_beginning(now=now)


def _seed_customer(demo: DemoClient, *, begin: datetime) -> Iterator[str]:
    client = _find_client(demo)
    if client is None:
        client = _register(demo, now=begin)
        yield f"{demo.username}: client in review"
    if not client.cases.exclude(status=KycStatus.IN_REVIEW).exists():
        _verify(client, now=begin + timedelta(hours=1))
        yield f"{demo.username}: verified"
    for terms in demo.accounts:
        yield from _seed_account(demo, client, terms, now=begin + timedelta(minutes=90))


def _find_client(demo: DemoClient) -> Client | None:
    return Client.objects.filter(user__username=demo.username).first()


def _get_client(demo: DemoClient) -> Client:
    return Client.objects.get(user__username=demo.username)


def _register(demo: DemoClient, *, now: datetime) -> Client:
    return register_client(
        name=demo.name,
        email=f"{demo.username}@example.com",
        username=demo.username,
        document_type=demo.document_type,
        document_number=demo.document_number,
        birth_date=demo.birth_date,
        password=PASSWORD,
        now=now,
    )


def _verify(client: Client, *, now: datetime) -> None:
    screen_client(client_id=client.pk, now=now)
    case = client.cases.get()
    decide_case(
        case_id=case.id,
        seen=get_fingerprint(case=case),
        decision=KycStatus.VERIFIED,
        decided_by=User.objects.get(username=KYC_ANALYST),
        reason="Invented for the demo",
        now=now,
    )


def _seed_account(demo: DemoClient, client: Client, terms: DemoAccount, *, now: datetime) -> Iterator[str]:
    if not Account.objects.filter(client=client, kind=terms.kind, currency=terms.currency).exists():
        account = open_account(client_id=client.id, kind=terms.kind, currency=terms.currency, now=now)
        yield f"{demo.username}: {terms.currency} {terms.kind} account {account.number}"


def _get_accounts() -> Accounts:
    """Return the accounts of the demo's customers; of two that one has opened alike, the first."""
    usernames = [demo.username for demo in CUSTOMERS]
    accounts = Account.objects.filter(client__user__username__in=usernames).select_related("client__user")
    return {
        name_account(username=account.client.user.username, currency=account.currency, kind=account.kind): account
        for account in accounts.order_by("-pk")
    }


def _seed_applicant(demo: DemoClient, *, at: datetime, now: datetime) -> Iterator[str]:
    """Let somebody register, send two documents and wait for a decision; a past that is none ends now."""
    client = _find_client(demo)
    if client is None:
        client = _register(demo, now=min(at, now))
        yield f"{demo.username}: client in review"
    screen_client(client_id=client.pk, now=min(at, now))
    if client.cases.exclude(status=KycStatus.IN_REVIEW).exists():
        return
    for minutes, kind, make in ((4, DocumentKind.IDENTITY, draw_card), (9, DocumentKind.ADDRESS, write_bill)):
        if not ClientDocument.objects.filter(client=client, kind=kind).exists():
            sent_at = min(at + timedelta(minutes=minutes), now)
            add_document(client_id=client.id, kind=kind, file=make(demo), now=sent_at)
            yield f"{demo.username}: document, {kind}"


def _seed_payment(accounts: Accounts, *, since: datetime, now: datetime) -> Iterator[str]:
    """Let Alice pay somebody at another bank, which waits."""
    debtor = accounts[ALICE]
    if Payment.objects.filter(client_id=debtor.client_id, created_at__gt=since).exists():
        return
    try:
        order_payment(
            order=make_payment_order(debtor, amount=_PAYMENT, key="demo-payment", text="Invoice 2026-117"), now=now
        )
        yield f"alice: {format_amount(_PAYMENT, debtor.currency)} {debtor.currency} held for a payment to another bank"
    except BankError as refusal:  # somebody has used her money since
        yield f"alice: no payment to another bank: {refusal.text}"


def _seed_hold(accounts: Accounts, *, since: datetime, now: datetime) -> Iterator[str]:
    """Let Carla reserve something for a month."""
    account = accounts[CARLA]
    if Hold.objects.filter(account_id=account.pk, origin=HoldOrigin.CUSTOMER, created_at__gt=since).exists():
        return
    order = make_hold_order(account, amount=_HELD, key="demo-hold", expires_at=now + timedelta(days=30))
    try:
        place_hold(order=order, now=now)
        yield f"carla: {format_amount(_HELD, account.currency)} {account.currency} held"
    except BankError as refusal:
        yield f"carla: no hold: {refusal.text}"


def _seed_standing_order(accounts: Accounts, *, now: datetime) -> Iterator[str]:
    """Let Alice save something on the fifth of each month."""
    debtor, creditor = accounts[ALICE], accounts[SAVINGS]
    if StandingOrder.objects.filter(client_id=debtor.client_id).exists():
        return
    terms = Terms(
        debtor_account_id=debtor.pk,
        creditor_account_id=creditor.pk,
        amount=_SAVED,
        currency=debtor.currency,
        schedule=Schedule(ScheduleKind.MONTHLY, first_date=timezone.localdate(now) + timedelta(days=1), day=5),
        remittance_information="For a rainy day",
    )
    try:
        create_standing_order(terms=terms, client_id=debtor.client_id, principal_id=debtor.client.user_id, now=now)
        yield f"alice: standing order of {format_amount(_SAVED, debtor.currency)} {debtor.currency} a month"
    except BankError as refusal:
        yield f"alice: no standing order: {refusal.text}"
