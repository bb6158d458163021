"""Opening, blocking and reading customers' accounts."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.errors import OverdraftInUseError
from accounts.models import Account
from accounts.numbers import parse_number
from accounts.selectors import (
    find_account_ids,
    get_account,
    get_balance,
    get_balance_at,
    list_accounts,
)
from accounts.services import open_account
from accounts.states import AccountStatus, BalanceSource, CustomerAccountKind
from core.errors import BankError, InvalidInputError
from core.ids import uuid7
from core.money import MAX_AMOUNT_MINOR
from events.models import Event
from kyc.cases import reopen_case
from kyc.errors import ClientInactiveError, ClientNotFoundError, ClientNotVerifiedError
from kyc.models import Client
from kyc.states import KycStatus
from ledger.errors import (
    AccountInactiveError,
    AccountNotFoundError,
    InsufficientFundsError,
)
from tests.factories import (
    make_account,
    make_alice,
    make_bob,
    make_client,
    make_inactive_account,
    make_inactive_client,
    pay_in,
    pay_out,
    set_overdraft_limit,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def open_checking(
    *, client: Client, currency: str = "BRL", kind: str = "checking", overdraft_limit: int = 0
) -> Account:
    """Open an account of `client`."""
    return open_account(client_id=client.id, kind=kind, currency=currency, overdraft_limit=overdraft_limit, now=NOW)


def test_an_account_starts_active_and_empty_in_the_books() -> None:
    alice = make_alice()

    account = open_checking(client=alice, overdraft_limit=5_00)

    account = Account.objects.select_related("ledger_account").get(pk=account.pk)
    assert (account.client, account.status, account.created_at) == (alice, AccountStatus.ACTIVE, NOW)
    assert parse_number(text=account.number) == account.number
    books = account.ledger_account
    assert (books.chart_code, books.currency, books.balance, books.floor) == ("2000", "BRL", 0, -5_00)
    assert books.available == 5_00


def test_opening_writes_its_event() -> None:
    account = open_checking(client=make_alice())

    event = Event.objects.latest("seq")
    assert (event.type, event.key, event.occurred_at) == ("account.created", account.pk, NOW)
    assert event.payload == {
        "account": str(account.pk),
        "client": str(account.client_id),
        "kind": "checking",
        "currency": "BRL",
        "overdraft_limit": 0,
    }


def test_refuses_account_for_client_in_review() -> None:
    with pytest.raises(ClientNotVerifiedError):
        open_checking(client=make_bob())


def test_refuses_account_for_rejected_client() -> None:
    with pytest.raises(ClientNotVerifiedError):
        open_checking(client=make_client(kyc_status=KycStatus.REJECTED))


def test_refuses_account_for_client_that_is_looked_at_again() -> None:
    alice = make_alice()
    reopen_case(client_id=alice.id, reason="Review due", actor=None, now=NOW)

    with pytest.raises(ClientNotVerifiedError):
        open_checking(client=alice)


def test_refuses_account_for_inactive_client() -> None:
    with pytest.raises(ClientInactiveError):
        open_checking(client=make_inactive_client())


def test_refuses_account_for_nobody() -> None:
    with pytest.raises(ClientNotFoundError):
        open_account(client_id=uuid7(), kind="checking", currency="BRL", now=NOW)


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("kind", {"kind": "gold"}),
        ("kind", {"kind": ""}),
        ("currency", {"currency": "BRX"}),
        ("currency", {"currency": "brl"}),
        ("currency", {"currency": "XAU"}),  # gold has no minor unit
        ("currency", {"currency": ""}),
        ("currency", {"currency": "B\x00L"}),
        ("currency", {"currency": "\ud800"}),
        ("overdraft_limit", {"overdraft_limit": -1}),
        ("overdraft_limit", {"overdraft_limit": MAX_AMOUNT_MINOR + 1}),
    ],
)
def test_refuses_terms_that_no_account_has(field: str, terms: dict[str, object]) -> None:
    alice = make_alice()

    with pytest.raises(InvalidInputError) as refused:
        open_checking(client=alice, **terms)  # type: ignore[arg-type]

    assert list(refused.value.errors) == [field]
    assert not Account.objects.exists()


def test_an_overdraft_lets_the_balance_fall_below_zero_and_no_further() -> None:
    account = make_account(balance=10_00)

    set_overdraft_limit(account_id=account.pk, overdraft_limit=5_00, reason="Asked for", actor=None, now=NOW)

    pay_out(account_id=account.pk, amount=15_00)
    with pytest.raises(InsufficientFundsError):
        pay_out(account_id=account.pk, amount=1)


def test_refuses_to_lower_an_overdraft_below_what_is_used() -> None:
    account = make_account(overdraft_limit=5_00)
    pay_out(account_id=account.pk, amount=3_00)

    with pytest.raises(OverdraftInUseError):
        set_overdraft_limit(account_id=account.pk, overdraft_limit=2_99, reason="Asked for", actor=None, now=NOW)


def test_lowers_an_overdraft_to_what_is_used() -> None:
    account = make_account(overdraft_limit=5_00)
    pay_out(account_id=account.pk, amount=3_00)

    account = set_overdraft_limit(account_id=account.pk, overdraft_limit=3_00, reason="Asked for", actor=None, now=NOW)

    assert account.overdraft_limit == 3_00


@pytest.mark.parametrize(
    ("limit", "error"), [(-1, InvalidInputError), (MAX_AMOUNT_MINOR + 1, InvalidInputError), (0, AccountInactiveError)]
)
def test_refuses_an_overdraft_that_no_account_has(limit: int, error: type[BankError]) -> None:
    with pytest.raises(error):
        set_overdraft_limit(
            account_id=make_inactive_account().pk, overdraft_limit=limit, reason="Asked for", actor=None, now=NOW
        )


def test_lists_a_clients_own_accounts_in_the_order_of_their_opening() -> None:
    alice = make_alice()
    accounts = [make_account(client=alice), make_account(client=alice, currency="JPY")]
    make_account()

    assert list(list_accounts(client_id=alice.id)) == accounts


def test_another_clients_account_looks_like_one_that_does_not_exist() -> None:
    alice, account = make_alice(), make_account()

    assert get_account(account_id=account.pk, client_id=account.client_id) == account
    for account_id in (account.pk, uuid7()):
        with pytest.raises(AccountNotFoundError):
            get_account(account_id=account_id, client_id=alice.id)


def test_finds_accounts_by_number() -> None:
    account, other = make_account(), make_account(kind=CustomerAccountKind.SAVINGS)

    found = find_account_ids(numbers=[account.number, other.number, "123456789012"])

    assert found == {account.number: account.pk, other.number: other.pk}


def test_readers_see_the_balance_as_it_is_and_as_it_was() -> None:
    account = make_account(now=NOW)
    pay_in(account_id=account.pk, amount=10_00, now=NOW)
    pay_in(account_id=account.pk, amount=5_00, now=NOW + timedelta(days=1))

    balance, source = get_balance(account=account, now=NOW + timedelta(days=2))
    past, past_source = get_balance_at(account_id=account.pk, at=NOW + timedelta(hours=1))

    assert (balance.booked, balance.available, balance.version, source) == (15_00, 15_00, 2, BalanceSource.LEDGER)
    assert (past.booked, past.version, past_source) == (10_00, 1, BalanceSource.LEDGER)
