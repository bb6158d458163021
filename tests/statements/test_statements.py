"""What a statement holds: the balances around a period, and what was booked between them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import Account
from core.errors import InvalidInputError
from ledger.batch import EntryDraft, Line
from ledger.chart import CASH, FEES
from ledger.errors import AccountNotFoundError
from ledger.holds import place_hold
from ledger.services import get_internal_account_id, post_entries, reverse_entry
from ledger.states import Side
from tests.factories import make_account, pay_in, pay_out
from tests.statements.story import NOW, Story, day
from transfers.statements import selectors
from transfers.statements.errors import StatementTooLongError
from transfers.statements.periods import MAX_DAYS, Period, make_period
from transfers.statements.selectors import Statement, get_statement

pytestmark = pytest.mark.django_db

ZONES = ("America/Sao_Paulo", "UTC", "Asia/Tokyo", "America/Nuuk", "Africa/Cairo", "Pacific/Kiritimati", "Asia/Kolkata")


def add_up(statement: Statement) -> int:
    """Return the balance to which the entries lead, while each says how far they have come."""
    balance = statement.opening
    for entry in statement.read_entries():
        balance += entry.amount if entry.direction == "credit" else -entry.amount
        assert entry.balance_after == balance
    return balance


class TestEntries:
    """What each line says."""

    def test_tells_what_was_booked_in_the_order_of_booking(self, story: Story, march: Period) -> None:
        story.live()

        statement = story.state(march)

        assert [
            (e.booking_date.day, e.kind, e.direction, e.amount, e.balance_after, e.remittance_information)
            for e in statement.read_entries()
        ] == [
            (2, "deposit", "credit", 1_000_00, 1_000_00, "Salary"),
            (3, "transfer", "debit", 300_50, 699_50, "Rent for March"),
            (10, "transfer", "credit", 20_00, 719_50, "Thanks, & <see you>"),
            (15, "withdrawal", "debit", 50_00, 669_50, ""),
            (20, "booking", "debit", 25_25, 644_25, ""),
            (25, "reversal", "credit", 300_50, 944_75, "Rent for March"),
        ]
        assert (statement.opening, statement.closing) == (0, 944_75)
        assert (statement.credits, statement.debits) == ((3, 1_320_50), (3, 375_75))

    def test_names_the_other_party_of_each_entry(self, story: Story, march: Period) -> None:
        story.live()

        parties = [entry.counterparty for entry in story.state(march).read_entries()]

        carla, cash = ("Carla Costa", story.carla.number), ("Cash", None)
        assert parties == [cash, carla, carla, cash, carla, carla]

    def test_names_nobody_where_there_are_several(self, story: Story, march: Period) -> None:
        pay_in(account_id=story.alice.pk, amount=100, now=day(2))
        fees = get_internal_account_id(line=FEES, currency="BRL")
        lines = [
            Line(story.alice.pk, Side.DEBIT, 30),
            Line(story.carla.pk, Side.CREDIT, 25),
            Line(fees, Side.CREDIT, 5),
        ]
        with transaction.atomic():
            post_entries(drafts=[EntryDraft(code="internal", lines=lines)], now=day(3))

        ours = list(story.state(march).read_entries())[-1]
        theirs = list(story.state(march, account_id=story.carla.pk, client_id=None).read_entries())[-1]

        assert ours.counterparty is None
        assert theirs.counterparty == ("Alice Almeida", story.alice.number)

    def test_points_to_the_transfer_also_of_what_undid_it(self, story: Story, march: Period) -> None:
        paid = story.move(None, story.alice, 5, at=day(2))
        with transaction.atomic():
            reverse_entry(entry_id=paid, now=day(3))

        entries = list(story.state(march).read_entries())

        assert [entry.transfer_id for entry in entries] == [paid, paid]
        assert [entry.entry_id == paid for entry in entries] == [True, False]

    def test_shows_the_value_date_beside_the_booking_date(self, story: Story, march: Period) -> None:
        cash = get_internal_account_id(line=CASH, currency="BRL")
        lines = [Line(cash, Side.DEBIT, 1), Line(story.alice.pk, Side.CREDIT, 1)]
        with transaction.atomic():
            post_entries(drafts=[EntryDraft(code="deposit", lines=lines, value_date=date(2026, 2, 27))], now=day(3))

        [entry] = story.state(march).read_entries()

        assert (entry.booking_date, entry.value_date) == (date(2026, 3, 3), date(2026, 2, 27))


class TestPeriods:
    """Which days."""

    def test_a_day_is_one_of_the_banks_time_zone(self, story: Story) -> None:
        pay_in(account_id=story.alice.pk, amount=1, now=datetime(2026, 3, 5, 2, 59, 59, 999999, tzinfo=UTC))
        pay_in(account_id=story.alice.pk, amount=2, now=datetime(2026, 3, 5, 3, tzinfo=UTC))

        days = [list(story.state(Period(date(2026, 3, n), date(2026, 3, n))).read_entries()) for n in (4, 5)]

        assert [[(e.amount, e.booking_date.day) for e in entries] for entries in days] == [[(1, 4)], [(2, 5)]]

    def test_before_the_account_existed_there_is_nothing(self, story: Story) -> None:
        story.live()

        statement = story.state(Period(date(2025, 1, 1), date(2025, 12, 31)))

        assert (statement.opening, statement.closing, list(statement.read_entries())) == (0, 0, [])

    def test_a_quiet_period_closes_as_it_opened(self, story: Story) -> None:
        story.live()

        statement = story.state(Period(date(2026, 4, 1), date(2026, 4, 30)))

        assert (statement.opening, statement.closing, list(statement.read_entries())) == (944_75, 944_75, [])

    def test_holds_alone_are_no_entries(self, story: Story, march: Period) -> None:
        pay_in(account_id=story.alice.pk, amount=100, now=day(2))
        with transaction.atomic():
            place_hold(account_id=story.alice.pk, amount=60, now=day(3))

        statement = story.state(march)

        assert (statement.closing, len(list(statement.read_entries()))) == (100, 1)

    def test_is_final_two_minutes_after_its_end(self, story: Story, march: Period) -> None:
        end = datetime(2026, 4, 1, 3, tzinfo=UTC)

        finals = [story.state(march, now=end + timedelta(seconds=late)).is_final for late in (0, 119, 120)]

        assert finals == [False, False, True]

    @pytest.mark.parametrize(
        ("first", "last", "field"),
        [
            (date(2026, 3, 2), date(2026, 3, 1), "to"),
            (date(2026, 5, 1), date(2026, 5, 2), "to"),
            (NOW.date() - timedelta(days=MAX_DAYS), NOW.date(), "from"),
        ],
    )
    def test_refuses_days_out_of_order_to_come_or_too_many(self, first: date, last: date, field: str) -> None:
        with pytest.raises(InvalidInputError) as refusal:
            make_period(first_date=first, last_date=last, now=NOW)

        assert list(refusal.value.errors) == [field]

    def test_takes_today_and_a_leap_year(self) -> None:
        first = NOW.date() - timedelta(days=MAX_DAYS - 1)

        assert make_period(first_date=first, last_date=NOW.date(), now=NOW) == (first, NOW.date())

    def test_today_is_that_of_the_bank(self, settings: Settings) -> None:
        late = datetime(2026, 5, 2, 1, tzinfo=UTC)  # in Sao Paulo, still the first

        with pytest.raises(InvalidInputError):
            make_period(first_date=date(2026, 5, 2), last_date=date(2026, 5, 2), now=late)
        settings.TIME_ZONE = "Asia/Tokyo"
        assert make_period(first_date=date(2026, 5, 2), last_date=date(2026, 5, 2), now=late)


MOMENTS = st.integers(0, 6 * 86_400).map(lambda seconds: day(27, 0) + timedelta(seconds=seconds))
"""The days in which Nuuk sets its clocks, at midnight."""


class TestConsistency:
    """Opening + entries = closing, whatever the days, the zone and the history."""

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        moments=st.lists(MOMENTS, max_size=12).map(sorted),
        zone=st.sampled_from(ZONES),
        cut=st.dates(date(2026, 3, 26), date(2026, 4, 2)),
    )
    def test_consecutive_statements_chain_and_each_adds_up(
        self, moments: Sequence[datetime], zone: str, cut: date
    ) -> None:
        account = make_account(now=datetime(2026, 3, 1, tzinfo=UTC), overdraft_limit=10**6)
        for number, moment in enumerate(moments):
            book = pay_out if number % 3 == 2 else pay_in
            book(account_id=account.pk, amount=number + 1, now=moment)

        with override_settings(TIME_ZONE=zone):
            first = state(account, Period(date(2026, 3, 20), cut))
            second = state(account, Period(cut + timedelta(days=1), date(2026, 4, 10)))
            days = [entry.booking_date for each in (first, second) for entry in each.read_entries()]

            assert (first.opening, add_up(first)) == (0, first.closing)
            assert second.opening == first.closing
            assert add_up(second) == second.closing
            assert len(days) == len(moments)
            assert all(day <= cut for day in days[: first.credits.entries + first.debits.entries])
            assert all(day > cut for day in days[first.credits.entries + first.debits.entries :])

    def test_what_is_booked_while_it_is_read_stays_out(self, story: Story, march: Period) -> None:
        story.live()

        statement = story.state(march, now=day(26))
        pay_in(account_id=story.alice.pk, amount=7, now=day(26))

        assert add_up(statement) == statement.closing == 944_75
        assert story.state(march, now=day(26)).closing == 944_82

    def test_reads_page_by_page(self, story: Story, march: Period, monkeypatch: pytest.MonkeyPatch) -> None:
        story.live()
        whole = list(story.state(march).read_entries())

        for size in (1, 2, 3, 6, 7):
            monkeypatch.setattr(selectors, "_READ_AT_ONCE", size)
            assert list(story.state(march).read_entries()) == whole


class TestLimits:
    """Whose, how many, at what price."""

    def test_refuses_more_entries_than_it_may_have(self, story: Story, march: Period) -> None:
        story.live()

        assert len(list(story.state(march, max_entries=6).read_entries())) == 6
        with pytest.raises(StatementTooLongError) as refusal:
            story.state(march, max_entries=5)
        assert refusal.value.details == {"max_entries": 5}

    def test_is_not_made_for_another_client(self, story: Story, march: Period) -> None:
        with pytest.raises(AccountNotFoundError):
            story.state(march, client_id=story.carla.client_id)

    @pytest.mark.parametrize("entries", [1, 40])
    def test_takes_three_queries_however_many_entries_it_has(self, story: Story, march: Period, entries: int) -> None:
        for _ in range(entries):
            pay_in(account_id=story.alice.pk, amount=1, now=day(3))

        with CaptureQueriesContext(connection) as queries:
            assert len(list(story.state(march).read_entries())) == entries

        assert len(queries) == 3, "the account with its client, the frame, the entries"


def state(account: Account, period: Period) -> Statement:
    """Return the statement of an account."""
    return get_statement(account_id=account.pk, client_id=None, period=period, max_entries=100, now=NOW)
