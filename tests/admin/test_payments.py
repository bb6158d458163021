"""Pages about payments to other banks."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from accounts.services import inactivate_account
from approvals.models import Approval
from ledger.chart import SETTLEMENT, SUSPENSE, ChartLine
from ledger.models import LedgerAccount
from tests.admin.addresses import address
from tests.antifraud.rulebook import put_in_force, rule
from tests.factories import make_account
from tests.payments.cashier import NOW, complete, give_back, make_payment, submit
from tests.payments.suspense import keep_in_suspense
from transfers.antifraud.models import Review
from transfers.payments.models import Payment, Submission

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


@pytest.mark.parametrize("page", [Payment, Review])
@pytest.mark.parametrize(("decision", "status"), [("accept", "held"), ("reject", "returned")])
def test_a_checker_decides_about_a_payment_in_review_on_its_page_and_on_that_of_the_queue(
    sign_in: Callable[[str], Browser], page: type[Payment] | type[Review], decision: str, status: str
) -> None:
    put_in_force(rule("velocity", per_hour=1))
    account = make_account(balance=100)
    _, payment = make_payment(account), make_payment(account)
    checker = sign_in("ops_checker")
    queue = checker.get(address(Review, "changelist")).content.decode()
    assert str(payment.pk) in queue
    assert "Another bank" in queue
    assert "velocity" in checker.get(address(page, "change", payment.pk)).content.decode()

    answer = checker.post(address(page, "act", payment.pk, decision), {"reason": "The client was called"})

    payment.refresh_from_db()
    assert (answer.status_code, payment.status) == (302, status)
    assert Submission.objects.filter(payment=payment).exists() == (decision == "accept")


def test_a_maker_requests_that_money_leaves_suspense(sign_in: Callable[[str], Browser]) -> None:
    payment, other = keep_in_suspense()
    maker = sign_in("ops_maker")
    path = address(Payment, "act", payment.pk, "pay_out")

    refused = maker.post(path, {"account": "000", "reason": "The client asked"})
    asked = maker.post(path, {"account": other.number, "reason": "The client asked"})

    assert (refused.status_code, asked.status_code) == (404, 302)
    assert Approval.objects.get().subject == str(payment.pk)
