"""Reversing a transfer in the back office, from its page to the approval and back."""

import pytest
from django.test import Client as Browser

from approvals.models import Approval
from tests.admin.addresses import address
from tests.admin.conftest import Bank
from tests.approvals.naming import get_seen
from tests.factories import make_staff
from tests.presence import enter_as
from transfers.models import Transfer
from transfers.reversals.models import Reversal
from transfers.reversals.operations import ReverseTransfer

pytestmark = pytest.mark.django_db

VIEWS = ("transfers.view_transfer", "approvals.view_approval", "ledger.view_posting")


@pytest.fixture
def maker() -> Browser:
    """The browser of somebody who may request reversals."""
    browser = Browser()
    browser.force_login(make_staff(permissions=(*VIEWS, ReverseTransfer.request_permission)))
    return browser


@pytest.fixture
def checker() -> Browser:
    """The browser of somebody who may approve them."""
    return enter_as(make_staff(permissions=(*VIEWS, ReverseTransfer.approve_permission)))


def test_a_transfer_is_reversed_by_two(bank: Bank, maker: Browser, checker: Browser) -> None:
    act = address(Transfer, "act", bank.transfer.pk, "reverse")

    asked = maker.get(act).content.decode()
    requested = maker.post(act, {"reason": "Sent twice"}, follow=True).content.decode()
    approval = Approval.objects.get(operation=ReverseTransfer.name)
    shown = checker.get(address(Approval, "act", approval.pk, "approve")).content.decode()
    checker.post(
        address(Approval, "act", approval.pk, "approve"), {"seen": get_seen(approval), "reason": "Seen"}, follow=True
    )
    page = maker.get(address(Transfer, "change", bank.transfer.pk)).content.decode()

    assert "somebody else has to approve it" in asked
    assert "Debits and credits" in asked
    assert address(Approval, "change", approval.pk) in requested
    assert "25.00" in shown
    assert Reversal.objects.filter(pk=bank.transfer.pk).exists()
    assert "The transfer was undone" in page
    assert "/act/reverse/" not in page


def test_a_failed_transfer_offers_no_reversal_and_its_request_says_why_not(bank: Bank, maker: Browser) -> None:
    page = maker.get(address(Transfer, "change", bank.failed.pk)).content.decode()
    refused = maker.post(address(Transfer, "act", bank.failed.pk, "reverse"), {"reason": "Why not"})

    assert "/act/reverse/" not in page
    assert refused.status_code == 409
    assert "Only a completed transfer can be reversed" in refused.content.decode()


def test_the_same_reversal_waits_once(bank: Bank, maker: Browser) -> None:
    act = address(Transfer, "act", bank.transfer.pk, "reverse")
    maker.post(act, {"reason": "Sent twice"})

    again = maker.post(act, {"reason": "Sent twice"})

    assert again.status_code == 409
    assert "waits for a decision" in again.content.decode()


def test_who_may_not_request_it_is_offered_nothing(bank: Bank, checker: Browser) -> None:
    path = address(Transfer, "act", bank.transfer.pk, "reverse")

    assert "/act/reverse/" not in checker.get(address(Transfer, "change", bank.transfer.pk)).content.decode()
    assert checker.post(path, {"reason": "x"}).status_code == 403
