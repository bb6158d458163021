"""Writes about customers' accounts: opening, blocking, overdrafts, inactivation.

An account's state changes only under the lock of its ledger row, which every posting takes as well. So a posting sees
either the old state or the new one, and the account's own row needs no lock.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.blocks import end_block, place_block
from accounts.errors import (
    AccountHasBalanceError,
    BlockLiftedError,
    BlockNotFoundError,
    OverdraftInUseError,
    TooManyAccountsError,
    TransactionInProgressError,
)
from accounts.events import account_created, account_inactivated, overdraft_changed
from accounts.models import Account, AccountBlock
from accounts.numbers import make_number
from accounts.states import AccountStatus, BlockScope, CustomerAccountKind
from approvals.models import Approval
from core.errors import BankError, InvalidInputError
from core.models import User
from core.money import MAX_AMOUNT_MINOR, get_exponent
from core.text import clean_line
from events.services import record_events
from kyc.errors import ClientInactiveError, ClientNotVerifiedError
from kyc.locks import lock_client
from kyc.models import Client
from kyc.services import mark_inactive
from kyc.states import ClientStatus, KycStatus
from ledger import restrictions
from ledger.chart import CUSTOMERS
from ledger.errors import AccountBusyError, AccountInactiveError, AccountNotFoundError
from ledger.locks import lock_accounts
from ledger.models import LedgerAccount
from ledger.services import open_account as open_ledger_account

logger = logging.getLogger(__name__)

CLIENT_REJECTED = "client_rejected"
"""Why the system blocked an account: the bank no longer accepts its client."""

_DUE_AT_ONCE = 1_000
"""How many blocks one run lifts at most; the next one goes on."""


def open_account(*, client_id: UUID, kind: str, currency: str, now: datetime, overdraft_limit: int = 0) -> Account:
    """Open an account for an active, verified client; `overdraft_limit` is in minor units.

    Raises InvalidInputError, ClientNotFoundError, ClientInactiveError, ClientNotVerifiedError, ClientBusyError, or
    TooManyAccountsError for one more than MAX_ACCOUNTS_PER_CLIENT that are not inactive.
    """
    _check_terms(kind=kind, currency=currency)
    check_overdraft_limit(overdraft_limit=overdraft_limit)
    with transaction.atomic(durable=True):
        # The lock keeps an inactivation of the client from overlooking this account, and rivals from one too many.
        client = lock_client(client_id=client_id)
        _require_verified(client)
        _require_room(client)
        number = _choose_number()
        account = Account.objects.create(
            ledger_account=open_ledger_account(
                line=CUSTOMERS,
                name=number,
                currency=currency,
                floor=-overdraft_limit,
                holder_id=client_id,
                now=now,
            ),
            number=number,
            client_id=client_id,
            kind=kind,
            currency=currency,
            overdraft_limit=overdraft_limit,
            created_at=now,
        )
        record_events(events=[account_created(account=account, now=now)])
    return account


def _check_terms(*, kind: str, currency: str) -> None:
    errors: dict[str, Sequence[str]] = {}
    if kind not in CustomerAccountKind.values:
        errors["kind"] = [f"Give one of {', '.join(CustomerAccountKind.values)}."]
    try:
        get_exponent(currency)
    except InvalidInputError as error:
        errors |= error.errors
    if errors:
        raise InvalidInputError(errors=errors)


def check_overdraft_limit(*, overdraft_limit: int) -> None:
    """Refuse a limit, in minor units, that no account can have. Raises InvalidInputError."""
    if not 0 <= overdraft_limit <= MAX_AMOUNT_MINOR:
        raise InvalidInputError(errors={"overdraft_limit": [f"Give 0 to {MAX_AMOUNT_MINOR} minor units."]})


def _require_verified(client: Client) -> None:
    if client.status != ClientStatus.ACTIVE:
        raise ClientInactiveError
    if client.kyc_status != KycStatus.VERIFIED:
        raise ClientNotVerifiedError


def _require_room(client: Client) -> None:
    if client.accounts.exclude(status=AccountStatus.INACTIVE).count() >= settings.MAX_ACCOUNTS_PER_CLIENT:
        raise TooManyAccountsError


def _choose_number() -> str:
    """Return a number that no account has. The unique constraint stops the rival that draws the same meanwhile."""
    while Account.objects.filter(number=(number := make_number())).exists():
        pass
    return number


def block_account(
    *,
    account_id: UUID,
    reason: str,
    actor: User | None,
    now: datetime,
    scope: BlockScope = BlockScope.BOTH,
    valid_until: datetime | None = None,
) -> Account:
    """Let no money leave, enter, or both, until the block is lifted; without an `actor`, the system does it.

    Raises InvalidInputError, AccountNotFoundError, AccountInactiveError, BlockStandsError or AccountBusyError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        account = _lock_account(account_id=account_id)
        place_block(account=account, scope=scope, reason=reason, actor=actor, now=now, valid_until=valid_until)
    return account


