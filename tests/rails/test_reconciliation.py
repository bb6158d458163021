"""The rail's statement against the settlement account: each difference is found once, and nothing in flight is one."""

import sqlite3
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import Account
from accounts.services import block_account
from approvals.models import Approval
from ledger.models import JournalEntry
from tests.factories import make_staff, unblock_account
from tests.manual_entries.bookkeeping import approve_entry, request_entry, write_entry
from tests.payments.cashier import complete, submit
from tests.rails.clerk import find_uetr, list_bookings, order, receive, send, take_in
from tests.simulators.process import SimulatorProcess
from transfers.payments.models import Payment
from transfers.rails.errors import BreakResolvedError, CorrectionNotFoundError, RailStatementError
from transfers.rails.models import ReconciliationBreak, StatementEntry
from transfers.rails.reconciliation import GRACE, reconcile_day, reconcile_past_days
from transfers.rails.services import resolve_break

pytestmark = pytest.mark.django_db


def compare(*, after: timedelta = timedelta()) -> list[tuple[str, str]]:
    """Compare today, as if it were later by `after`; return all differences, each with its status."""
    now = datetime.now(tz=UTC)
    reconcile_day(day=now.date(), now=now + after)
    return list(ReconciliationBreak.objects.order_by("pk").values_list("kind", "status"))


def change(rail: SimulatorProcess, statement: str, *values: object) -> None:
    """Change the rail's books behind its back."""
    with sqlite3.connect(rail.state) as database:
        database.execute(statement, values)


def pay(account: Account) -> Payment:
    """Let a payment be settled on both sides."""
    payment = order(account)
    send()
    receive()
    return payment


def test_books_that_agree_have_no_difference(rail: SimulatorProcess, account: Account) -> None:
    rail.set_faults(return_rate=1)
    pay(account)
    rail.set_faults()
    pay(account)

    assert compare(after=2 * GRACE) == []
    assert StatementEntry.objects.count() == len(list_bookings(rail)) == 3


def test_what_the_rail_has_just_booked_is_in_flight_for_a_while(rail: SimulatorProcess, account: Account) -> None:
    order(account)
    send()

    assert compare() == []
    assert compare(after=2 * GRACE) == [("missing_at_bank", "open")]


def test_what_waits_for_a_blocked_account_is_in_flight_until_it_is_freed(
    rail: SimulatorProcess, account: Account
) -> None:
    now, staff = datetime.now(tz=UTC), make_staff()
    order(account)
    send()
    block_account(account_id=account.pk, reason="Fraud", actor=staff, now=now)
    receive()

    assert compare(after=2 * GRACE) == []
    unblock_account(account_id=account.pk, reason="No fraud", actor=staff, now=now)
    take_in()
    assert compare(after=2 * GRACE) == []
    assert Payment.objects.get().status == "completed"


def test_a_difference_that_matches_later_closes_by_itself(rail: SimulatorProcess, account: Account) -> None:
    order(account)
    send()
    compare(after=2 * GRACE)
    receive()

    assert compare(after=2 * GRACE) == [("missing_at_bank", "matched")]


def test_finds_what_only_the_bank_has_booked(rail: SimulatorProcess, account: Account) -> None:
    payment = order(account)
    submit(payment.pk)
    complete(payment.pk)

    assert compare() == [("missing_at_rail", "open")]
    [found] = ReconciliationBreak.objects.all()
    assert (found.kind, found.payment_id, found.bank_amount, found.rail_amount) == (
        "missing_at_rail",
        payment.pk,
        40_00,
        None,
    )


def test_finds_another_amount(rail: SimulatorProcess, account: Account) -> None:
    pay(account)
    change(rail, "UPDATE booking SET amount = '40.01'")

    assert compare(after=2 * GRACE) == [("amount_differs", "open")]
    found = ReconciliationBreak.objects.get()
    assert (found.bank_amount, found.rail_amount) == (40_00, 40_01)


def test_finds_what_the_rail_has_booked_twice(rail: SimulatorProcess, account: Account) -> None:
    payment = pay(account)
    change(
        rail,
        "INSERT INTO booking (uetr, is_credit, amount, currency, day, booked_at)"
        " SELECT uetr, is_credit, amount, currency, day, booked_at FROM booking WHERE uetr = ?",
        str(find_uetr(payment)),
    )

    assert compare(after=2 * GRACE) == [("booked_twice", "open")]


