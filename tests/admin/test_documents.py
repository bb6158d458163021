"""Clients' documents in the back office: who sees them, how their files are served, and that looks are recorded."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from kyc.models import Client, ClientDocument, DocumentFile, DocumentLook, KycCase
from kyc.services import add_document
from tests.admin.addresses import address
from tests.factories import make_bob, make_staff
from tests.files import make_image, make_pdf

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]


@pytest.fixture
def image() -> ClientDocument:
    """A picture that Bob has sent."""
    return add_document(client_id=make_bob().pk, kind="selfie", file=make_image(image_format="PNG"), now=timezone.now())


@pytest.fixture
def pdf(image: ClientDocument) -> ClientDocument:
    """A PDF that Bob has sent."""
    return add_document(client_id=image.client_id, kind="address", file=make_pdf(), now=timezone.now())


def find_file(document: ClientDocument) -> str:
    """Return the address of a document's file."""
    return reverse("admin:kyc_clientdocument_file", args=[document.pk])


@pytest.mark.parametrize("page", ["case", "act"])
def test_stand_beside_the_decision(page: str, image: ClientDocument, pdf: ClientDocument, sign_in: SignIn) -> None:
    case = image.client.cases.get()
    path = address(KycCase, "change", case.pk) if page == "case" else address(KycCase, "act", case.pk, "approve")

    content = sign_in("kyc_analyst").get(path).content.decode()

    assert f'<img src="{find_file(image)}"' in content
    assert f'href="{find_file(pdf)}"' in content
    assert f'<img src="{find_file(pdf)}"' not in content


def test_stand_on_the_clients_page(image: ClientDocument, sign_in: SignIn) -> None:
    content = sign_in("ops_maker").get(address(Client, "change", image.client_id)).content.decode()

    assert address(ClientDocument, "change", image.pk) in content
    assert find_file(image) not in content


@pytest.mark.parametrize(("kind", "how"), [("image", "inline"), ("pdf", "attachment")])
def test_a_file_is_served_so_that_it_can_do_nothing(
    kind: str, how: str, image: ClientDocument, pdf: ClientDocument, sign_in: SignIn
) -> None:
    document = image if kind == "image" else pdf

    response = sign_in("kyc_approver").get(find_file(document))

    assert response.content == bytes(DocumentFile.objects.get(document=document).content)
    assert response["Content-Type"] == ("image/jpeg" if kind == "image" else "application/pdf")
    assert response["Content-Disposition"].startswith(f'{how}; filename="document-')
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]


def test_each_look_is_recorded_and_shown(image: ClientDocument, sign_in: SignIn) -> None:
    browser = sign_in("kyc_approver")
    browser.get(find_file(image))
    browser.get(find_file(image))

    assert [look.looked_by.username for look in DocumentLook.objects.all()] == ["kyc_approver"] * 2
    page = sign_in("auditor").get(address(ClientDocument, "change", image.pk)).content.decode()
    assert page.count("<td>kyc_approver</td>") == 2


def test_a_page_without_the_file_is_no_look(image: ClientDocument, sign_in: SignIn) -> None:
    sign_in("kyc_approver").get(address(KycCase, "change", image.client.cases.get().pk))

    assert not DocumentLook.objects.exists()


@pytest.mark.parametrize("permissions", [(), ("kyc.view_clientdocument",), ("kyc.open_clientdocument",)])
def test_a_file_needs_the_right_to_see_and_to_open_it(permissions: tuple[str, ...], image: ClientDocument) -> None:
    browser = Browser()
    browser.force_login(make_staff(permissions=permissions))

    assert browser.get(find_file(image)).status_code == 403
    assert not DocumentLook.objects.exists()


def test_the_maker_opens_no_file_and_finds_no_link_to_one(image: ClientDocument, sign_in: SignIn) -> None:
    maker = sign_in("ops_maker")

    assert maker.get(find_file(image)).status_code == 403
    for path in (
        address(KycCase, "change", image.client.cases.get().pk),
        address(ClientDocument, "change", image.pk),
    ):
        assert find_file(image) not in maker.get(path).content.decode()


def test_strangers_and_clients_are_sent_to_the_login_page(image: ClientDocument) -> None:
    customer = Browser()
    customer.force_login(image.client.user)

    for browser in (Browser(), customer):
        assert browser.get(find_file(image)).status_code == 302


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_a_file_is_only_read(method: str, image: ClientDocument, sign_in: SignIn) -> None:
    assert sign_in("admin").generic(method, find_file(image)).status_code == 405


def test_a_file_that_does_not_exist_is_not_found(sign_in: SignIn) -> None:
    path = reverse("admin:kyc_clientdocument_file", args=["019a0000-0000-7000-8000-000000000000"])

    assert sign_in("admin").get(path).status_code == 404
