"""Builders of what a test needs, each on top of the service that makes it in the bank.

Amounts are minor units. Alice is verified, Bob is in review, Mallory's account is blocked.
"""

from datetime import date, datetime
from itertools import count
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils import timezone
from msgspec import Struct

from accounts.blocks import list_standing_blocks
from accounts.models import Account, AccountBlock
from accounts.operations import BlockToLift, ChangeOverdraftLimit, LiftBlock, NewOverdraftLimit
from accounts.services import block_account, inactivate_account, inactivate_client, open_account
from accounts.states import CustomerAccountKind
from approvals.models import Approval
from approvals.operations import Operation
from approvals.services import approve, request_approval
from core.models import User
from kyc.cases import decide_case
from kyc.models import Client, KycCase, SanctionsList
from kyc.screening.runs import screen_client
from kyc.selectors import get_fingerprint
from kyc.services import register_client
from kyc.states import DocumentType, KycStatus
from ledger.batch import EntryDraft, Line
from ledger.chart import CASH
from ledger.services import get_internal_account_id, post_entries
from ledger.states import Side

PASSWORD = "a-Long-passphrase-42"

_numbers = count(1)


def make_cpf(*, number: int) -> str:
    """Return the CPF whose first nine digits are `number`, with its check digits."""
    digits = [int(digit) for digit in f"{number:09d}"]
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        remainder = sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11
        digits.append(0 if remainder < 2 else 11 - remainder)
    return "".join(map(str, digits))


def make_staff(*, username: str | None = None, permissions: tuple[str, ...] = (), is_superuser: bool = False) -> User:
    """Make a member of staff with `permissions`, each as app_label.codename."""
    name = username or f"staff-{next(_numbers)}"
    user = User.objects.create_user(username=name, password=PASSWORD, is_staff=True, is_superuser=is_superuser)
    give_permissions(user, *permissions)
    return user


def give_permissions(user: User, *permissions: str) -> None:
    """Put a user into a group for each permission, as nobody has permissions of their own."""
    for permission in permissions:
        group, _ = Group.objects.get_or_create(name=f"who may {permission}")
        app_label, codename = permission.split(".")
        group.permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))
        user.groups.add(group)


def make_partner() -> User:
    """Make a partner's system, which signs in to the API only."""
    user = User.objects.create_user(username=f"partner-{next(_numbers)}", password=PASSWORD)
    user.groups.add(Group.objects.get(name="partner"))
    return user


def make_client(
    *,
    name: str = "Alice Almeida",
    email: str | None = None,
    username: str | None = None,
    document_type: DocumentType = DocumentType.CPF,
    document_number: str | None = None,
    kyc_status: KycStatus = KycStatus.VERIFIED,
    now: datetime | None = None,
) -> Client:
    """Register a client with PASSWORD and decide its case, unless it stays in review.

    Without another document it has a CPF of its own.
    """
    now = now or timezone.now()
    number = next(_numbers)
    client = register_client(
        name=name,
        email=email or f"client-{number}@example.com",
        document_type=document_type,
        document_number=document_number or make_cpf(number=100_000_000 + number),
        birth_date=date(1990, 5, 17),
        password=PASSWORD,
        username=username,
        now=now,
    )
    screen(client=client, now=now)
    if kyc_status != KycStatus.IN_REVIEW:
        decide_client(client=client, decision=kyc_status, now=now)
    return client


def screen(*, client: Client, now: datetime | None = None) -> None:
    """Screen the client, if that waits, against the newest list, or one with nobody like our people on it."""
    now = now or timezone.now()
    if not SanctionsList.objects.exists():
        harmless = {"name": "Tests", "version": "1", "entry_count": 0, "loaded_at": now}
        SanctionsList.objects.get_or_create(sha256=bytes(32), defaults=harmless)
    screen_client(client_id=client.pk, now=now)


def decide_client(*, client: Client, decision: KycStatus, now: datetime | None = None) -> None:
    """Let a member of staff decide the client's open case, once it is screened."""
    screen(client=client, now=now)
    case = KycCase.objects.get(client=client, status=KycStatus.IN_REVIEW)
    decide_case(
        case_id=case.id,
        seen=get_fingerprint(case=case),
        decision=decision,
        decided_by=make_staff(),
        reason="Seen",
        now=now or timezone.now(),
    )
    client.refresh_from_db()


def make_alice() -> Client:
    """Make a verified client."""
    return make_client(name="Alice Almeida")


