"""Carrying standing orders out: each due date once, whatever comes of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.services import block_account, inactivate_account
from core.models import IdempotencyKey
from events.models import Event
from kyc.cases import reopen_case
from kyc.models import Client
from kyc.states import KycStatus
from ledger.models import LedgerAccount
from tests.factories import decide_client, make_account, make_staff, pay_out, unblock_account
from tests.standing_orders.orders import NOW, TODAY, carry_out, give, list_runs, monthly, noon, once, weekly
from transfers.models import Transfer
from transfers.orders import TransferOrder
from transfers.services import submit_transfer
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.runs import BATCH, MAX_LATE
from transfers.standing_orders.services import cancel_standing_order
from transfers.standing_orders.states import StandingOrderStatus
from transfers.states import TransferKind, TransferStatus

pytestmark = pytest.mark.django_db


def read(order: StandingOrder) -> StandingOrder:
    """Return the order as it is now."""
    return StandingOrder.objects.get(pk=order.pk)


def get_balance(account: Any) -> int:
    """Return the booked balance."""
    return LedgerAccount.objects.get(pk=account.pk).balance


def test_what_is_due_is_transferred_once() -> None:
    debtor, creditor = make_account(balance=100), make_account()
    order = give(debtor, creditor)

    assert carry_out().done == 1
    assert carry_out().done == 0

    transfer = Transfer.objects.get()
    assert (transfer.status, transfer.amount, transfer.remittance_information) == ("completed", 10, "Rent")
    assert transfer.initiated_by == debtor.client.user
    assert list_runs(order) == [(TODAY, "completed", "")]
    assert Run.objects.get().transfer == transfer
    assert (get_balance(debtor), get_balance(creditor)) == (90, 10)
    assert read(order).status == StandingOrderStatus.COMPLETED


def test_what_is_not_due_yet_waits() -> None:
    order = give(make_account(balance=100), make_account(), once(TODAY + timedelta(days=1)))

    assert carry_out().done == 0
    assert carry_out(TODAY + timedelta(days=1)).done == 1
    assert len(list_runs(order)) == 1


def test_the_day_begins_in_the_banks_time_zone() -> None:
    give(make_account(balance=100), make_account(), once(date(2026, 3, 3)))
    before_midnight = noon(date(2026, 3, 3)).replace(hour=2, minute=59)  # in UTC; Brazil is three hours behind

    assert carry_out(clock=lambda: before_midnight).done == 0
    assert carry_out(clock=lambda: before_midnight + timedelta(minutes=1)).done == 1


def test_a_due_date_at_a_weekend_is_carried_out_on_monday_under_its_own_date() -> None:
    order = give(make_account(balance=100), make_account(), once(date(2026, 3, 7)))

    assert carry_out(date(2026, 3, 8)).done == 0
    assert carry_out(date(2026, 3, 9)).done == 1

    assert list_runs(order) == [(date(2026, 3, 7), "completed", "")]


def test_the_next_due_date_follows() -> None:
    order = give(make_account(balance=100), make_account(), monthly(31))

    assert read(order).next_due_date == date(2026, 3, 31)
    carry_out(date(2026, 3, 31))

    assert (read(order).next_due_date, read(order).status) == (date(2026, 4, 30), StandingOrderStatus.ACTIVE)


def test_missed_dates_are_caught_up_each_once_and_the_earliest_first() -> None:
    order = give(make_account(balance=25), make_account(), weekly())

    assert carry_out(TODAY + timedelta(days=14)).done == 3

    assert list_runs(order) == [
        (TODAY, "completed", ""),
        (TODAY + timedelta(days=7), "completed", ""),
        (TODAY + timedelta(days=14), "failed", "insufficient_funds"),
    ]


def test_what_is_too_late_is_noted_and_moves_no_money() -> None:
    order = give(make_account(balance=100), make_account(), weekly())

    carry_out(TODAY + MAX_LATE + timedelta(days=1))

    outcomes = [(outcome, code) for _, outcome, code in list_runs(order)]
    assert outcomes == [("refused", "too_late")] + [("completed", "")] * 4


@pytest.mark.parametrize(("days", "outcome"), [(0, "completed"), (1, "refused")])
def test_lateness_is_counted_from_the_day_on_which_it_was_to_be_carried_out(days: int, outcome: str) -> None:
    order = give(make_account(balance=100), make_account(), once(date(2026, 3, 7)))  # a Saturday: due on Monday

    carry_out(date(2026, 3, 9) + MAX_LATE + timedelta(days=days))

    assert [outcome for _, outcome, _ in list_runs(order)] == [outcome]


def test_lateness_is_counted_in_days_of_the_banks_time_zone() -> None:
    order = give(make_account(balance=100), make_account())
    last_moment = noon(TODAY + MAX_LATE + timedelta(days=1)).replace(hour=2, minute=59)  # in UTC, the day after

    carry_out(clock=lambda: last_moment)

    assert list_runs(order) == [(TODAY, "completed", "")]


@pytest.mark.parametrize(("currency", "next_run"), [("BRL", date(2026, 4, 22)), ("USD", date(2026, 4, 21))])
def test_the_next_due_date_waits_for_the_calendar_of_its_currency(currency: str, next_run: date) -> None:
    debtor, creditor = make_account(currency=currency), make_account(currency=currency)
    order = give(debtor, creditor, monthly(21), currency=currency)  # the 21st of April is a holiday in Brazil

    carry_out(date(2026, 3, 23))

    assert (read(order).next_due_date, read(order).next_run_date) == (date(2026, 4, 21), next_run)


def test_too_little_money_is_a_failed_transfer_that_is_not_tried_again() -> None:
    debtor = make_account()
    order = give(debtor, make_account(), weekly())

    carry_out()
    carry_out()

    transfer = Transfer.objects.get()
    assert (transfer.status, transfer.failure_code) == (TransferStatus.FAILED, "insufficient_funds")
    assert list_runs(order) == [(TODAY, "failed", "insufficient_funds")]
    assert Run.objects.get().transfer == transfer
    assert Event.objects.filter(type="transfer.failed", key=transfer.pk).exists()
    assert read(order).next_due_date == TODAY + timedelta(days=7)


def test_a_blocked_account_is_passed_over_until_it_is_freed() -> None:
    debtor = make_account(balance=100)
    order = give(debtor, make_account(), weekly())
    block_account(account_id=debtor.pk, reason="Fraud", actor=None, now=NOW)

    carry_out()
    unblock_account(account_id=debtor.pk, reason="A mistake", actor=None, now=NOW)
    carry_out(TODAY + timedelta(days=7))

    assert list_runs(order) == [
        (TODAY, "refused", "account_blocked"),
        (TODAY + timedelta(days=7), "completed", ""),
    ]


@pytest.mark.parametrize("side", ["debtor", "creditor"])
def test_a_closed_account_ends_its_orders(side: str) -> None:
    accounts = {"debtor": make_account(balance=10), "creditor": make_account()}
    order = give(accounts["debtor"], accounts["creditor"], weekly())
    pay_out(account_id=accounts["debtor"].pk, amount=10)
    inactivate_account(account_id=accounts[side].pk, reason="Moved", actor=None, now=NOW)

    carry_out()

    assert list_runs(order) == [(TODAY, "refused", "account_inactive")]
    assert (read(order).status, read(order).end_code) == (StandingOrderStatus.ENDED, "account_inactive")
    assert carry_out(TODAY + timedelta(days=7)).done == 0


def test_an_inactive_client_ends_its_orders() -> None:
    order = give(make_account(), make_account(), weekly())
    Client.objects.filter(pk=order.client_id).update(status="inactive", inactivated_at=NOW)

    carry_out()

    assert list_runs(order) == [(TODAY, "refused", "client_inactive")]
    assert read(order).status == StandingOrderStatus.ENDED


def test_a_rejected_client_pays_nobody_even_before_its_accounts_are_blocked() -> None:
    debtor = make_account(balance=100)
    order = give(debtor, make_account())
    reopen_case(client_id=order.client_id, reason="Review", actor=make_staff(), now=timezone.now())
    decide_client(client=debtor.client, decision=KycStatus.REJECTED)

    carry_out()

    assert list_runs(order) == [(TODAY, "refused", "client_not_verified")]
    assert get_balance(debtor) == 100


def test_a_cancelled_order_is_not_carried_out() -> None:
    order = give(make_account(balance=100), make_account())
    cancel_standing_order(order_id=order.pk, client_id=order.client_id, now=NOW)

    assert carry_out().done == 0


def test_many_orders_take_as_many_statements_as_few(django_assert_max_num_queries: Any) -> None:
    debtor, creditor = make_account(balance=10_000), make_account()
    give(debtor, creditor)
    with django_assert_max_num_queries(30) as few:
        carry_out()
    for _ in range(BATCH):
        give(debtor, creditor)

    with django_assert_max_num_queries(len(few)):
        assert carry_out().done == BATCH


def test_what_one_transaction_cannot_hold_the_next_does() -> None:
    debtor, creditor = make_account(balance=10_000), make_account()
    for _ in range(BATCH + 1):
        give(debtor, creditor)

    assert carry_out().done == BATCH + 1
    assert get_balance(creditor) == (BATCH + 1) * 10


def test_no_key_of_a_callers_takes_the_place_of_a_run() -> None:
    debtor, creditor = make_account(balance=100), make_account()
    order = give(debtor, creditor, weekly())
    own = TransferOrder(
        kind=TransferKind.INTERNAL,
        debtor_account_id=debtor.pk,
        creditor_account_id=creditor.pk,
        amount=10,
        currency="BRL",
        principal_id=debtor.client.user_id,
        idempotency_key=f"standing-order:{order.pk}:{TODAY}",
        client_id=debtor.client_id,
        remittance_information="Rent",
    )
    submit_transfer(order=own, now=NOW)

    carry_out()

    key = IdempotencyKey.objects.get(resource_id__in=Run.objects.values("transfer_id")).key
    assert list_runs(order) == [(TODAY, "completed", "")]
    assert not key.isascii(), "the API takes ASCII only"
    assert get_balance(creditor) == 20


def test_a_clock_that_goes_back_repeats_nothing() -> None:
    order = give(make_account(balance=100), make_account(), weekly())

    carry_out(TODAY + timedelta(days=7))
    carry_out(TODAY)

    assert [due_date for due_date, _, _ in list_runs(order)] == [TODAY, TODAY + timedelta(days=7)]


def test_a_day_whose_midnight_the_clocks_skip_is_carried_out_from_its_first_moment() -> None:
    with timezone.override("Africa/Cairo"):  # where the clocks go from 23:59 on Thursday to 1:00 on Friday
        give(make_account(balance=100), make_account(), once(date(2026, 4, 24)))
        change = datetime(2026, 4, 23, 22, tzinfo=UTC)

        assert carry_out(clock=lambda: change - timedelta(seconds=1)).done == 0
        assert carry_out(clock=lambda: change).done == 1


def test_a_date_in_one_month_whose_business_day_is_in_the_next_is_carried_out_there() -> None:
    order = give(make_account(balance=100), make_account(), monthly(31, date(2026, 5, 31)))  # a Sunday

    assert carry_out(date(2026, 5, 31)).done == 0
    assert carry_out(date(2026, 6, 1)).done == 1

    assert list_runs(order) == [(date(2026, 5, 31), "completed", "")]
    assert read(order).next_due_date == date(2026, 6, 30)


def test_the_events_say_how_an_order_went() -> None:
    order = give(make_account(balance=100), make_account())

    carry_out()

    types = Event.objects.filter(key=order.pk).order_by("seq").values_list("type", flat=True)
    assert list(types) == ["standing_order.created", "standing_order.completed"]


CHANGES: list[dict[str, Any]] = [
    {"amount": 11},
    {"day": 3},
    {"first_date": TODAY + timedelta(days=1)},
    {"next_due_date": None},
    {"status": "completed"},
    {"status": "ended", "ended_at": NOW, "next_due_date": None, "next_run_date": None},
    {"next_run_date": TODAY - timedelta(days=1)},
]


@pytest.mark.parametrize("change", CHANGES)
def test_postgresql_refuses_what_the_services_would_not_do(change: dict[str, Any]) -> None:
    order = give(make_account(), make_account(), weekly())

    with pytest.raises(IntegrityError), transaction.atomic():
        StandingOrder.objects.filter(pk=order.pk).update(**change)


def test_postgresql_brings_no_order_back_and_takes_no_date_twice() -> None:
    order = give(make_account(balance=100), make_account())
    carry_out()

    with pytest.raises(IntegrityError), transaction.atomic():
        StandingOrder.objects.update(status="active", next_due_date=TODAY, next_run_date=TODAY, ended_at=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(standing_order=order, due_date=TODAY, outcome="refused", code="x", ran_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.update(code="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        StandingOrder.objects.all().delete()
