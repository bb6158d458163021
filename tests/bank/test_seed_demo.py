"""The demo bank is what its users are told, and seeding it again changes nothing."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import override_settings
from django.utils import timezone

from accounts.models import Account
from accounts.services import unblock_account
from accounts.states import AccountStatus
from bank.demo import PASSWORD
from bank.roles import ROLES
from core.models import User
from events.models import Event
from kyc.models import Client
from kyc.states import KycStatus
from ledger.models import JournalEntry, LedgerAccount
from tests.factories import pay_out
from transfers.payments.models import Payment
from transfers.payments.states import PaymentStatus
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.states import StandingOrderStatus

pytestmark = pytest.mark.django_db


def seed() -> str:
    """Run the command and return what it says."""
    output = io.StringIO()
    with override_settings(DEMO=True):
        call_command("seed_demo", stdout=output)
    return output.getvalue()


def count_rows() -> list[int]:
    """Count what seeding makes."""
    return [
        model._default_manager.count() for model in (User, Client, Account, JournalEntry, Payment, StandingOrder, Event)
    ]


def test_the_demo_bank_has_its_customers_with_their_money() -> None:
    seed()

    accounts = Account.objects.select_related("client__user", "ledger_account")
    assert {(a.client.user.username, a.currency, a.kind, a.ledger_account.balance, a.status) for a in accounts} == {
        ("alice", "BRL", "checking", 10_000_00, AccountStatus.ACTIVE),
        ("alice", "BRL", "savings", 0, AccountStatus.ACTIVE),
        ("alice", "USD", "checking", 100_00, AccountStatus.ACTIVE),
        ("carla", "BRL", "checking", 500_00, AccountStatus.ACTIVE),
        ("mallory", "BRL", "checking", 50_00, AccountStatus.BLOCKED),
    }
    assert Client.objects.get(user__username="bruno").kyc_status == KycStatus.IN_REVIEW


def test_alice_has_a_payment_that_waits_and_a_standing_order() -> None:
    seed()

    alice = Client.objects.get(user__username="alice")
    assert Payment.objects.get(client=alice).status == PaymentStatus.HELD
    assert StandingOrder.objects.get(client=alice).status == StandingOrderStatus.ACTIVE


def test_its_money_entered_by_balanced_entries() -> None:
    seed()

    sums = LedgerAccount.objects.values("currency").annotate(difference=Sum("posted_debits") - Sum("posted_credits"))
    assert JournalEntry.objects.count() == 4
    assert {row["currency"]: row["difference"] for row in sums} == {"BRL": 0, "USD": 0}


def test_everybody_signs_in_with_the_demo_password() -> None:
    seed()

    users = {user.username: user for user in User.objects.all()}
    assert set(users) == {
        "alice", "bruno", "carla", "mallory", "admin", "maker", "checker", "auditor", "partner",
    }  # fmt: skip
    assert all(user.check_password(PASSWORD) for user in users.values())
    assert {name for name, user in users.items() if user.is_staff} == {"admin", "maker", "checker", "auditor"}
    assert {name for name, user in users.items() if user.is_superuser} == {"admin"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_exactly_its_permissions(role: str) -> None:
    seed()

    assert User.objects.get(username=role).get_all_permissions() == set(ROLES[role])


def test_nobody_both_decides_on_clients_and_acts_on_accounts() -> None:
    acting = {"accounts.block_account", "accounts.inactivate_account"}

    assert not [role for role, names in ROLES.items() if "kyc.decide_kyccase" in names and acting & set(names)]


def _leave() -> None:
    """Change nothing between the runs."""


def _unblock_mallory() -> None:
    account = Account.objects.get(client__user__username="mallory")
    unblock_account(account_id=account.pk, reason="A mistake", actor=None, now=timezone.now())


def _take_carlas_money() -> None:
    pay_out(account_id=Account.objects.get(client__user__username="carla").pk, amount=500_00)


@pytest.mark.parametrize("meanwhile", [_leave, _unblock_mallory, _take_carlas_money])
def test_a_second_run_changes_nothing_and_says_so(meanwhile: Callable[[], None]) -> None:
    seed()
    meanwhile()
    before = count_rows()

    output = seed()

    assert output.strip() == "The demo bank is complete; nothing changed."
    assert count_rows() == before


def test_refuses_to_run_on_a_bank_that_is_no_demo() -> None:
    with override_settings(DEMO=False, DEBUG=False), pytest.raises(CommandError, match="DEMO=1"):
        call_command("seed_demo")

    assert not User.objects.exists()
