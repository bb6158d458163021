"""The page on which a manual journal entry is requested."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from approvals.models import Approval
from ledger.models import JournalEntry
from ledger.operations import PostManualEntry
from tests.admin.addresses import address
from tests.approvals.naming import get_seen
from tests.factories import make_account, make_staff
from tests.presence import enter_as

pytestmark = pytest.mark.django_db

PATH = "/admin/ledger/journalentry/manual/"
VIEWS = ("approvals.view_approval", "ledger.view_journalentry", "ledger.view_posting")


@pytest.fixture
def account() -> Account:
    """Alice's account with 100.00 BRL."""
    return make_account(balance=100_00)


@pytest.fixture
def maker(account: Account) -> Browser:
    """The browser of somebody who may request entries."""
    browser = Browser()
    browser.force_login(make_staff(permissions=(*VIEWS, PostManualEntry.request_permission)))
    return browser


def fill_in(*lines: tuple[str, str, str], **more: str) -> dict[str, Any]:
    """Return the form with lines of account, debit and credit."""
    fields = {
        f"form-{number}-{name}": text
        for number, line in enumerate(lines)
        for name, text in zip(("account", "debit", "credit"), line, strict=True)
    }
    management = {"form-TOTAL_FORMS": str(max(6, len(lines))), "form-INITIAL_FORMS": "0"}
    return {"value_date": str(timezone.localdate()), "reason": "Written off"} | management | fields | more


def test_an_entry_is_requested_and_booked_by_two(account: Account, maker: Browser) -> None:
    form = fill_in((account.number, "12.5", ""), ("4000 Fee income (BRL)", "", "12.50"))
    checker = enter_as(make_staff(permissions=(*VIEWS, PostManualEntry.approve_permission)))

    requested = maker.post(PATH, form, follow=True).content.decode()
    approval = Approval.objects.get()
    act = address(Approval, "act", approval.pk, "approve")
    shown = checker.get(act).content.decode()
    checker.post(act, {"seen": get_seen(approval), "reason": "Right"})

    assert "waits for somebody else" in requested
    assert "4000 Fee income (BRL)" in shown
    assert "12.50" in shown
    entry = JournalEntry.objects.get(code="manual")
    page = maker.get(address(JournalEntry, "change", entry.pk)).content.decode()
    assert "Booked by hand" in page
    assert address(Approval, "change", approval.pk) in page


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (("nobody", "1", ""), "No account is called that."),
        (("1000 BRL", "", ""), "Give a debit or a credit."),
        (("1000 BRL", "1", "1"), "Give a debit or a credit."),
        (("", "1", ""), "No account is called that."),
        (("1000 BRL", "1,50", ""), "The amount must be a positive decimal string"),
        (("1000 BRL", "1.234", ""), "The amount must be a positive decimal string"),
        (("1000 BRL", "", "-1"), "The amount must be a positive decimal string"),
        (("x" * 161, "1", ""), "at most 160 characters"),
        (("1000\0BRL", "1", ""), "Null characters are not allowed."),
    ],
)
def test_a_line_is_refused_at_its_place(line: tuple[str, str, str], reason: str, maker: Browser) -> None:
    response = maker.post(PATH, fill_in(line, ("4000 BRL", "", "1")))

    assert response.status_code == 400
    assert reason in response.content.decode()
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    ("form", "status", "reason"),
    [
        (fill_in(("1000 BRL", "1", ""), ("4000 BRL", "", "2")), 422, "must be equal in each currency"),
        (fill_in(("1000 BRL", "1", "")), 400, "An entry has 2 to 20 lines."),
        (fill_in(), 400, "An entry has 2 to 20 lines."),
        (fill_in(("1000 BRL", "1", ""), ("4000 BRL", "", "1"), value_date="1999-01-01"), 400, "The value date is"),
        (fill_in(("1000 BRL", "1", ""), ("4000 BRL", "", "1"), value_date="x"), 400, "Enter a valid date."),
        (fill_in(("1000 BRL", "1", ""), ("4000 BRL", "", "1"), reason=""), 400, "This field is required."),
        (fill_in(*[("1000 BRL", "1", "")] * 30), 400, "at most 20 forms"),
        ({"reason": "x"}, 400, "ManagementForm data is missing"),
    ],
)
def test_an_entry_is_refused_with_its_reason(form: dict[str, Any], status: int, reason: str, maker: Browser) -> None:
    response = maker.post(PATH, form)

    assert response.status_code == status
    assert reason in response.content.decode()
    assert not Approval.objects.exists()


def test_more_lines_keep_what_was_filled_in(maker: Browser) -> None:
    lines = [("1000 BRL", str(number), "") for number in range(1, 7)]

    page = maker.post(PATH, fill_in(*lines, more="1")).content.decode()

    assert page.count('value="1000 BRL"') == 6
    assert 'name="form-11-account"' in page
    assert "Written off" in page


def test_only_who_may_request_an_entry_finds_the_page(maker: Browser) -> None:
    other = Browser()
    other.force_login(make_staff(permissions=VIEWS))

    assert PATH in maker.get(reverse("admin:index")).content.decode()
    assert PATH not in other.get(reverse("admin:index")).content.decode()
    assert [other.get(PATH).status_code, other.post(PATH, fill_in()).status_code] == [403, 403]
    assert Browser().get(PATH).status_code == 302