def block_accounts_of_rejected(*, client_ids: Collection[UUID], now: datetime) -> list[Account]:
    """Block the accounts of clients whom the bank has rejected, in the caller's transaction; return them.

    Other blocks do not spare an account from this one, as they may be lifted. A client that is not rejected any more
    keeps its accounts. Raises ClientNotFoundError, ClientBusyError or AccountBusyError.
    """
    clients = [lock_client(client_id=client_id) for client_id in sorted(client_ids)]
    rejected = [client.id for client in clients if client.kyc_status == KycStatus.REJECTED]
    found = Account.objects.filter(client__in=rejected)
    books = lock_accounts(account_ids=list(found.values_list("pk", flat=True)))
    standing = AccountBlock.objects.filter(lifted_at__isnull=True, placed_by__isnull=True, reason=CLIENT_REJECTED)
    accounts = list(found.exclude(status=AccountStatus.INACTIVE).exclude(blocks__in=standing).order_by("pk"))
    for account in accounts:
        account.ledger_account = books[account.pk]
        place_block(account=account, scope=BlockScope.BOTH, reason=CLIENT_REJECTED, actor=None, now=now)
    return accounts


def lift_block(*, block_id: UUID, approval: Approval, now: datetime) -> AccountBlock:
    """Lift one block, in the transaction that carries out its approval; with the last one, all money moves again.

    Raises BlockNotFoundError, BlockLiftedError, AccountInactiveError or AccountBusyError.
    """
    return _lift(block_id=block_id, approval=approval, now=now)


def lift_due_blocks(*, now: datetime) -> int:
    """Lift the blocks whose time is over, each in a transaction of its own; return how many.

    A block on an account that is busy is left for the next run, as waiting for it would hold up the others.
    """
    due = AccountBlock.objects.filter(
        lifted_at__isnull=True, valid_until__lte=now, account__status=AccountStatus.BLOCKED
    ).order_by("valid_until")
    lifted = busy = 0
    for block_id in due.values_list("pk", flat=True)[:_DUE_AT_ONCE]:
        try:
            with transaction.atomic(durable=True):
                _lift(block_id=block_id, approval=None, now=now, nowait=True)
            lifted += 1
        except (BlockLiftedError, AccountInactiveError):
            continue  # between the query and the lock
        except AccountBusyError:
            busy += 1
    if busy:
        logger.warning("Blocks that are over but stand until the next run, as their accounts are busy: %d", busy)
    return lifted