def test_finds_what_no_payment_explains(rail: SimulatorProcess, account: Account) -> None:
    pay(account)
    change(rail, "UPDATE booking SET uetr = ?", str(uuid4()))

    assert sorted(kind for kind, _ in compare(after=2 * GRACE)) == ["missing_at_rail", "unknown_payment"]


def test_to_compare_a_day_again_opens_nothing_twice(rail: SimulatorProcess, account: Account) -> None:
    pay(account)
    change(rail, "UPDATE booking SET amount = '40.01'")

    assert compare(after=2 * GRACE) == compare(after=2 * GRACE) == [("amount_differs", "open")]


def test_refuses_a_statement_that_says_other_than_before(rail: SimulatorProcess, account: Account) -> None:
    pay(account)
    compare()
    change(rail, "UPDATE booking SET amount = '40.01'")

    with pytest.raises(RailStatementError):
        compare()


def test_a_difference_is_resolved_once_with_a_reason(rail: SimulatorProcess, account: Account) -> None:
    pay(account)
    change(rail, "UPDATE booking SET amount = '40.01'")
    compare(after=2 * GRACE)
    found, staff, now = ReconciliationBreak.objects.get(), make_staff(), datetime.now(tz=UTC)

    resolve_break(break_id=found.pk, reason="Written off by entry 7", actor=staff, now=now)

    found.refresh_from_db()
    assert (found.status, found.resolved_by, found.reason) == ("explained", staff, "Written off by entry 7")
    with pytest.raises(BreakResolvedError):
        resolve_break(break_id=found.pk, reason="Again", actor=staff, now=now)
    assert compare(after=2 * GRACE) == [("amount_differs", "explained")]


def book(text: str) -> Approval:
    """Have a manual entry approved and booked."""
    today = datetime.now(tz=UTC)
    entry = write_entry(text, names={}, value_date=today.date())
    return approve_entry(request_entry(entry, now=today), now=today)


@pytest.mark.parametrize("is_named_by_its_approval", [False, True])
def test_a_difference_that_money_resolved_keeps_the_entry_and_its_approval(
    rail: SimulatorProcess, account: Account, is_named_by_its_approval: bool
) -> None:
    pay(account)
    change(rail, "UPDATE booking SET amount = '40.01'")
    compare(after=2 * GRACE)
    approval = book("debit 5000 1, credit 1100 1")
    entry = JournalEntry.objects.get(reference=approval.pk)

    resolve_break(
        break_id=ReconciliationBreak.objects.get().pk,
        reason="Written off",
        booked_by=approval.pk if is_named_by_its_approval else entry.pk,
        actor=make_staff(),
        now=datetime.now(tz=UTC),
    )

    assert ReconciliationBreak.objects.get().entry == entry


def test_a_difference_is_not_resolved_by_an_entry_that_has_nothing_to_do_with_it(
    rail: SimulatorProcess, account: Account
) -> None:
    pay(account)
    change(rail, "UPDATE booking SET amount = '40.01'")
    compare(after=2 * GRACE)
    found = ReconciliationBreak.objects.get()
    payment_entry = Payment.objects.get().settlement_id
    others = [book("debit 5000 1, credit 1000 1").pk, payment_entry, account.pk]

    for booked_by in others:
        with pytest.raises(CorrectionNotFoundError):
            resolve_break(
                break_id=found.pk, reason="So", booked_by=booked_by, actor=make_staff(), now=datetime.now(tz=UTC)
            )

    assert ReconciliationBreak.objects.get().status == "open"


def test_each_past_day_is_compared_once(rail: SimulatorProcess, account: Account) -> None:
    pay(account)
    now = datetime.now(tz=UTC)

    days = [{each.day for each in reconcile_past_days(now=now + timedelta(days=ahead))} for ahead in (0, 0, 3)]

    yesterday = now.date() - timedelta(days=1)
    assert days == [{yesterday}, set(), {yesterday + timedelta(days=ahead) for ahead in (1, 2, 3)}]


def test_the_command_says_what_it_found_and_that_there_is_no_rail(
    rail: SimulatorProcess, account: Account, settings: Settings
) -> None:
    pay(account)
    out = StringIO()

    call_command("reconcile_rail", f"--date={datetime.now(tz=UTC).date()}", stdout=out)

    assert "BRL: 1 movements at the rail, 0 differences opened, 0 matched." in out.getvalue()
    settings.RAIL_URL = ""
    with pytest.raises(CommandError, match="No rail is connected"):
        call_command("reconcile_rail")
