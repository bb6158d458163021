"""Reversing transfers: the money goes back by an entry of its own, with the consent of two, once."""

from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from accounts.services import block_account, inactivate_account
from approvals.models import Approval
from approvals.states import ApprovalStatus
from core.db import get_constraint_name
from core.errors import BankError
from core.ids import uuid7
from events.models import Event
from events.topics import fan_out
from ledger.errors import (
    AccountBlockedError,
    AccountInactiveError,
    AlreadyReversedError,
    InsufficientFundsError,
)
from ledger.models import JournalEntry
from tests.factories import make_account
from tests.reversals.undoing import approve_reversal, request_reversal, undo
from tests.transfers.desk import NOW, Desk
from transfers.errors import TransferNotFoundError
from transfers.models import Transfer
from transfers.reversals.errors import TransferNotCompletedError
from transfers.reversals.models import Reversal

pytestmark = pytest.mark.django_db

WHY: dict[str, Any] = {"reason": "Test", "actor": None, "now": NOW}


@pytest.fixture
def desk() -> Desk:
    """Alice has 100, Carla nothing."""
    return Desk()


@pytest.mark.parametrize(
    ("order", "before", "after"),
    [
        ("cash -> carla 30", {"carla": 0}, {"carla": 30}),
        ("alice -> cash 30", {"alice": 100}, {"alice": 70}),
        ("alice -> carla 30", {"alice": 100, "carla": 0}, {"alice": 70, "carla": 30}),
        ("alice -> savings 30", {"alice": 100, "savings": 0}, {"alice": 70, "savings": 30}),
    ],
)
def test_the_money_goes_back(order: str, before: dict[str, int], after: dict[str, int], desk: Desk) -> None:
    transfer = desk.submit(order).transfer.id
    assert desk.get_balances(*before) == after

    undo(transfer_id=transfer, now=NOW)

    assert desk.get_balances(*before) == before


def test_a_request_alone_moves_nothing(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 30").transfer.id

    request_reversal(transfer_id=transfer, now=NOW)

    assert desk.get_balances("alice", "carla") == {"alice": 70, "carla": 30}


def test_what_happened_stays_as_it_was(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 30").transfer.id
    before = Transfer.objects.filter(pk=transfer).values().get()

    approval = undo(transfer_id=transfer, now=NOW)

    assert Transfer.objects.filter(pk=transfer).values().get() == before
    reversal = Reversal.objects.get(pk=transfer)
    assert reversal.approval == approval
    assert (reversal.entry.code, reversal.entry.reversal_of_id) == ("reversal", transfer)


def test_what_is_approved_is_shown_in_debits_and_credits(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 30").transfer.id

    effect = request_reversal(transfer_id=transfer, now=NOW).effect

    lines = {line["account_id"]: (line["debit"], line["credit"]) for line in effect["lines"]}
    assert lines == {str(desk.accounts["carla"]): (30, 0), str(desk.accounts["alice"]): (0, 30)}
    assert (effect["amount"], effect["currency"]) == (30, "BRL")


def test_it_is_told_on_kafka_with_its_entry_and_both_balances(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 30").transfer.id
    last = Event.objects.latest("seq").seq

    undo(transfer_id=transfer, now=NOW)

    told = [message for event in Event.objects.filter(seq__gt=last).order_by("seq") for message in fan_out(event)]
    assert [message.type for message in told] == [
        "ledger.entry_written",
        "account.balance.updated",
        "account.balance.updated",
        "transaction.reversed",
    ]


SPENT = "carla -> cash 1"


@pytest.mark.parametrize(
    ("order", "meanwhile", "error"),
    [
        ("alice -> carla 30", SPENT, InsufficientFundsError),
        ("cash -> carla 30", SPENT, InsufficientFundsError),
        ("alice -> carla 30", "block carla", AccountBlockedError),
        ("alice -> carla 30", "block alice", AccountBlockedError),
    ],
)
def test_it_is_refused_by_name_and_still_waits(order: str, meanwhile: str, error: type[BankError], desk: Desk) -> None:
    approval = request_reversal(transfer_id=desk.submit(order).transfer.id, now=NOW)
    if meanwhile == SPENT:
        desk.submit(SPENT)
    else:
        block_account(account_id=desk.accounts[meanwhile.split()[1]], **WHY)
    before = desk.get_balances("alice", "carla")

    with pytest.raises(error):
        approve_reversal(approval=approval, now=NOW)

    assert desk.get_balances("alice", "carla") == before
    assert Approval.objects.get(pk=approval.pk).status == ApprovalStatus.PENDING
    assert not Reversal.objects.exists()


def test_what_went_through_an_account_that_is_closed_cannot_be_requested(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 30").transfer.id
    desk.submit("carla -> alice 30")
    inactivate_account(account_id=desk.accounts["carla"], **WHY)

    with pytest.raises(AccountInactiveError):
        request_reversal(transfer_id=transfer, now=NOW)


def test_it_happens_once(desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 30").transfer.id
    undo(transfer_id=transfer, now=NOW)

    with pytest.raises(AlreadyReversedError):
        request_reversal(transfer_id=transfer, now=NOW)


def test_what_moved_nothing_is_not_reversed(desk: Desk) -> None:
    with pytest.raises(TransferNotCompletedError):
        request_reversal(transfer_id=desk.submit("carla -> alice 30").transfer.id, now=NOW)
    with pytest.raises(TransferNotFoundError):
        request_reversal(transfer_id=uuid7(), now=NOW)


def test_a_holder_of_an_overdraft_may_be_taken_into_it(desk: Desk) -> None:
    desk.accounts["eve"] = make_account(overdraft_limit=30, now=NOW).pk
    transfer = desk.submit("alice -> eve 30").transfer.id
    desk.submit("eve -> alice 30")

    undo(transfer_id=transfer, now=NOW)

    assert desk.get_balances("eve") == {"eve": -30}


# --- what PostgreSQL refuses ----------------------------------------------------------------------------------------


def _refuse_row(**columns: Any) -> str:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Reversal.objects.create(reversed_at=NOW, **columns)
    return get_constraint_name(refused.value)


def _get_entry(transfer_id: UUID) -> UUID:
    return JournalEntry.objects.get(reversal_of_id=transfer_id).pk


def test_no_reversal_is_on_record_without_its_approval(desk: Desk) -> None:
    first, second = (desk.submit("alice -> carla 10").transfer.id for _ in range(2))
    undo(transfer_id=first, now=NOW)
    waiting = request_reversal(transfer_id=second, now=NOW)

    assert (
        _refuse_row(transfer_id=second, approval=waiting, entry_id=_get_entry(first)) == "reversals_reversal_approved"
    )


def test_no_reversal_is_on_record_with_an_approval_of_another_one(desk: Desk) -> None:
    first, second = (desk.submit("alice -> carla 10").transfer.id for _ in range(2))
    approval = undo(transfer_id=first, now=NOW)

    assert (
        _refuse_row(transfer_id=second, approval=approval, entry_id=_get_entry(first)) == "reversals_reversal_approved"
    )


@pytest.mark.parametrize("change", ["delete", "update"])
def test_a_reversal_is_never_taken_from_the_record(change: str, desk: Desk) -> None:
    transfer = desk.submit("alice -> carla 10").transfer.id
    undo(transfer_id=transfer, now=NOW)
    rows = Reversal.objects.filter(pk=transfer)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        rows.delete() if change == "delete" else rows.update(reversed_at=NOW)

    assert get_constraint_name(refused.value) == "reversals_reversal_append_only"