def _lift(*, block_id: UUID, approval: Approval | None, now: datetime, nowait: bool = False) -> AccountBlock:
    """Lift a block as two people agreed; without an approval, as its time is over."""
    account_id = AccountBlock.objects.filter(pk=block_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise BlockNotFoundError
    account = _lock_account(account_id=account_id, nowait=nowait)
    block = AccountBlock.objects.get(pk=block_id)  # as it is under the lock
    if block.lifted_at is not None:
        raise BlockLiftedError
    end_block(block=block, account=account, approval=approval, now=now)
    return block


def set_overdraft_limit(*, account_id: UUID, overdraft_limit: int, approval: Approval, now: datetime) -> Account:
    """Let the balance fall to minus `overdraft_limit` minor units, in the transaction that carries out its approval.

    Raises InvalidInputError, AccountNotFoundError, AccountInactiveError, AccountBusyError, and OverdraftInUseError
    if the account is below that already.
    """
    check_overdraft_limit(overdraft_limit=overdraft_limit)
    account = _lock_account(account_id=account_id)
    books = account.ledger_account
    if books.balance - books.pending < -overdraft_limit:
        raise OverdraftInUseError
    restrictions.set_floor(account=books, floor=-overdraft_limit, now=now)
    account.overdraft_limit = overdraft_limit
    account.overdraft_approval = approval
    account.save(update_fields=["overdraft_limit", "overdraft_approval"])
    reason, actor = approval.request_reason, approval.requested_by
    record_events(events=[overdraft_changed(account=account, reason=reason, actor=actor, now=now)])
    return account


def _lock_account(*, account_id: UUID, nowait: bool = False) -> Account:
    """Lock the ledger row, then read the account under its lock. Raises AccountNotFoundError, AccountInactiveError."""
    books = lock_accounts(account_ids=[account_id], nowait=nowait).get(account_id)
    account = Account.objects.filter(pk=account_id).first()
    if books is None or account is None:
        raise AccountNotFoundError
    if account.status == AccountStatus.INACTIVE:
        raise AccountInactiveError
    account.ledger_account = books
    return account


def inactivate_account(*, account_id: UUID, reason: str, actor: User | None, now: datetime) -> Account:
    """Close an empty account for good (I7); without an `actor`, the system does it.

    Raises InvalidInputError, AccountNotFoundError, AccountInactiveError on a repeat, TransactionInProgressError or
    AccountHasBalanceError; it never waits for a movement.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        account = Account.objects.filter(pk=account_id).first()
        if account is None:
            raise AccountNotFoundError
        if not _inactivate(accounts=[account], reason=reason, actor=actor, now=now):
            raise AccountInactiveError
    return account


def inactivate_client(*, client_id: UUID, reason: str, actor: User | None, now: datetime) -> Client:
    """Close all accounts of a client, or none, and shut the client out for good (I7).

    Raises InvalidInputError, ClientNotFoundError, ClientInactiveError on a repeat, ClientBusyError, and
    TransactionInProgressError or AccountHasBalanceError with the accounts concerned.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        client = lock_client(client_id=client_id)
        accounts = list(client.accounts.exclude(status=AccountStatus.INACTIVE).order_by("pk"))
        _inactivate(accounts=accounts, reason=reason, actor=actor, now=now)
        mark_inactive(client=client, reason=reason, actor=actor, now=now)
    return client


def _inactivate(*, accounts: Sequence[Account], reason: str, actor: User | None, now: datetime) -> list[Account]:
    """Close those of `accounts` that are not closed yet, all or none, and return them."""
    books = _lock_idle(accounts)
    closing = [account for account in accounts if books[account.pk].closed_at is None]
    _refuse_if_any(AccountHasBalanceError, [account for account in closing if books[account.pk].balance])
    _close(closing, books=books, reason=reason, now=now)
    record_events(events=[account_inactivated(account=account, actor=actor, now=now) for account in closing])
    return closing


def _lock_idle(accounts: Sequence[Account]) -> dict[UUID, LedgerAccount]:
    """Lock the accounts without waiting; where money is moving, refuse by name.

    An open hold is a movement under way, too; a transfer in review has one.
    """
    books = _lock_without_waiting([account.pk for account in accounts])
    idle = {pk for pk, row in books.items() if not (row.pending_debits or row.pending_credits)}
    _refuse_if_any(TransactionInProgressError, [account for account in accounts if account.pk not in idle])
    return books


def _lock_without_waiting(account_ids: Sequence[UUID]) -> dict[UUID, LedgerAccount]:
    """Lock all accounts at once; if any is busy, one by one, which leaves out those that are."""
    with suppress(AccountBusyError), transaction.atomic():
        return lock_accounts(account_ids=account_ids, nowait=True)
    books: dict[UUID, LedgerAccount] = {}
    for account_id in account_ids:
        with suppress(AccountBusyError), transaction.atomic():
            books |= lock_accounts(account_ids=[account_id], nowait=True)
    return books


def _refuse_if_any(error: type[BankError], concerned: Iterable[Account]) -> None:
    accounts = [{"id": str(account.pk), "number": account.number} for account in concerned]
    if accounts:
        raise error(details={"accounts": accounts})


def _close(accounts: Sequence[Account], *, books: Mapping[UUID, LedgerAccount], reason: str, now: datetime) -> None:
    restrictions.close_accounts(accounts=[books[account.pk] for account in accounts], now=now)
    for account in accounts:
        account.status = AccountStatus.INACTIVE
        account.status_reason = reason
        account.inactivated_at = books[account.pk].closed_at
    Account.objects.bulk_update(accounts, ["status", "status_reason", "inactivated_at"])
