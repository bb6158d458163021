"""What transfers are judged by, what becomes of them, and what is kept of it."""

from datetime import timedelta

import pytest

from core.ids import uuid7
from events.models import Event
from ledger.models import Hold, LedgerAccount
from tests.antifraud.rulebook import REJECT_LISTED, put_in_force, rule
from tests.factories import make_staff, pay_in
from tests.proof import find_faults
from tests.transfers.desk import NOW, Desk, describe
from tests.wire import listening
from transfers.antifraud.defaults import FIRST_RULES
from transfers.antifraud.models import Judgement, Review
from transfers.antifraud.services import lift_listing, list_party
from transfers.antifraud.states import ListingEffect
from transfers.models import Transfer
from transfers.services import submit_transfer, submit_transfers

REVIEW_THIRD = rule("velocity", per_minute=2)


def list_blocked(desk: Desk, name: str) -> None:
    """Put the account called `name` on the list of the blocked."""
    list_party(
        party_id=desk.accounts[name], effect=ListingEffect.BLOCKED, reason="Reported", actor=make_staff(), now=NOW
    )


def test_a_transfer_without_a_finding_leaves_no_judgement(desk: Desk) -> None:
    put_in_force(REJECT_LISTED, REVIEW_THIRD)

    desk.submit("alice -> carla 30")

    assert not Judgement.objects.exists()
    assert Transfer.objects.get().status == "completed"


def test_a_transfer_in_review_holds_its_money_and_moves_none(desk: Desk) -> None:
    rules = put_in_force(rule("velocity", per_minute=1))
    desk.submit("alice -> carla 10")

    submission = desk.submit("alice -> carla 30")

    transfer, hold = submission.transfer, Hold.objects.get()
    assert (transfer.status, transfer.completed_at, transfer.failure_code) == ("in_review", None, "")
    assert (hold.account_id, hold.amount, hold.reference) == (desk.accounts["alice"], 30, transfer.id)
    assert (hold.status, hold.origin) == ("open", "bank")
    assert desk.get_balances("alice", "carla") == {"alice": 90, "carla": 10}
    assert LedgerAccount.objects.get(id=desk.accounts["alice"]).available == 60
    assert transfer.debtor_version == LedgerAccount.objects.get(id=desk.accounts["alice"]).version
    judgement = Judgement.objects.get()
    assert (judgement.id, judgement.rule_set_id, judgement.decision) == (transfer.id, rules.pk, "review")
    assert judgement.findings == [
        {"rule": "velocity", "action": "review", "mode": "active", "text": "more than 1 orders within a minute"}
    ]
    assert (judgement.facts["sent_minute"], judgement.facts["amount"]) == (1, 30)
    assert find_faults() == []


def test_a_rejected_transfer_has_failed_and_is_remembered_under_its_key(desk: Desk) -> None:
    put_in_force(REJECT_LISTED)
    list_blocked(desk, "carla")

    first = desk.submit("alice -> carla 30", key="key")
    again = desk.submit("alice -> carla 30", key="key")

    assert (first.transfer.status, first.transfer.failure_code) == ("failed", "rejected_by_antifraud")
    assert (again.transfer, again.is_replayed) == (first.transfer, True)
    assert Transfer.objects.count() == 1
    assert desk.get_balances("alice", "carla") == {"alice": 100, "carla": 0}
    assert Judgement.objects.get().decision == "reject"
    assert find_faults() == []


def test_who_was_taken_off_the_list_is_judged_like_anybody(desk: Desk) -> None:
    put_in_force(REJECT_LISTED)
    list_blocked(desk, "carla")
    lift_listing(
        party_id=desk.accounts["carla"], effect=ListingEffect.BLOCKED, reason="Wrong", actor=make_staff(), now=NOW
    )

    assert describe(desk.submit("alice -> carla 30")) == "completed"


def test_a_client_on_the_list_stands_for_all_its_accounts(desk: Desk) -> None:
    put_in_force(REJECT_LISTED)
    list_party(
        party_id=desk.clients["alice"].pk, effect=ListingEffect.BLOCKED, reason="Fraud", actor=make_staff(), now=NOW
    )

    assert describe(desk.submit("alice -> cash 1")) == "failed rejected_by_antifraud"
    assert describe(desk.submit("carla -> savings 1")) == "failed rejected_by_antifraud"


