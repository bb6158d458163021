"""What customers are told of transfers that antifraud rejects or has reviewed."""

from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Account
from kyc.models import Client
from ledger.models import Hold
from ledger.selectors import get_balance
from tests.antifraud.rulebook import REJECT_LISTED, put_in_force, rule
from tests.api.caller import Answer, Caller, call_as
from tests.api.orders import order
from tests.api.test_batches import batch, describe
from tests.api.test_holds import capture, place
from tests.factories import make_account, make_staff
from tests.proof import find_faults
from transfers.antifraud.models import Judgement, Review
from transfers.antifraud.reviews import accept_transfer, reject_transfer
from transfers.antifraud.services import list_party
from transfers.antifraud.states import ListingEffect
from transfers.models import Transfer, TransferBatch

pytestmark = pytest.mark.django_db

OF_FIFTY = rule("new_counterparty", from_amount={"*": 50})


def block(account: Account) -> None:
    """Put an account on the list of the blocked."""
    put_in_force(REJECT_LISTED)
    now = timezone.now()
    list_party(party_id=account.pk, effect=ListingEffect.BLOCKED, reason="Fraud", actor=make_staff(), now=now)


def decide(answer: Answer, call: Any = accept_transfer) -> None:
    """Let staff decide about a transfer."""
    call(transfer_id=UUID(answer.data["id"]), reason="Seen", actor=make_staff(), now=timezone.now())


def available(account: Account) -> int:
    """Return what can be taken, in minor units."""
    return get_balance(account_id=account.pk, now=timezone.now()).available


def test_a_transfer_in_review_is_answered_202_and_shown_to_who_ordered_it_alone(
    api: Caller, source: Account, target: Account
) -> None:
    put_in_force(OF_FIFTY)

    answer = api.post("transfers", order(source, target, amount="60.00"), key="k1")

    assert (answer.status, answer.data["status"], answer.data["completed_at"]) == (202, "in_review", None)
    assert answer.data["balance_version"] == 2
    assert api.get(f"transfers/{answer.data['id']}").data == answer.data
    assert [each["id"] for each in api.get("transfers?status=in_review").data["results"]] == [answer.data["id"]]
    assert api.get(f"accounts/{source.pk}/balance?min_version=2").data["available"] == "40.00"
    carla = call_as(target.client)
    assert carla.get("transfers").data["results"] == []
    assert carla.get(f"transfers/{answer.data['id']}").refusal == (404, "not_found")


def test_a_withdrawal_in_review_is_answered_202(api: Caller, source: Account) -> None:
    put_in_force(rule("young_account", days=7, from_amount={"*": 50}))

    answer = api.post(f"accounts/{source.pk}/withdrawals", {"amount": "60.00", "currency": "BRL"}, key="k1")

    assert (answer.status, answer.data["status"]) == (202, "in_review")


@pytest.mark.parametrize(("call", "status"), [(accept_transfer, "completed"), (reject_transfer, "failed")])
def test_the_first_answer_stays_whatever_was_decided_and_the_transfer_tells_it(
    api: Caller, source: Account, target: Account, call: Any, status: str
) -> None:
    put_in_force(OF_FIFTY)
    body = order(source, target, amount="60.00")
    first = api.post("transfers", body, key="k1")

    decide(first, call)
    again = api.post("transfers", body, key="k1")

    assert (again.status, again.content) == (202, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.get(f"transfers/{first.data['id']}").data["status"] == status


def test_a_rejected_transfer_is_a_refusal_without_a_reason_and_stays_one(
    api: Caller, source: Account, target: Account
) -> None:
    block(target)
    body = order(source, target)

    first = api.post("transfers", body, key="k1")
    again = api.post("transfers", body, key="k1")

    assert first.refusal == (422, "rejected_by_antifraud")
    assert first.body["data"]["message"] == "The bank did not accept this transfer."
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    failed = api.get(f"transfers/{first.body['data']['transfer']}").data
    assert (failed["status"], failed["failure_code"]) == ("failed", "rejected_by_antifraud")


def test_in_a_batch_each_order_is_judged_on_its_own(api: Caller, source: Account, target: Account) -> None:
    put_in_force(OF_FIFTY)
    orders = [order(source, target, amount=amount) for amount in ("10.00", "60.00", "60.00")]
    body = batch(order(source, make_account_of(target), amount="55.00"), *orders)

    first = api.post("transfers/batch", body, key="k1")
    for review in Review.objects.all():
        accept_transfer(transfer_id=review.pk, reason="Seen", actor=make_staff(), now=timezone.now())
    again = api.post("transfers/batch", body, key="k1")

    assert describe(first) == [
        ("r0", "in_review", None),
        ("r1", "completed", None),
        ("r2", "failed", "insufficient_funds"),
        ("r3", "failed", "insufficient_funds"),
    ]
    assert again.content == first.content
    assert find_faults() == []


def make_account_of(other: Account) -> Account:
    """Open another account for the client of `other`."""
    return make_account(client=other.client)


def test_an_atomic_batch_with_an_order_for_review_is_refused_whole(
    api: Caller, source: Account, target: Account
) -> None:
    put_in_force(OF_FIFTY)
    body = batch(
        order(source, target, amount="1.00"), order(source, make_account_of(target), amount="60.00"), atomic=True
    )

    answer = api.post("transfers/batch", body, key="k1")

    assert answer.refusal == (422, "rejected_by_antifraud")
    assert [each["code"] for each in answer.body["data"]["results"]] == ["batch_refused", "rejected_by_antifraud"]
    assert not Transfer.objects.exists()
    assert not TransferBatch.objects.exists()
    assert available(source) == 100_00


def test_a_capture_that_is_rejected_leaves_its_hold_open(api: Caller, source: Account, target: Account) -> None:
    hold = place(api, source)
    block(target)

    first = capture(api, hold, target)
    again = capture(api, hold, target)

    assert first.refusal == (422, "rejected_by_antifraud")
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert api.get(f"holds/{hold.data['id']}").data["status"] == "open"
    assert (available(source), Judgement.objects.get().decision) == (40_00, "reject")
    assert find_faults() == []


def test_the_holds_own_refusals_come_before_antifrauds(api: Caller, source: Account, target: Account) -> None:
    hold = place(api, source)
    block(target)

    assert capture(api, hold, target, amount="60.01").code == "hold_exceeded"


@pytest.mark.parametrize(("call", "left"), [(accept_transfer, 40_00), (reject_transfer, 100_00)])
def test_a_capture_in_review_takes_the_money_over_from_the_hold(
    api: Caller, alice: Client, source: Account, target: Account, call: Any, left: int
) -> None:
    hold = place(api, source)
    put_in_force(OF_FIFTY)

    captured = capture(api, hold, target)

    transfer = api.get(f"transfers/{captured.data['transfer']}")
    assert (captured.data["status"], transfer.data["status"]) == ("captured", "in_review")
    assert available(source) == 40_00
    assert Hold.objects.filter(status="open", origin="bank").count() == 1
    decide(transfer, call)
    assert available(source) == left
    assert api.get(f"holds/{hold.data['id']}").data["transfer"] == transfer.data["id"]
    assert capture(api, hold, target).headers["Idempotent-Replayed"] == "true"
    assert find_faults() == []
