"""Accounts, clients and their rivals, on connections of their own: whoever is second sees what the first did."""

import time
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.errors import TooManyAccountsError, TransactionInProgressError
from accounts.models import Account
from accounts.services import inactivate_account, inactivate_client, open_account
from accounts.states import AccountStatus
from core.errors import BankError
from kyc.cases import decide_case
from kyc.errors import ClientBusyError, ClientExistsError, ClientInactiveError
from kyc.locks import lock_client
from kyc.models import Client, KycCase
from kyc.selectors import get_fingerprint
from kyc.states import ClientStatus, KycStatus
from tests.factories import make_account, make_alice, make_bob, make_client, make_staff
from tests.races.rivals import locked_elsewhere, run_together, start_until_blocked

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_inactivation_does_not_wait_for_a_transfer_that_holds_the_account() -> None:
    account = make_account()

    with locked_elsewhere(account.pk):
        started = time.monotonic()
        with pytest.raises(TransactionInProgressError) as refused:
            inactivate_account(account_id=account.pk, reason="Moved away", actor=None, now=NOW)
        waited_seconds = time.monotonic() - started

    assert waited_seconds < 1
    assert refused.value.details == {"accounts": [{"id": str(account.pk), "number": account.number}]}
    inactivate_account(account_id=account.pk, reason="Moved away", actor=None, now=NOW)


def test_one_busy_account_keeps_the_client_and_all_accounts_active() -> None:
    alice = make_alice()
    idle, busy = make_account(client=alice), make_account(client=alice)

    with locked_elsewhere(busy.pk), pytest.raises(TransactionInProgressError) as refused:
        inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=NOW)

    assert refused.value.details == {"accounts": [{"id": str(busy.pk), "number": busy.number}]}
    assert Client.objects.get().status == ClientStatus.ACTIVE
    assert Account.objects.get(pk=idle.pk).status == AccountStatus.ACTIVE


def test_an_account_opened_during_inactivation_is_refused() -> None:
    alice = make_alice()

    with transaction.atomic():
        lock_client(client_id=alice.id)
        get_outcome = start_until_blocked(lambda: _open(alice))
        # What `inactivate_client` does under its lock, in steps, so that the opening is caught in the middle.
        Client.objects.filter(id=alice.id).update(status=ClientStatus.INACTIVE, inactivated_at=NOW)

    assert isinstance(get_outcome(), ClientInactiveError)
    assert not Account.objects.exists()


@pytest.mark.parametrize("attempt", range(5))
def test_inactivation_and_opening_at_once_leave_no_open_account_of_an_inactive_client(attempt: int) -> None:
    alice = make_alice()

    run_together(
        lambda: _open(alice),
        lambda: inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=NOW),
        lambda: _open(alice),
    )

    alice.refresh_from_db()
    assert alice.status == ClientStatus.INACTIVE
    assert not alice.accounts.exclude(status=AccountStatus.INACTIVE).exists()


@pytest.mark.parametrize("attempt", range(5))
def test_of_openings_at_once_no_more_succeed_than_the_client_may_have(settings: Settings, attempt: int) -> None:
    settings.MAX_ACCOUNTS_PER_CLIENT = 3
    alice = make_alice()
    _open(alice)

    outcomes = run_together(*[lambda: _open(alice)] * 6)

    assert sum(isinstance(outcome, Account) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, TooManyAccountsError) for outcome in outcomes) == 4
    assert alice.accounts.count() == 3


def test_of_ten_inactivations_at_once_exactly_one_succeeds() -> None:
    account = make_account()

    outcomes = run_together(
        *[lambda: inactivate_account(account_id=account.pk, reason="Twice", actor=None, now=NOW) for _ in range(10)]
    )

    assert sum(isinstance(outcome, Account) for outcome in outcomes) == 1
    assert {getattr(o, "code", None) for o in outcomes} <= {None, "account_inactive", "transaction_in_progress"}


def test_of_five_decisions_at_once_exactly_one_succeeds() -> None:
    case, checker = KycCase.objects.get(client=make_bob()), make_staff()
    decisions = [KycStatus.VERIFIED, KycStatus.REJECTED] * 2 + [KycStatus.VERIFIED]

    seen = get_fingerprint(case=case)
    decide = partial(decide_case, case_id=case.id, seen=seen, decided_by=checker, reason="Seen", now=NOW)
    outcomes = run_together(*[partial(decide, decision=decision) for decision in decisions])

    [decided] = [outcome for outcome in outcomes if isinstance(outcome, KycCase)]
    assert Client.objects.get().kyc_status == decided.status
    assert [o.code for o in outcomes if isinstance(o, BankError)] == ["case_not_open"] * 4


def test_of_five_registrations_of_one_email_at_once_exactly_one_succeeds() -> None:
    outcomes = run_together(*[lambda: make_client(email="alice@example.com")] * 5)

    assert sum(isinstance(outcome, Client) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ClientExistsError) for outcome in outcomes) == 4


def test_a_client_that_stays_locked_is_busy() -> None:
    alice = make_alice()

    with locked_elsewhere(by=lambda account_ids: lock_client(client_id=alice.id)), pytest.raises(ClientBusyError):
        _open(alice)


def _open(client: Client) -> Account:
    return open_account(client_id=client.id, kind="checking", currency="BRL", now=NOW)