def test_what_antifraud_does_comes_after_the_accounts_and_before_the_funds(desk: Desk) -> None:
    put_in_force(REJECT_LISTED)
    for name in ("alice", "mallory", "ivan", "dora"):
        list_blocked(desk, name)

    desk.submit_table("""
        alice -> nobody 1     | refused: account_not_found
        alice -> alice 1      | refused: same_account
        alice -> dora 1       | refused: currency_mismatch
        alice -> mallory 1    | refused: account_blocked
        alice -> ivan 1       | refused: account_inactive
        alice -> carla 101    | failed rejected_by_antifraud
    """)


def test_a_review_that_cannot_hold_the_money_fails_for_the_funds(desk: Desk) -> None:
    put_in_force(rule("night", from_amount={"*": 1}, from_hour=0, to_hour=23))
    pay_in(account_id=desk.accounts["alice"], amount=100)

    desk.submit_table("""
        alice -> carla 150    | in_review
        alice -> carla 100    | failed insufficient_funds
        alice -> carla 50     | completed
    """)

    assert Judgement.objects.filter(decision="review").count() == 2
    assert find_faults() == []


def test_a_deposit_is_not_judged(desk: Desk) -> None:
    put_in_force(REJECT_LISTED, rule("velocity", per_minute=1))
    list_blocked(desk, "alice")

    assert {describe(desk.submit("cash -> alice 30")) for _ in range(3)} == {"completed"}


def test_a_withdrawal_is_judged(desk: Desk) -> None:
    put_in_force(rule("velocity", per_minute=1))
    desk.submit("alice -> cash 10")

    assert describe(desk.submit("alice -> cash 10")) == "in_review"
    assert find_faults() == []


def test_earlier_orders_of_a_batch_count_for_later_ones(desk: Desk) -> None:
    put_in_force(REVIEW_THIRD)

    desk.submit_table("""
        alice -> carla 1      | completed
        mallory -> carla 1    | refused: account_blocked
        alice -> carla 1      | completed
        alice -> carla 1      | in_review
        carla -> alice 1      | completed
        alice -> savings 1    | in_review
        carla -> savings 1    | completed
    """)

    assert desk.get_balances("alice", "savings", "carla") == {"alice": 99, "savings": 1, "carla": 0}
    assert find_faults() == []


@pytest.mark.parametrize("size", [1, 260])
def test_a_batch_is_judged_as_its_orders_would_be_alone(desk: Desk, size: int) -> None:
    put_in_force(rule("fan_out", per_day=1))
    desk.submit("cash -> alice 1000")

    lines = ["alice -> carla 1"] * size + ["alice -> savings 1"]
    outcomes = submit_transfers(orders=[desk.read(line) for line in lines], now=NOW)

    assert [describe(outcome) for outcome in outcomes] == ["completed"] * size + ["in_review"]
    assert describe(desk.submit("alice -> carla 1")) == "in_review"  # two recipients on this day
    assert find_faults() == []


def test_structuring_counts_what_was_sent_and_cash_that_was_paid_in(desk: Desk) -> None:
    put_in_force(rule("structuring", limit={"*": 1}, within_percent=10, times=3))

    desk.submit_table("""
        cash -> alice 95      | completed
        alice -> carla 95     | completed
        alice -> carla 50     | completed
        cash -> alice 100     | completed
        alice -> cash 90      | in_review
    """)
    assert describe(desk.submit("carla -> alice 95")) == "completed"


def test_fan_in_counts_who_paid_an_account_on_a_day(desk: Desk) -> None:
    put_in_force(rule("fan_in", per_day=1))
    desk.submit("alice -> carla 20")
    desk.submit("carla -> savings 5")

    assert describe(desk.submit("alice -> carla 1")) == "completed"
    assert describe(desk.submit("savings -> carla 1")) == "in_review"


def test_habit_and_acquaintance_are_of_money_that_moved(desk: Desk) -> None:
    put_in_force(REJECT_LISTED, rule("new_counterparty", from_amount={"*": 1}))
    pay_in(account_id=desk.accounts["alice"], amount=1000)
    desk.submit("alice -> carla 101")  # in review: nobody is known by it
    desk.submit("alice -> savings 10")

    assert describe(desk.submit("alice -> carla 101")) == "in_review"
    assert describe(desk.submit("alice -> savings 101")) == "completed"


