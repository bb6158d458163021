"""Putting accounts and clients on antifraud's lists in the back office, and taking them off."""

from collections.abc import Callable

import pytest
from django.db.models import Model
from django.test import Client as Browser

from accounts.models import Account
from kyc.models import Client
from tests.admin.addresses import address
from tests.factories import make_account
from transfers.antifraud.models import Listing, RuleSet

pytestmark = pytest.mark.django_db

LISTED = {"effect": "blocked", "reason": "Reported by another bank"}
LIFTED = {"effect": "blocked", "reason": "It was somebody else"}


@pytest.fixture(params=[Account, Client])
def party(request: pytest.FixtureRequest) -> Model:
    """An account, or the client of one."""
    account = make_account()
    return account if request.param is Account else account.client


def test_a_party_is_listed_and_its_page_says_so(party: Model, sign_in: Callable[[str], Browser]) -> None:
    browser = sign_in("ops_maker")

    page = browser.post(address(type(party), "act", party.pk, "list"), LISTED, follow=True).content.decode()

    assert "It is on the list: blocked." in page
    assert LISTED["reason"] in page.partition("Antifraud lists")[2]


def test_a_listed_party_is_not_listed_again(party: Model, sign_in: Callable[[str], Browser]) -> None:
    browser, path = sign_in("ops_maker"), address(type(party), "act", party.pk, "list")
    browser.post(path, LISTED)

    assert browser.post(path, LISTED).status_code == 409
    assert Listing.objects.filter(party_id=party.pk).count() == 1


def test_a_party_is_taken_off_the_list(party: Model, sign_in: Callable[[str], Browser]) -> None:
    browser = sign_in("ops_maker")
    browser.post(address(type(party), "act", party.pk, "list"), LISTED)

    page = browser.post(address(type(party), "act", party.pk, "unlist"), LIFTED, follow=True).content.decode()

    assert "It is no longer on the list: blocked." in page
    assert Listing.objects.filter(party_id=party.pk, lifted_at=None).count() == 0


def test_a_checker_lists_nobody(party: Model, sign_in: Callable[[str], Browser]) -> None:
    path = address(type(party), "act", party.pk, "list")

    assert sign_in("ops_checker").post(path, LISTED).status_code == 403


def test_the_page_of_a_version_says_what_its_rules_are(sign_in: Callable[[str], Browser]) -> None:
    page = sign_in("auditor").get(address(RuleSet, "change", RuleSet.objects.get().pk)).content.decode()

    assert "Amount against habit" in page
    assert "times 50; from amount 20,000 *" in page