def make_bob() -> Client:
    """Make a client whose KYC case is still open."""
    return make_client(name="Bob Barbosa", kyc_status=KycStatus.IN_REVIEW)


def make_inactive_client(*, kyc_status: KycStatus = KycStatus.VERIFIED) -> Client:
    """Make a client without accounts and inactivate it."""
    client = make_client(kyc_status=kyc_status)
    return inactivate_client(client_id=client.id, reason="Asked to leave", actor=None, now=timezone.now())


def make_account(
    *,
    client: Client | None = None,
    currency: str = "BRL",
    kind: str = CustomerAccountKind.CHECKING,
    balance: int = 0,
    overdraft_limit: int = 0,
    now: datetime | None = None,
) -> Account:
    """Open an account, of a new verified client unless one is given, and pay `balance` into it in cash."""
    now = now or timezone.now()
    client = client or make_alice()
    account = open_account(client_id=client.id, kind=kind, currency=currency, overdraft_limit=overdraft_limit, now=now)
    if balance:
        pay_in(account_id=account.pk, currency=currency, amount=balance, now=now)
    return account


def make_blocked_account(*, balance: int = 0) -> Account:
    """Open and block an account of Mallory's."""
    account = make_account(client=make_client(name="Mallory Moreira"), balance=balance)
    return block_account(account_id=account.pk, reason="Suspected fraud", actor=None, now=timezone.now())


def unblock_account(*, account_id: UUID, now: datetime, reason: str = "Settled", actor: User | None = None) -> Account:
    """Lift all blocks of an account, however many stand."""
    account = Account.objects.get(pk=account_id)
    for block in list_standing_blocks(account=account):
        lift_block(block, reason=reason, actor=actor, now=now)
    account.refresh_from_db()
    return account


def lift_block(
    block: AccountBlock, *, now: datetime, reason: str = "Settled", actor: User | None = None
) -> AccountBlock:
    """Let a maker ask for the lifting of a block, the `actor` if there is one, and a checker approve it."""
    agree(LiftBlock, BlockToLift(block.pk), reason=reason, maker=actor, now=now)
    block.refresh_from_db()
    return block


def set_overdraft_limit(
    *, account_id: UUID, overdraft_limit: int, now: datetime, reason: str = "Asked for", actor: User | None = None
) -> Account:
    """Let two people change an account's overdraft limit."""
    agree(ChangeOverdraftLimit, NewOverdraftLimit(account_id, overdraft_limit), reason=reason, maker=actor, now=now)
    return Account.objects.get(pk=account_id)


def agree(
    operation: type[Operation], payload: Struct, *, now: datetime, reason: str = "Asked for", maker: User | None = None
) -> Approval:
    """Let one member of staff, the `maker` if given, request an operation and another approve it."""
    maker = maker or make_staff()
    give_permissions(maker, operation.request_permission)
    approval = request_approval(
        operation=operation.name, payload=payload, reason=reason, requested_by=User.objects.get(pk=maker.pk), now=now
    )
    checker = make_staff(permissions=(operation.approve_permission,))
    seen = bytes(approval.content_hash).hex()
    return approve(approval_id=approval.pk, seen=seen, decided_by=checker, reason="Right", now=now)


def make_inactive_account() -> Account:
    """Open an account and inactivate it."""
    account = make_account()
    return inactivate_account(account_id=account.pk, reason="Not needed", actor=None, now=timezone.now())


def pay_in(*, account_id: UUID, amount: int, currency: str = "BRL", now: datetime | None = None) -> UUID:
    """Post a cash deposit straight into the books and return the entry's id."""
    cash = get_internal_account_id(line=CASH, currency=currency)
    return _post(code="deposit", debit=cash, credit=account_id, amount=amount, now=now)


def pay_out(*, account_id: UUID, amount: int, currency: str = "BRL", now: datetime | None = None) -> UUID:
    """Post a cash withdrawal straight into the books and return the entry's id."""
    cash = get_internal_account_id(line=CASH, currency=currency)
    return _post(code="withdrawal", debit=account_id, credit=cash, amount=amount, now=now)


def _post(*, code: str, debit: UUID, credit: UUID, amount: int, now: datetime | None) -> UUID:
    draft = EntryDraft(code=code, lines=[Line(debit, Side.DEBIT, amount), Line(credit, Side.CREDIT, amount)])
    with transaction.atomic():
        return post_entries(drafts=[draft], now=now or timezone.now())[0]