def test_what_was_long_ago_does_not_count(desk: Desk) -> None:
    put_in_force(rule("velocity", per_minute=1, per_hour=2, per_day=4))

    def submit_after(**passed: int) -> str:
        return describe(submit_transfer(order=desk.read("alice -> carla 1"), now=NOW + timedelta(**passed)))

    outcomes = [
        submit_after(),
        submit_after(seconds=59),
        submit_after(seconds=120),
        submit_after(minutes=62),
        submit_after(minutes=125),
        submit_after(days=2),
    ]

    assert outcomes == ["completed", "in_review", "in_review", "completed", "in_review", "completed"]


def test_a_new_bank_looks_at_more_orders_a_minute_than_anybody_types(desk: Desk) -> None:
    put_in_force(*FIRST_RULES["rules"])

    outcomes = submit_transfers(orders=[desk.read("alice -> carla 1") for _ in range(61)], now=NOW)

    assert [describe(outcome) for outcome in outcomes] == ["completed"] * 60 + ["in_review"]


def test_a_rule_in_shadow_is_recorded_and_changes_nothing(desk: Desk) -> None:
    put_in_force(rule("velocity", per_minute=1, mode="shadow", action="reject"))
    desk.submit("alice -> carla 1")

    assert describe(desk.submit("alice -> carla 1")) == "completed"
    judgement = Judgement.objects.get()
    assert (judgement.decision, judgement.findings[0]["mode"]) == ("accept", "shadow")
    assert not Event.objects.filter(type="fraud.suspected").exists()


def test_trusted_parties_may_send_as_often_as_they_like(desk: Desk) -> None:
    put_in_force(rule("velocity", per_minute=1))
    list_party(
        party_id=desk.clients["alice"].pk, effect=ListingEffect.TRUSTED, reason="Payroll", actor=make_staff(), now=NOW
    )

    assert [describe(desk.submit("alice -> carla 1")) for _ in range(3)] == ["completed"] * 3


def test_rules_are_in_force_from_the_next_submission_on(desk: Desk) -> None:
    desk.submit("alice -> carla 1")
    put_in_force(rule("velocity", per_minute=1))
    assert describe(desk.submit("alice -> carla 1")) == "in_review"

    put_in_force(rule("velocity", per_minute=10))
    assert describe(desk.submit("alice -> carla 1")) == "completed"


def test_tells_of_a_review_and_of_a_rejection_in_the_same_commit(desk: Desk) -> None:
    put_in_force(REJECT_LISTED, rule("velocity", per_minute=1))
    desk.submit("alice -> carla 1")
    before = Event.objects.latest("seq").seq

    held = desk.submit("alice -> carla 30").transfer
    list_blocked(desk, "carla")
    rejected = desk.submit("alice -> carla 1").transfer

    told = Event.objects.filter(seq__gt=before).exclude(type="fraud.listed").order_by("seq")
    assert list(told.values_list("type", "key")) == [
        ("hold.placed", desk.accounts["alice"]),
        ("transfer.in_review", held.id),
        ("fraud.suspected", held.id),
        ("transfer.failed", rejected.id),
        ("fraud.suspected", rejected.id),
    ]
    assert told[2].payload == {
        "account": str(desk.accounts["alice"]),
        "client": str(desk.clients["alice"].pk),
        "decision": "review",
        "rules": ["velocity"],
    }
    assert told[4].payload["decision"] == "reject"


def test_what_went_before_is_read_by_one_statement_after_the_lock(desk: Desk) -> None:
    desk.submit("alice -> carla 1")
    orders = [desk.read("alice -> carla 1"), desk.read("carla -> savings 1"), desk.read("cash -> alice 1")]

    with listening() as statements:
        submit_transfers(orders=orders, now=NOW)

    reads = [number for number, sql in enumerate(statements) if "antifraud_activation" in sql]
    locks = [number for number, sql in enumerate(statements) if "FOR NO KEY UPDATE" in sql]
    assert len(reads) == 1
    assert reads[0] == locks[0] + 1


def test_an_order_over_an_account_that_is_not_there_is_refused_as_ever(desk: Desk) -> None:
    order = desk.read("alice -> carla 1")._replace(debtor_account_id=uuid7(), creditor_account_id=uuid7())

    [outcome] = submit_transfers(orders=[order], now=NOW)

    assert describe(outcome) == "refused: account_not_found"
    assert not Review.objects.exists()
