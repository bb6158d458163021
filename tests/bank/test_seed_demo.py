"""The demo bank is what its users are told, and seeding it again changes nothing."""

import io
from collections.abc import Callable
from datetime import timedelta
from itertools import count, product
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from accounts.models import Account
from accounts.states import AccountStatus
from bank.demo import movements
from bank.demo.people import PASSWORD
from bank.roles import ROLES
from core.models import User
from events.models import Event
from kyc.models import Client, ClientDocument, KycCase, ScreeningHit
from kyc.states import KycStatus
from ledger.models import Hold, JournalEntry
from ledger.states import HoldOrigin, HoldStatus
from tests.factories import pay_out, unblock_account
from transfers.antifraud.models import Judgement, Review
from transfers.antifraud.states import ReviewStatus
from transfers.models import Transfer
from transfers.payments.models import Payment
from transfers.payments.states import PaymentStatus
from transfers.services import submit_transfers
from transfers.standing_orders.models import StandingOrder
from transfers.standing_orders.states import StandingOrderStatus
from transfers.states import TransferKind, TransferStatus

pytestmark = pytest.mark.django_db


def seed() -> str:
    """Run the command and return what it says."""
    output = io.StringIO()
    with override_settings(DEMO=True):
        call_command("seed_demo", stdout=output)
    return output.getvalue()


ACCOUNTS = {
    ("alice", "BRL", "checking", 10_201_15, AccountStatus.ACTIVE),
    ("alice", "BRL", "savings", 840_22, AccountStatus.ACTIVE),
    ("alice", "USD", "checking", 1_094_05, AccountStatus.ACTIVE),
    ("carla", "BRL", "checking", 29_886_08, AccountStatus.ACTIVE),
    ("mallory", "BRL", "checking", 270_05, AccountStatus.BLOCKED),
}
"""Where the past always leads: owner, currency, kind, booked balance in minor units and status of each account."""


def list_accounts() -> set[tuple[str, str, str, int, str]]:
    """Return the accounts as ACCOUNTS has them."""
    accounts = Account.objects.select_related("client__user", "ledger_account")
    return {(a.client.user.username, a.currency, a.kind, a.ledger_account.balance, a.status) for a in accounts}


def count_rows() -> list[int]:
    """Count what seeding makes."""
    return [
        model._default_manager.count()
        for model in (User, Client, ClientDocument, Account, JournalEntry, Hold, Payment, StandingOrder, Event)
    ]


def test_the_demo_bank_has_its_customers_with_their_money() -> None:
    seed()

    assert list_accounts() == ACCOUNTS


def test_something_waits_today() -> None:
    seed()

    alice = Client.objects.get(user__username="alice")
    bruno = Client.objects.get(user__username="bruno")
    assert Payment.objects.get(client=alice, status=PaymentStatus.HELD).created_at > timezone.now() - timedelta(hours=1)
    assert StandingOrder.objects.get(client=alice).status == StandingOrderStatus.ACTIVE
    assert Hold.objects.get(status=HoldStatus.OPEN, origin=HoldOrigin.CUSTOMER).amount == 80_00
    assert bruno.kyc_status == KycStatus.IN_REVIEW
    assert set(bruno.documents.values_list("kind", "media_type")) == {
        ("identity", "image/png"),
        ("address", "application/pdf"),
    }


def test_analysts_have_a_hit_to_look_at_and_a_client_for_two_people() -> None:
    seed()

    bruno, bob = (KycCase.objects.get(client__user__username=name) for name in ("bruno", "bob"))
    assert ScreeningHit.objects.get(screening__client=bruno.client).disposition == ""
    assert (bob.risk, bob.waits_for, bob.notes.count()) == ("high", "analyst", 1)


def test_one_transfer_waits_in_review_and_one_was_rejected() -> None:
    seed()

    waiting = Review.objects.select_related("transfer").get(status=ReviewStatus.OPEN)
    assert (waiting.order.status, waiting.order.amount) == (TransferStatus.IN_REVIEW, 21_000_00)
    rejected = Transfer.objects.get(failure_code="rejected_by_antifraud")
    assert rejected.creditor_account == Account.objects.get(client__user__username="mallory")
    found = dict(Judgement.objects.values_list("id", "findings"))
    assert [found[each][0]["rule"] for each in (waiting.pk, rejected.pk)] == ["habit", "listed"]


def test_its_past_ran_for_thirty_days_and_shows_what_a_bank_sees() -> None:
    seed()

    transfers = Transfer.objects.all()
    today = timezone.localdate()
    days = {timezone.localdate(moment) for moment in transfers.values_list("created_at", flat=True)}
    assert days == {today - timedelta(days=ago) for ago in range(31)}
    assert {(t.kind, t.status) for t in transfers} >= set(product(TransferKind.values, ["completed"]))
    assert transfers.filter(status=TransferStatus.FAILED, failure_code="insufficient_funds").count() == 9
    assert set(Payment.objects.values_list("status", flat=True)) == {"held", "completed", "returned"}
    assert set(Hold.objects.filter(origin=HoldOrigin.CUSTOMER).values_list("status", flat=True)) == {
        "open", "captured", "released",
    }  # fmt: skip
    assert JournalEntry.objects.filter(reversal_of__isnull=False).count() == 1


def test_its_events_tell_the_past_in_order_and_nothing_of_the_future() -> None:
    seed()

    moments = list(
        Event.objects.filter(type__startswith="transfer.").order_by("seq").values_list("occurred_at", flat=True)
    )
    assert moments == sorted(moments)
    assert not Event.objects.filter(occurred_at__gt=timezone.now()).exists()


@pytest.mark.django_db(transaction=True)  # the command reads one snapshot
def test_its_books_hold() -> None:
    seed()

    call_command("verify_ledger")


def test_a_history_that_was_cut_off_is_completed_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count(start=1)

    def submit_until_cut_off(**given: Any) -> object:
        if next(calls) == 40:
            raise ConnectionAbortedError
        return submit_transfers(**given)

    monkeypatch.setattr(movements, "submit_transfers", submit_until_cut_off)
    with pytest.raises(ConnectionAbortedError):
        seed()
    seed()

    assert list_accounts() == ACCOUNTS
    assert Transfer.objects.count() == 202
    assert Event.objects.filter(type="client.signed_in").count() == 137


def test_everybody_signs_in_with_the_demo_password() -> None:
    seed()

    users = {user.username: user for user in User.objects.all()}
    assert set(users) == {
        "alice", "bob", "bruno", "carla", "mallory", "admin", *ROLES,
    }  # fmt: skip
    assert all(user.check_password(PASSWORD) for user in users.values())
    assert {name for name, user in users.items() if user.is_staff} == {"admin", *ROLES} - {"partner"}
    assert {name for name, user in users.items() if user.is_superuser} == {"admin"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_exactly_its_permissions(role: str) -> None:
    seed()

    assert User.objects.get(username=role).get_all_permissions() == ROLES[role].permissions


def _leave() -> None:
    """Change nothing between the runs."""


def _unblock_mallory() -> None:
    account = Account.objects.get(client__user__username="mallory")
    unblock_account(account_id=account.pk, reason="A mistake", actor=None, now=timezone.now())


def _take_carlas_money() -> None:
    pay_out(account_id=Account.objects.get(client__user__username="carla").pk, amount=8_806_08)


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
