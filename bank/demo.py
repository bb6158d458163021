"""The demo bank: invented people, and money that enters as it does in a real bank.

Each step asks whether it was ever taken, not whether its effect still shows. So seeding again changes nothing, also
when somebody has blocked, unblocked or emptied something since, and a run that was cut off is completed by the next.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.services import block_account, open_account
from accounts.states import CustomerAccountKind
from core.errors import BankError
from core.models import User
from core.money import format_amount
from kyc.models import Client
from kyc.selectors import get_fingerprint
from kyc.services import decide_case, register_client
from kyc.states import DocumentType, KycStatus
from transfers.orders import TransferOrder
from transfers.payments.creditors import Creditor
from transfers.payments.models import Payment
from transfers.payments.orders import PaymentOrder
from transfers.payments.services import order_payment
from transfers.services import submit_transfer
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.schedules import Schedule
from transfers.standing_orders.services import Terms, create_standing_order
from transfers.standing_orders.states import ScheduleKind
from transfers.states import TransferKind

PASSWORD = "demo-Bank-2026"  # noqa: S105 - printed at the start; the demo bank holds no real data

ADMIN = "admin"
CHECKER = "checker"
STAFF = ("maker", CHECKER, "auditor")
PARTNERS = ("partner",)


_PAYMENT = 150_00
_SAVED = 200_00


class DemoAccount(NamedTuple):
    """An account to be opened; `balance` in minor units."""

    kind: CustomerAccountKind
    currency: str
    balance: int
    is_blocked: bool = False


class DemoClient(NamedTuple):
    """A customer, who signs in as `username`."""

    username: str
    name: str
    cpf: str
    birth_date: date
    is_verified: bool
    accounts: tuple[DemoAccount, ...]


CLIENTS = (
    DemoClient(
        username="alice",
        name="Alice Almeida",
        cpf="529.982.247-25",
        birth_date=date(1988, 4, 12),
        is_verified=True,
        accounts=(
            DemoAccount(CustomerAccountKind.CHECKING, "BRL", 10_000_00),
            DemoAccount(CustomerAccountKind.SAVINGS, "BRL", 0),
            DemoAccount(CustomerAccountKind.CHECKING, "USD", 100_00),
        ),
    ),
    DemoClient(
        username="bruno",
        name="Bruno Barbosa",
        cpf="111.444.777-35",
        birth_date=date(1995, 9, 30),
        is_verified=False,
        accounts=(),
    ),
    DemoClient(
        username="carla",
        name="Carla Cardoso",
        cpf="935.411.347-80",
        birth_date=date(1979, 1, 23),
        is_verified=True,
        accounts=(DemoAccount(CustomerAccountKind.CHECKING, "BRL", 500_00),),
    ),
    DemoClient(
        username="mallory",
        name="Mallory Moreira",
        cpf="123.456.789-09",
        birth_date=date(1991, 7, 7),
        is_verified=True,
        accounts=(DemoAccount(CustomerAccountKind.CHECKING, "BRL", 50_00, is_blocked=True),),
    ),
)


def seed(*, now: datetime) -> Iterator[str]:
    """Make what is missing of the demo bank, and yield a line for each thing as it is made."""
    yield from _seed_users()
    for demo in CLIENTS:
        yield from _seed_client(demo, now=now)
    yield from _seed_payment(now=now)
    yield from _seed_standing_order(now=now)


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


def _seed_client(demo: DemoClient, *, now: datetime) -> Iterator[str]:
    client = Client.objects.filter(user__username=demo.username).first()
    if client is None:
        client = _register(demo, now=now)
        yield f"{demo.username}: client in review"
    if demo.is_verified and not client.cases.exclude(status=KycStatus.IN_REVIEW).exists():
        _verify(client, now=now)
        yield f"{demo.username}: verified"
    for terms in demo.accounts:
        yield from _seed_account(demo, client, terms, now=now)


def _register(demo: DemoClient, *, now: datetime) -> Client:
    return register_client(
        name=demo.name,
        email=f"{demo.username}@example.com",
        username=demo.username,
        document_type=DocumentType.CPF,
        document_number=demo.cpf,
        birth_date=demo.birth_date,
        password=PASSWORD,
        now=now,
    )


def _verify(client: Client, *, now: datetime) -> None:
    case = client.cases.get()
    decide_case(
        case_id=case.id,
        seen=get_fingerprint(case=case),
        decision=KycStatus.VERIFIED,
        decided_by=User.objects.get(username=CHECKER),
        reason="Invented for the demo",
        now=now,
    )


def _seed_account(demo: DemoClient, client: Client, terms: DemoAccount, *, now: datetime) -> Iterator[str]:
    account = Account.objects.filter(client=client, kind=terms.kind, currency=terms.currency).first()
    if account is None:
        account = open_account(client_id=client.id, kind=terms.kind, currency=terms.currency, now=now)
        yield f"{demo.username}: {terms.currency} {terms.kind} account {account.number}"
    if terms.balance and account.ledger_account.version == 0:
        _deposit(demo, account, terms, now=now)
        yield f"{demo.username}: {format_amount(terms.balance, terms.currency)} {terms.currency} paid in"
    if terms.is_blocked and not account.status_reason:
        block_account(account_id=account.pk, reason="Invented for the demo", actor=None, now=now)
        yield f"{demo.username}: {terms.currency} {terms.kind} account blocked"


def _seed_payment(*, now: datetime) -> Iterator[str]:
    """Let Alice pay somebody at another bank. It stays held: no rail takes payments there yet."""
    debtor = _get_account(CustomerAccountKind.CHECKING)
    if Payment.objects.filter(client_id=debtor.client_id).exists():
        return
    order = PaymentOrder(
        debtor_account_id=debtor.pk,
        creditor=Creditor("Bruno Barbosa", bank="341", branch="0001", account="12345-6"),
        amount=_PAYMENT,
        currency=debtor.currency,
        principal_id=debtor.client.user_id,
        idempotency_key="demo-payment",
        client_id=debtor.client_id,
        remittance_information="Invoice 2026-117",
    )
    try:
        order_payment(order=order, now=now)
        yield f"alice: {format_amount(_PAYMENT, debtor.currency)} {debtor.currency} held for a payment to another bank"
    except BankError as refusal:  # somebody has used her money since
        yield f"alice: no payment to another bank: {refusal.text}"


def _seed_standing_order(*, now: datetime) -> Iterator[str]:
    """Let Alice save something on the fifth of each month."""
    debtor, creditor = map(_get_account, (CustomerAccountKind.CHECKING, CustomerAccountKind.SAVINGS))
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


def _get_account(kind: CustomerAccountKind) -> Account:
    return Account.objects.select_related("client").get(client__user__username="alice", kind=kind, currency="BRL")


def _deposit(demo: DemoClient, account: Account, terms: DemoAccount, *, now: datetime) -> None:
    order = TransferOrder(
        kind=TransferKind.DEPOSIT,
        debtor_account_id=None,
        creditor_account_id=account.pk,
        amount=terms.balance,
        currency=terms.currency,
        principal_id=User.objects.get(username=ADMIN).pk,
        idempotency_key=f"demo-{demo.username}-{terms.currency}-{terms.kind}",
        client_id=None,
        remittance_information="Opening deposit",
    )
    submit_transfer(order=order, now=now)
