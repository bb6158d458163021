"""Reversing while the money moves."""

from functools import partial
from typing import Any

import pytest

from approvals.models import Approval
from approvals.services import approve
from ledger.errors import InsufficientFundsError
from ledger.models import JournalEntry
from ledger.verification import verify_ledger
from tests.approvals.naming import get_seen
from tests.races.rivals import run_together
from tests.reversals.undoing import make_reversal_checker, request_reversal, undo
from tests.transfers.desk import NOW, Desk
from transfers.orders import Submission
from transfers.states import TransferStatus

pytestmark = pytest.mark.django_db(transaction=True)


def test_money_that_is_spent_while_it_is_taken_back_is_either_spent_or_taken_back() -> None:
    desk = Desk()
    approval = request_reversal(transfer_id=desk.submit("alice -> carla 30").transfer.id, now=NOW)
    why: dict[str, Any] = {"seen": get_seen(approval), "reason": "Seen", "now": NOW}
    take_back = partial(approve, approval_id=approval.pk, decided_by=make_reversal_checker(), **why)

    outcomes: list[Any] = run_together(take_back, partial(desk.submit, "carla -> cash 30"))

    taken_back, spent = isinstance(outcomes[0], Approval), outcomes[1]
    assert isinstance(spent, Submission)
    assert taken_back is (spent.transfer.status == TransferStatus.FAILED)
    assert taken_back or isinstance(outcomes[0], InsufficientFundsError)
    assert desk.get_balances("carla") == {"carla": 0}


def test_two_checkers_take_the_money_back_once() -> None:
    desk = Desk()
    transfer = desk.submit("alice -> carla 30").transfer.id
    approval = request_reversal(transfer_id=transfer, now=NOW)
    why: dict[str, Any] = {"seen": get_seen(approval), "reason": "Seen", "now": NOW}

    run_together(
        *(partial(approve, approval_id=approval.pk, decided_by=make_reversal_checker(), **why) for _ in range(4))
    )

    assert JournalEntry.objects.filter(reversal_of_id=transfer).count() == 1
    assert desk.get_balances("alice", "carla") == {"alice": 100, "carla": 0}


def test_the_books_with_a_reversal_are_sound() -> None:
    desk = Desk()
    for order in ("alice -> carla 30", "cash -> alice 5", "alice -> cash 7"):
        undo(transfer_id=desk.submit(order).transfer.id, now=NOW)

    assert verify_ledger(since=None, on_progress=lambda progress: None) == []
