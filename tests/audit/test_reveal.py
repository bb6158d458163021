"""Personal data that pages hide is revealed for a reason, on record, in the answer alone."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from audit.models import Look
from audit.states import LookKind
from kyc.models import Client
from kyc.states import DocumentType
from tests.audit.test_trail import open_page, sign_in
from tests.factories import make_client

pytestmark = pytest.mark.django_db

PASSPORT = "CANARY777"


@pytest.fixture(autouse=True)
def _quick_pages(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture
def client_of_bank() -> Client:
    """A client with a passport that is easily found."""
    return make_client(document_type=DocumentType.PASSPORT, document_number=PASSPORT)


def reveal(browser: Browser, client: Client, reason: str) -> Any:
    """Fill in the form."""
    return browser.post(reverse("admin:kyc_client_act", args=[client.pk, "reveal"]), {"reason": reason, "seen": ""})


def test_the_page_hides_what_is_revealed(client_of_bank: Client) -> None:
    browser, _ = sign_in("kyc.reveal_client")

    page = open_page(browser, client_of_bank)

    assert PASSPORT not in page
    assert "1990-05-17" not in page


def test_shows_the_values_once_and_keeps_who_and_why(client_of_bank: Client) -> None:
    browser, staff = sign_in("kyc.reveal_client")

    response = reveal(browser, client_of_bank, "The passport's copy is blurred")

    assert response.status_code == 200
    assert PASSPORT in response.content.decode()
    assert "1990-05-17" in response.content.decode()
    look = Look.objects.get(kind=LookKind.REVEAL)
    assert (look.client, look.looked_by, look.reason) == (client_of_bank, staff, "The passport's copy is blurred")


def test_is_kept_by_no_browser_cookie_or_later_page(client_of_bank: Client) -> None:
    browser, _ = sign_in("kyc.reveal_client")

    response = reveal(browser, client_of_bank, "The passport's copy is blurred")

    assert "no-store" in response["Cache-Control"]
    assert PASSPORT not in str(response.cookies)
    assert PASSPORT not in open_page(browser, client_of_bank)
    assert PASSPORT not in str(dict(browser.session))


def test_each_reveal_counts(client_of_bank: Client) -> None:
    browser, _ = sign_in("kyc.reveal_client")

    reveal(browser, client_of_bank, "The passport's copy is blurred")
    reveal(browser, client_of_bank, "And once more")

    assert Look.objects.filter(kind=LookKind.REVEAL).count() == 2


def test_reveals_nothing_without_a_reason(client_of_bank: Client) -> None:
    browser, _ = sign_in("kyc.reveal_client")

    response = reveal(browser, client_of_bank, " ")

    assert response.status_code == 400
    assert PASSPORT not in response.content.decode()
    assert not Look.objects.filter(kind=LookKind.REVEAL).exists()


def test_reveals_nothing_without_the_permission(client_of_bank: Client) -> None:
    browser, _ = sign_in()

    response = reveal(browser, client_of_bank, "Out of curiosity")

    assert response.status_code == 403
    assert PASSPORT not in response.content.decode()
