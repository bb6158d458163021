"""Booking by hand: what two people agree on is booked as any entry is, and nothing else."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.services import block_account
from approvals.models import Approval
from approvals.states import ApprovalStatus
from core.db import get_constraint_name
from core.errors import BankError, InvalidInputError
from core.ids import uuid7
from events.models import Event
from events.topics import fan_out
from ledger.batch import EntryDraft, Line
from ledger.chart import CASH, COSTS
from ledger.errors import (
    AccountBlockedError,
    AccountInactiveError,
    AccountNotFoundError,
    InsufficientFundsError,
    UnbalancedEntryError,
)
from ledger.manual_entries import ManualEntry, ManualLine, check_form
from ledger.models import JournalEntry
from ledger.selectors import find_accounts_by_text
from ledger.services import get_internal_account_id, open_books, post_entries
from ledger.states import Side
from tests.factories import make_account
from tests.manual_entries.bookkeeping import approve_entry, request_entry, write_entry
from tests.transfers.desk import NOW, Desk

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 1)


@pytest.fixture
def desk() -> Desk:
    """Alice has 100, Carla nothing; Mallory is blocked, Ivan inactive."""
    return Desk()


def _write(text: str, desk: Desk) -> ManualEntry:
    return write_entry(text, names=desk.accounts, value_date=TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "debit 5000 12, credit 1000 12",
        "debit alice 12, credit 4000 12",
        "debit 1900 10, debit 5000 2, credit carla 12",
        "debit 5000 12, credit 1000 12, debit 5000 7 USD, credit 1000 7 USD",
    ],
)
def test_what_two_people_agree_on_is_booked_as_it_stands(text: str, desk: Desk) -> None:
    open_books(currency="USD")
    approval = request_entry(_write(text, desk), now=NOW)
    assert not JournalEntry.objects.filter(code="manual").exists()

    approve_entry(approval, now=NOW)

    entry = JournalEntry.objects.get(code="manual")
    assert (entry.reference, entry.value_date) == (approval.pk, TODAY)
    booked = {(each.account_id, each.side, each.amount) for each in entry.postings.all()}
    assert booked == {(line.account_id, line.side, line.amount) for line in _write(text, desk).lines}


def test_it_is_told_as_any_entry(desk: Desk) -> None:
    approval = request_entry(_write("debit alice 12, credit 4000 12", desk), now=NOW)
    last = Event.objects.latest("seq").seq

    approve_entry(approval, now=NOW)

    told = [message.type for event in Event.objects.filter(seq__gt=last).order_by("seq") for message in fan_out(event)]
    assert told == ["ledger.entry_written", "account.balance.updated"]


def test_the_effect_shows_debits_and_credits_and_warns_of_customers(desk: Desk) -> None:
    effect = request_entry(_write("debit alice 12, credit 4000 12", desk), now=NOW).effect

    assert [(line["debit"], line["credit"]) for line in effect["lines"]] == [(12, 0), (0, 12)]
    assert effect["lines"][1]["account"] == "4000 Fee income (BRL)"
    assert "customers' accounts" in effect["sentences"][1]["text"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("debit 5000 12, credit 1000 11", UnbalancedEntryError),
        ("debit 5000 12, credit 1000 12 USD", UnbalancedEntryError),
        ("debit nobody 12, credit 1000 12", AccountNotFoundError),
        ("debit ivan 12, credit 1000 12", AccountInactiveError),
    ],
)
def test_what_can_never_be_booked_cannot_be_requested(text: str, error: type[BankError], desk: Desk) -> None:
    open_books(currency="USD")

    with pytest.raises(error):
        request_entry(_write(text, desk), now=NOW)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("debit carla 1, credit 4000 1", InsufficientFundsError),
        ("debit mallory 1, credit 4000 1", AccountBlockedError),
    ],
)
def test_what_is_refused_when_it_is_booked_still_waits(text: str, error: type[BankError], desk: Desk) -> None:
    approval = request_entry(_write(text, desk), now=NOW)

    with pytest.raises(error):
        approve_entry(approval, now=NOW)

    assert Approval.objects.get(pk=approval.pk).status == ApprovalStatus.PENDING
    assert not JournalEntry.objects.filter(code="manual").exists()


def _make_lines(count: int, **change: Any) -> ManualEntry:
    line: dict[str, Any] = {"account_id": uuid7(), "side": 1, "amount": 1} | change
    return ManualEntry((ManualLine(**line),) * count, TODAY)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (_make_lines(1), "lines"),
        (_make_lines(21), "lines"),
        (_make_lines(2, side=0), "lines"),
        (_make_lines(2, amount=0), "lines"),
        (_make_lines(2, amount=-1), "lines"),
        (_make_lines(2, amount=10**12 + 1), "lines"),
        (ManualEntry(_make_lines(2).lines, TODAY + timedelta(days=1)), "value_date"),
        (ManualEntry(_make_lines(2).lines, TODAY - timedelta(days=367)), "value_date"),
    ],
)
def test_an_entry_has_a_form(entry: ManualEntry, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_form(entry=entry, today=TODAY)

    assert field in refused.value.errors


@pytest.mark.parametrize("count", [2, 20])
def test_an_entry_has_two_to_twenty_lines(count: int) -> None:
    check_form(entry=_make_lines(count), today=TODAY)


def test_accounts_are_found_as_people_write_them() -> None:
    account = make_account()
    number = account.number
    cash = get_internal_account_id(line=CASH, currency="BRL")
    texts = {number: account.pk, f"{number[:4]}-{number[4:8]} {number[8:]}": account.pk}
    texts |= {"1000 BRL": cash, "1000 Cash (BRL)": cash, "1000 (BRL)": cash}
    nothing = {"", "1000", "1000 EUR", "Cash", "2000 BRL", "x" * 160, number[:-1]}

    found = find_accounts_by_text(texts={*texts, *nothing})

    assert {text: account.pk for text, account in found.items()} == texts


def _post_by_hand(reference: Any) -> str:
    """Book past the approvals; return the name of the rule that refuses it."""
    open_books(currency="BRL")
    own = [get_internal_account_id(line=line, currency="BRL") for line in (COSTS, CASH)]
    lines = [Line(own[0], Side.DEBIT, 1), Line(own[1], Side.CREDIT, 1)]
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        post_entries(drafts=[EntryDraft("manual", lines, reference=reference)], now=NOW)
    return get_constraint_name(refused.value)


def test_the_database_refuses_an_entry_by_hand_without_its_approval(desk: Desk) -> None:
    waiting = request_entry(_write("debit 5000 1, credit 1000 1", desk), now=NOW)

    assert _post_by_hand(waiting.pk) == "ledger_journalentry_approved"
    assert _post_by_hand(None) == "ledger_journalentry_approved"


def test_the_database_lets_an_approval_book_one_entry(desk: Desk) -> None:
    approval = request_entry(_write("debit 5000 1, credit 1000 1", desk), now=NOW)
    approve_entry(approval, now=NOW)

    assert _post_by_hand(approval.pk) == "ledger_entry_manual_once"


def test_an_account_that_is_blocked_meanwhile_refuses_it(desk: Desk) -> None:
    approval = request_entry(_write("debit alice 1, credit 4000 1", desk), now=NOW)
    block_account(account_id=desk.accounts["alice"], reason="Test", actor=None, now=NOW)

    with pytest.raises(AccountBlockedError):
        approve_entry(approval, now=NOW)
