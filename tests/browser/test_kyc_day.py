"""A day with KYC cases."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone

from approvals.models import Approval
from kyc.models import DocumentLook, KycCase, ScreeningHit
from kyc.screening.lists import load_list
from kyc.services import add_document
from kyc.states import DocumentType, KycStatus
from tests.admin.conftest import make_member
from tests.browser.desk import Desk
from tests.factories import make_bob, make_client, screen
from tests.files import make_jpeg, make_pdf
from tests.kyc.sanctions import write_list

pytestmark = pytest.mark.django_db(transaction=True)

SitDown = Callable[..., Desk]


def test_a_case_is_found_on_the_first_page_and_approved(sit_down: SitDown) -> None:
    bob = make_bob()
    desk = sit_down(make_member("kyc_analyst"))

    desk.page.get_by_role("link", name="KYC cases waiting").click()
    desk.open_page(KycCase.objects.get(client=bob))
    desk.act("Approve", reason="Identity card seen")

    desk.expect_text("is verified")
    bob.refresh_from_db()
    assert bob.kyc_status == "verified"


def test_a_client_who_is_on_the_list_is_refused(sit_down: SitDown) -> None:
    case = make_case_like_somebody_listed()
    desk = sit_down(make_member("kyc_analyst"))

    desk.open_page(case)
    desk.page.get_by_role("link", name="It is the client").click()
    desk.confirm("It is the client", reason="The same face and birthday")
    desk.expect_text("Bob Brandao: ")
    desk.act("Reject", reason="On the list of sanctions")

    desk.expect_text("is rejected")
    case.refresh_from_db()
    assert (case.status, case.client.kyc_status) == ("rejected", "rejected")


def test_a_client_of_high_risk_is_verified_by_two(sit_down: SitDown) -> None:
    case = make_case_like_somebody_listed()
    add_document(client_id=case.client_id, kind="identity", file=make_jpeg(), now=timezone.now())
    analyst = sit_down(make_member("kyc_analyst"))

    analyst.open_page(case)
    analyst.page.get_by_role("link", name="Somebody else").click()
    analyst.confirm("Somebody else", reason="Another face")
    analyst.expect_text("somebody else")
    assert analyst.find_button("Approve").count() == 0
    analyst.take_picture("kyc-case")
    analyst.act("Verify a client of high risk", reason="All is in order")
    analyst.expect_text("waits for somebody else")
    approver = sit_down(make_member("kyc_approver"))
    approver.page.get_by_role("link", name="Approvals waiting for you").click()
    approver.open_page(Approval.objects.get())
    approver.take_picture("kyc-approval")
    approver.act("Approve", reason="I have looked, too")

    approver.expect_text("approved and done")
    case.refresh_from_db()
    approval = Approval.objects.get()
    assert (case.status, case.client.kyc_status) == ("verified", "verified")
    assert (str(approval.requested_by), str(approval.decided_by)) == ("kyc_analyst", "kyc_approver")


def test_what_is_hidden_is_revealed_once_and_for_a_reason(sit_down: SitDown) -> None:
    client = make_client()
    number = client.document_number
    desk = sit_down(make_member("kyc_analyst"))

    desk.open_page(client)
    assert number not in re.sub(r"\D", "", desk.page.content())
    desk.act("Reveal", reason="Asked for by the tax office")

    desk.expect_text("This is shown once")
    desk.expect_text(number)
    desk.open_page(client)
    assert number not in re.sub(r"\D", "", desk.page.content())


def test_a_file_is_asked_for_once_somebody_unfolds_it_and_then_shown_in_its_place(sit_down: SitDown) -> None:
    bob = make_bob()
    for kind, file in (("identity", make_jpeg()), ("address", make_pdf())):
        add_document(client_id=bob.pk, kind=kind, file=file, now=timezone.now())
    desk = sit_down(make_member("kyc_analyst"))

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


def make_case_like_somebody_listed() -> KycCase:
    """Let Bob apply with a passport, whose name is nearly that of somebody on the list."""
    now = timezone.now()
    entry = {"name": "Bob Brandao", "birth_dates": ["1961-02-03"], "program": "Invented: a forged moon"}
    load_list(path=write_list(entry), now=now)
    bob = make_client(
        name="Bob Brandão",
        email="bob@example.com",
        document_type=DocumentType.PASSPORT,
        document_number="FX900123",
        kyc_status=KycStatus.IN_REVIEW,
    )
    screen(client=bob)
    assert ScreeningHit.objects.exists()
    case: KycCase = bob.cases.get()
    return case
