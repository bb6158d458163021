"""Statements in the back office."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from pypdf import PdfReader
from pytest_django import Settings

from accounts.models import Account
from tests.events.facts import transfer
from tests.factories import make_account, make_staff
from transfers.statements.files import RENDERERS
from transfers.statements.states import StatementFormat

pytestmark = pytest.mark.django_db

TODAY = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _plain_styles(settings: Settings) -> None:
    """Serve styles without a collected manifest."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def account() -> Account:
    """An account that was opened in January 2026, with 100.00."""
    return make_account(balance=100_00, now=datetime(2026, 1, 20, 12, tzinfo=UTC))


def sign_in(*permissions: str) -> Browser:
    """Return the browser of a member of staff."""
    browser = Browser()
    browser.force_login(make_staff(permissions=permissions))
    return browser


def find(account_id: object, year: int, month: int) -> str:
    """Return the address of a month's statement."""
    return reverse("account_statement", args=[account_id, year, month])


@time_machine.travel(TODAY, tick=False)
def test_an_accounts_page_leads_to_a_pdf_of_each_month(account: Account) -> None:
    browser = sign_in("accounts.view_account", "ledger.view_posting")

    page = browser.get(reverse("admin:accounts_account_change", args=[account.pk])).content.decode()

    assert [find(account.pk, 2026, month) in page for month in (3, 2, 1)] == [True] * 3
    assert find(account.pk, 2025, 12) not in page


@time_machine.travel(TODAY, tick=False)
@pytest.mark.parametrize(("month", "period"), [(1, "01 Jan 2026 to 31 Jan 2026"), (3, "01 Mar 2026 to 10 Mar 2026")])
def test_the_pdf_is_of_the_month_up_to_today(account: Account, month: int, period: str) -> None:
    browser = sign_in("accounts.view_account", "ledger.view_posting")

    answer = browser.get(find(account.pk, 2026, month))

    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]
    assert period in PdfReader(BytesIO(b"".join(answer))).pages[0].extract_text()


@time_machine.travel(TODAY, tick=False)
@pytest.mark.parametrize(("year", "month"), [(2026, 4), (2027, 1), (2026, 0), (2026, 13), (1, 1), (10**6, 1)])
def test_there_is_none_of_other_months(account: Account, year: int, month: int) -> None:
    browser = sign_in("accounts.view_account", "ledger.view_posting")

    assert browser.get(find(account.pk, year, month)).status_code == 404


def test_there_is_none_of_an_unknown_account() -> None:
    browser = sign_in("accounts.view_account", "ledger.view_posting")

    assert browser.get(find(uuid4(), 2026, 1)).status_code == 404


@pytest.mark.parametrize("permission", ["accounts.view_account", "ledger.view_posting"])
def test_needs_both_permissions(account: Account, permission: str) -> None:
    assert sign_in(permission).get(find(account.pk, 2026, 1)).status_code == 403


def test_strangers_are_sent_to_the_login_page(account: Account) -> None:
    assert Browser().get(find(account.pk, 2026, 1)).status_code == 302


@time_machine.travel(TODAY, tick=False)
def test_says_so_when_a_month_is_too_long(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    pdf = RENDERERS[StatementFormat.PDF]
    monkeypatch.setitem(RENDERERS, StatementFormat.PDF, pdf._replace(max_entries=0))

    answer = sign_in("accounts.view_account", "ledger.view_posting").get(find(account.pk, 2026, 1))

    assert (answer.status_code, answer["Content-Type"]) == (422, "text/plain")


class TestTheDaysOfAStatement:
    """The table on the page of an account, of the days in its address."""

    @pytest.fixture
    def browser(self) -> Browser:
        """Somebody who reads accounts and postings."""
        return sign_in("accounts.view_account", "ledger.view_posting")

    @pytest.fixture
    def moved(self, account: Account) -> Account:
        """The account, with 1.00 drawn on the first and 2.00 on the last moment of 5 March in São Paulo."""
        for amount, moment in (
            (1_00, datetime(2026, 3, 5, 3, 0, tzinfo=UTC)),
            (2_00, datetime(2026, 3, 6, 2, 59, 59, 999_999, tzinfo=UTC)),
            (4_00, datetime(2026, 3, 6, 3, 0, tzinfo=UTC)),
        ):
            with time_machine.travel(moment, tick=False):
                transfer(debtor=account, creditor=None, amount=amount)
        return account

    @pytest.mark.parametrize(
        ("days", "balances"),
        [
            ({}, ["93.00", "97.00", "99.00", "100.00"]),
            ({"from": "2026-03-05", "to": "2026-03-05"}, ["97.00", "99.00"]),
            ({"from": "2026-03-05"}, ["93.00", "97.00", "99.00"]),
            ({"to": "2026-03-04"}, ["100.00"]),
            ({"from": "2026-03-07"}, []),
            ({"from": "2026-13-45", "to": "x\0"}, ["93.00", "97.00", "99.00", "100.00"]),
            ({"from": "0001-01-01", "to": "9999-12-31"}, ["93.00", "97.00", "99.00", "100.00"]),
        ],
    )
    def test_are_those_of_the_bank_with_the_balance_after_each(
        self, moved: Account, browser: Browser, days: dict[str, str], balances: list[str]
    ) -> None:
        page = browser.get(reverse("admin:accounts_account_change", args=[moved.pk]), days)

        [statement] = [table for table in page.context["tables"] if table.title == "Statement"]
        assert [strip_tags(str(row[4])).split()[0] for row in statement.rows] == balances

    def test_stand_in_the_form_and_are_kept_while_paging(self, account: Account, browser: Browser) -> None:
        for _ in range(21):
            transfer(debtor=account, creditor=None, amount=1)
        today = f"{timezone.localdate()}"

        page = browser.get(reverse("admin:accounts_account_change", args=[account.pk]), {"from": today})

        [statement] = [table for table in page.context["tables"] if table.title == "Statement"]
        assert [link.address.split("&")[0] for link in statement.more] == [f"?from={today}"]
        assert f'name="from" value="{today}"' in page.content.decode()
