"""Pages about payments to other banks."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from accounts.services import inactivate_account
from ledger.chart import SETTLEMENT, SUSPENSE, ChartLine
from ledger.models import LedgerAccount
from tests.admin.addresses import address
from tests.factories import make_account
from tests.payments.cashier import NOW, complete, give_back, make_payment, submit
from transfers.payments.models import Payment

pytestmark = pytest.mark.django_db

TITLE = "Payments that came back for closed accounts"


def test_the_page_of_suspense_says_whose_money_came_back_for_closed_accounts(sign_in: Callable[[str], Browser]) -> None:
    closed, open_one = make_account(balance=40), make_account(balance=40)
    kept, returned = (make_payment(account, submit, complete) for account in (closed, open_one))
    inactivate_account(account_id=closed.pk, reason="Moved", actor=None, now=NOW)
    give_back(kept.pk)
    give_back(returned.pk)
    browser = sign_in("auditor")

    page = read_books(browser, SUSPENSE)

    assert TITLE in page
    assert address(Payment, "change", kept.pk) in page
    assert address(Payment, "change", returned.pk) not in page
    assert TITLE not in read_books(browser, SETTLEMENT)


def read_books(browser: Browser, line: ChartLine) -> str:
    """Return the page of an account of the bank's own."""
    books = LedgerAccount.objects.get(chart_code=line.code, currency="BRL")
    return browser.get(address(LedgerAccount, "change", books.pk)).content.decode()
