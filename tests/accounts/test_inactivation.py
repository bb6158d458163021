"""Invariant I7: what has money, or has money moving, is not inactivated, and what is inactive stays so."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from accounts.errors import AccountHasBalanceError, TransactionInProgressError
from accounts.models import Account
from accounts.services import inactivate_account, inactivate_client
from accounts.states import AccountStatus
from core.errors import InvalidInputError
from core.ids import uuid7
from events.models import Event
from kyc.errors import ClientInactiveError, ClientNotFoundError
from kyc.states import ClientStatus
from ledger.errors import AccountInactiveError, AccountNotFoundError
from ledger.holds import place_hold, release_hold
from ledger.models import Hold
from tests.factories import (
    make_account,
    make_alice,
    make_blocked_account,
    make_inactive_account,
    make_staff,
    pay_in,
    pay_out,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def hold(account: Account, *, amount: int) -> Hold:
    """Reserve `amount` minor units of the account."""
    with transaction.atomic():
        return place_hold(account_id=account.pk, amount=amount, now=NOW)


def release(held: Hold) -> None:
    """Give the held funds back."""
    with transaction.atomic():
        release_hold(hold_id=held.id, now=NOW)


def describe(account: Account) -> dict[str, str]:
    """Return the account as a refusal names it."""
    return {"id": str(account.pk), "number": account.number}


def test_an_empty_account_is_closed_for_good() -> None:
    account, maker = make_account(), make_staff()

    closed = inactivate_account(account_id=account.pk, reason="Moved away", actor=maker, now=NOW)

    closed.ledger_account.refresh_from_db()
    assert (closed.status, closed.status_reason) == (AccountStatus.INACTIVE, "Moved away")
    assert closed.inactivated_at == closed.ledger_account.closed_at == NOW
    with pytest.raises(AccountInactiveError):
        pay_in(account_id=account.pk, amount=1)


def test_inactivation_writes_its_event() -> None:
    account, maker = make_account(), make_staff()

    inactivate_account(account_id=account.pk, reason="Moved away", actor=maker, now=NOW)

    event = Event.objects.latest("seq")
    assert (event.type, event.key) == ("account.inactivated", account.pk)
    assert event.payload == {
        "account": str(account.pk),
        "client": str(account.client_id),
        "actor": maker.pk,
        "reason": "Moved away",
    }


def test_a_blocked_empty_account_can_be_inactivated() -> None:
    account = make_blocked_account()

    assert inactivate_account(account_id=account.pk, reason="Fraud", actor=None, now=NOW).status == "inactive"


def test_an_account_is_never_closed_before_its_latest_booking() -> None:
    account = make_account()
    booked_at = NOW + timedelta(seconds=1)
    pay_in(account_id=account.pk, amount=1, now=booked_at)
    pay_out(account_id=account.pk, amount=1, now=booked_at)

    closed = inactivate_account(account_id=account.pk, reason="Moved away", actor=None, now=NOW)

    assert closed.inactivated_at == booked_at


def test_refuses_to_inactivate_account_with_a_balance() -> None:
    account = make_account(balance=1)

    with pytest.raises(AccountHasBalanceError) as refused:
        inactivate_account(account_id=account.pk, reason="Moved away", actor=None, now=NOW)

    assert refused.value.details == {"accounts": [describe(account)]}


def test_refuses_to_inactivate_overdrawn_account() -> None:
    account = make_account(overdraft_limit=5_00)
    pay_out(account_id=account.pk, amount=1)

    with pytest.raises(AccountHasBalanceError):
        inactivate_account(account_id=account.pk, reason="Moved away", actor=None, now=NOW)


def test_an_open_hold_is_a_transaction_in_progress_until_it_ends() -> None:
    account = make_account(overdraft_limit=5_00)
    held = hold(account, amount=1)

    with pytest.raises(TransactionInProgressError) as refused:
        inactivate_account(account_id=account.pk, reason="Moved away", actor=None, now=NOW)

    assert refused.value.details == {"accounts": [describe(account)]}
    release(held)
    inactivate_account(account_id=account.pk, reason="Moved away", actor=None, now=NOW)


def test_refuses_to_inactivate_an_account_twice() -> None:
    with pytest.raises(AccountInactiveError):
        inactivate_account(account_id=make_inactive_account().pk, reason="Again", actor=None, now=NOW)


def test_refuses_to_inactivate_an_account_that_does_not_exist() -> None:
    with pytest.raises(AccountNotFoundError):
        inactivate_account(account_id=uuid7(), reason="Why not", actor=None, now=NOW)


def test_refuses_to_inactivate_without_a_reason() -> None:
    account = make_account()

    with pytest.raises(InvalidInputError):
        inactivate_account(account_id=account.pk, reason=" ", actor=None, now=NOW)
    with pytest.raises(InvalidInputError):
        inactivate_client(client_id=account.client_id, reason=" ", actor=None, now=NOW)


def test_a_client_is_inactivated_with_all_accounts_and_signs_in_no_more() -> None:
    alice, maker = make_alice(), make_staff()
    accounts = [make_account(client=alice), make_account(client=alice, currency="USD")]

    client = inactivate_client(client_id=alice.id, reason="Asked to leave", actor=maker, now=NOW)

    assert (client.status, client.inactivated_at) == (ClientStatus.INACTIVE, NOW)
    assert client.inactivation_reason == "Asked to leave"
    client.user.refresh_from_db()
    assert not client.user.is_active
    assert {account.status for account in client.accounts.all()} == {AccountStatus.INACTIVE}
    *closings, last = Event.objects.order_by("seq").reverse()[:3][::-1]
    assert [(event.type, event.key) for event in closings] == [("account.inactivated", a.pk) for a in accounts]
    assert (last.type, last.key) == ("client.inactivated", alice.id)
    assert last.payload == {"client": str(alice.id), "actor": maker.pk, "reason": "Asked to leave"}


def test_accounts_that_were_inactive_before_stay_as_they_are() -> None:
    alice = make_alice()
    account = make_account(client=alice)
    inactivate_account(account_id=account.pk, reason="Not needed", actor=None, now=NOW)

    inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=NOW + timedelta(days=1))

    account.refresh_from_db()
    assert (account.status_reason, account.inactivated_at) == ("Not needed", NOW)


def test_one_account_with_a_balance_keeps_the_client_and_all_accounts_active() -> None:
    alice = make_alice()
    make_account(client=alice)
    full = make_account(client=alice, balance=1)

    with pytest.raises(AccountHasBalanceError) as refused:
        inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=NOW)

    alice.refresh_from_db()
    assert refused.value.details == {"accounts": [describe(full)]}
    assert alice.status == ClientStatus.ACTIVE
    assert alice.user.is_active
    assert {account.status for account in alice.accounts.all()} == {AccountStatus.ACTIVE}
    assert not Event.objects.filter(type__endswith=".inactivated").exists()


def test_a_transaction_in_progress_is_told_before_a_balance() -> None:
    alice = make_alice()
    make_account(client=alice, balance=1)
    moving = make_account(client=alice, balance=5_00)
    hold(moving, amount=5_00)

    with pytest.raises(TransactionInProgressError) as refused:
        inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=NOW)

    assert refused.value.details == {"accounts": [describe(moving)]}


def test_refuses_to_inactivate_a_client_twice() -> None:
    alice = make_alice()
    inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=NOW)

    with pytest.raises(ClientInactiveError):
        inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=NOW)


def test_refuses_to_inactivate_a_client_that_does_not_exist() -> None:
    with pytest.raises(ClientNotFoundError):
        inactivate_client(client_id=uuid7(), reason="Why not", actor=None, now=NOW)
