"""A day with KYC cases."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from kyc.models import DocumentLook, KycCase
from kyc.services import add_document
from tests.browser.desk import Desk
from tests.factories import make_bob, make_staff
from tests.files import make_jpeg, make_pdf

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_case_is_found_on_the_first_page_and_approved(sit_down: Callable[..., Desk]) -> None:
    bob, checker = make_bob(), make_staff()
    checker.groups.add(Group.objects.get(name="kyc_analyst"))
    desk = sit_down(checker)

    desk.page.get_by_role("link", name="KYC cases waiting").click()
    desk.open_page(KycCase.objects.get(client=bob))
    desk.act("Approve", reason="Identity card seen")

    desk.expect_text("is verified")
    bob.refresh_from_db()
    assert bob.kyc_status == "verified"


def test_a_file_is_asked_for_once_somebody_unfolds_it_and_then_shown_in_its_place(
    sit_down: Callable[..., Desk],
) -> None:
    bob, analyst = make_bob(), make_staff()
    analyst.groups.add(Group.objects.get(name="kyc_analyst"))
    for kind, file in (("identity", make_jpeg()), ("address", make_pdf())):
        add_document(client_id=bob.pk, kind=kind, file=file, now=timezone.now())
    desk = sit_down(analyst)

    desk.open_page(KycCase.objects.get(client=bob))
    desk.expect_text("Show the picture")
    assert not DocumentLook.objects.exists()
    with desk.page.expect_response("**/file/"):
        desk.page.get_by_text("Show the picture").click()
    with desk.page.expect_response("**/file/?framed"):
        desk.page.get_by_text("Show the PDF").click()

    shown = desk.page.get_by_alt_text("Identity")
    shown.evaluate("image => image.decode()")
    assert shown.evaluate("image => image.naturalWidth") > 0
    assert [look.document.kind for look in DocumentLook.objects.order_by("id")] == ["identity", "address"]
