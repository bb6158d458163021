"""A transfer tells its whole story, and is found by whatever is known of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from approvals.models import Approval
from core.ids import uuid7
from core.models import IdempotencyKey
from events.models import DeadLetter, Event
from events.topics import fan_out
from ledger.models import JournalEntry
from notifications.models import Delivery, Notification
from reporting.regulatory.models import Report
from tests.admin.addresses import address
from tests.admin.conftest import Bank, order_transfer
from tests.events.delivery import deliver_all
from tests.factories import make_account, make_client
from tests.plans import explain
from tests.reversals.undoing import undo
from transfers.models import Transfer
from transfers.states import TransferStatus

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]


def read_story(browser: Browser, transfer: Transfer) -> str:
    """Return the page of a transfer from its story on."""
    return browser.get(address(Transfer, "change", transfer.pk)).content.decode().partition("What happened")[2]


def search(browser: Browser, **terms: str) -> Any:
    return browser.post(reverse("admin:transfers_transfer_search"), terms)


def find(browser: Browser, **terms: str) -> set[str]:
    """Return the addresses of the transfers that a search finds."""
    page = search(browser, **terms)
    assert page.status_code == 200, page.content.decode()
    pages = {address(Transfer, "change", key) for key in Transfer.objects.values_list("pk", flat=True)}
    return {path for path in pages if path in page.content.decode()}


def get_page(transfer: Transfer) -> str:
    return address(Transfer, "change", transfer.pk)


def list_days(*, days: int = 0) -> dict[str, str]:
    """Return today, or the last `days` up to today, as a search asks for them."""
    today = timezone.localdate()
    return {"first_day": f"{today - timedelta(days=days)}", "last_day": f"{today}"}


def test_a_completed_transfer_tells_what_happened_in_order(bank: Bank, sign_in: SignIn) -> None:
    story = read_story(sign_in("auditor"), bank.transfer)

    steps = [story.index(f">{step}</span>") for step in ("Ordered", "Validated", "Completed", "Told")]
    assert steps == sorted(steps)
    assert address(JournalEntry, "change", bank.transfer.pk) in story


def test_a_story_says_where_each_message_got_to(bank: Bank, sign_in: SignIn) -> None:
    story = read_story(sign_in("auditor"), bank.transfer)

    assert "transaction.completed: waits for the relay; taken in by regulatory" in story


def test_a_story_tells_of_the_report_and_its_number(bank: Bank, sign_in: SignIn) -> None:
    report = Report.objects.get(pk=bank.transfer.pk)
    waiting = read_story(sign_in("auditor"), bank.transfer)
    Report.objects.filter(pk=report.pk).update(
        state="acknowledged", attempts=2, acknowledgement="R-77", decided_at=timezone.now(), began_at=None
    )

    acknowledged = read_story(sign_in("admin"), bank.transfer)

    assert "Report written" in waiting
    assert "0 attempts" in waiting
    assert "2 attempts" in acknowledged
    assert acknowledged.index("Report written") < acknowledged.index("R-77")


def test_a_story_tells_who_was_notified_and_how_it_went(bank: Bank, sign_in: SignIn) -> None:
    deliver_all(group="notifications")
    notification = Notification.objects.get(facts__transfer=str(bank.transfer.pk))
    Delivery.objects.filter(notification=notification).update(state="failed", ended_at=timezone.now())

    story = read_story(sign_in("auditor"), bank.transfer)

    assert "Alice Almeida" in story
    assert address(Notification, "change", notification.pk) in story
    assert address(Delivery, "change", Delivery.objects.get(notification=notification).pk) in story
    assert "Failed</a>" in story


def test_a_story_ends_with_the_reversal(bank: Bank, sign_in: SignIn) -> None:
    approval = undo(transfer_id=bank.transfer.pk, now=timezone.now())

    story = read_story(sign_in("auditor"), bank.transfer)

    assert story.index(">Completed</span>") < story.index(">Reversed</span>")
    assert address(Approval, "change", approval.pk) in story


def test_a_story_leads_to_the_dead_letter_of_its_message(bank: Bank, sign_in: SignIn) -> None:
    event = Event.objects.get(key=bank.transfer.pk)
    message = next(message for message in fan_out(event) if message.type == "transaction.completed")
    letter = DeadLetter.objects.create(
        group="analytics",
        topic=message.type,
        partition=0,
        offset=7,
        key=str(message.subject).encode(),
        value=message.encode(),
        error="Out of order",
        buried_at=timezone.now(),
    )

    assert address(DeadLetter, "change", letter.pk) in read_story(sign_in("auditor"), bank.transfer)


def test_a_failed_transfer_says_why_and_what_can_be_done(bank: Bank, sign_in: SignIn) -> None:
    story = read_story(sign_in("auditor"), bank.failed)

    assert "Nothing moved. Its client can pay in and order it again" in story
    assert ">Completed</span>" not in story.partition("</table>")[0]


def test_transfers_are_found_by_what_is_known_of_them(bank: Bank, sign_in: SignIn) -> None:
    others = [make_account(client=make_client(name="Carla Cardoso"), balance=90_00) for _ in range(2)]
    other = Transfer.objects.get(pk=order_transfer(debtor=others[0], creditor=others[1], amount=40_00))
    browser = sign_in("teller")
    key = IdempotencyKey.objects.get(resource_id=bank.transfer.pk).key
    alone = {get_page(bank.transfer)}
    waiting = Transfer.objects.get(status=TransferStatus.IN_REVIEW)  # to Alice
    hers = {*alone, get_page(bank.failed), get_page(waiting)}

    assert find(browser, transfer=str(bank.transfer.pk)) == alone
    assert find(browser, key=key) == alone
    assert find(browser, party="alice") == hers
    assert find(browser, party=others[1].number) == {get_page(other)}
    assert find(browser, party="alice", currency="brl", most="25.00") == alone
    assert find(browser, **list_days(), currency="BRL", least="25.00", most="25.00") == alone
    assert find(browser, **list_days(), currency="BRL", least="25.01", most="40.00") == {get_page(other)}
    assert find(browser, **list_days(days=80), text="lunch") == {*hers, get_page(other)}
    assert find(browser, first_day="2020-01-01", last_day="2020-01-31") == set()
    assert find(browser, transfer=str(uuid7())) == set()


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ({}, "Give the first and the last day"),
        ({"currency": "BRL", "least": "5.00"}, "Give the first and the last day"),
        ({"text": "Lunch", "first_day": "2026-01-01"}, "Give the first and the last day"),
        ({"first_day": "2026-01-01", "last_day": "2026-12-31"}, "Give the first and the last day"),
        ({"first_day": "2026-02-01", "last_day": "2026-01-01"}, "must not come after"),
        ({"party": "alice", "least": "5.00"}, "in which currency"),
        ({"party": "alice", "currency": "BRL", "least": "5,00"}, "amount"),
        ({"party": "alice", "currency": "XXX", "least": "5"}, "currency"),
        ({"transfer": "12"}, "no id of a transfer"),
        ({"first_day": "0001-01-01", "last_day": "9999-12-31"}, "between 1970 and 2200"),
        ({"first_day": "yesterday"}, "valid date"),
        ({"party": "a\x00b"}, "Null characters"),
    ],
)
def test_a_search_that_narrows_too_little_or_says_nonsense_is_told_so(
    terms: dict[str, str], fault: str, sign_in: SignIn
) -> None:
    page = search(sign_in("teller"), **terms)

    assert page.status_code == 400
    assert fault in page.content.decode()


def test_a_search_stays_out_of_addresses(bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("teller")

    page = search(browser, party="alice")

    assert "Location" not in page
    assert "?party" not in page.content.decode()
    asked = browser.get(f"{reverse('admin:transfers_transfer_search')}?party=alice").content.decode()
    assert get_page(bank.transfer) not in asked


def test_only_who_may_see_transfers_searches_them(sign_in: SignIn) -> None:
    assert search(sign_in("administrator"), party="alice").status_code == 403


def test_the_form_stands_above_the_list(bank: Bank, sign_in: SignIn) -> None:
    page = sign_in("teller").get(address(Transfer, "changelist")).content.decode()

    assert f'action="{reverse("admin:transfers_transfer_search")}"' in page


def test_days_are_found_by_their_index() -> None:
    plan = explain(
        "SELECT id FROM transfers_transfer WHERE created_at >= now() - interval '1 day' AND created_at < now()"
        " AND amount = 100 ORDER BY created_at DESC, id DESC LIMIT 51"
    )

    assert "transfers_transfer_ordered" in plan
