"""The page of a case: what an analyst needs stands on it, and each act of casework is done from it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from approvals.models import Approval
from approvals.services import approve
from events.models import Event
from kyc.models import CaseCheck, Client, DocumentExpiry, DocumentLook, KycCase, ScreeningHit
from kyc.screening.lists import load_list
from kyc.services import add_document
from kyc.states import DocumentType, KycStatus
from tests.admin.addresses import address
from tests.admin.conftest import make_member
from tests.factories import make_bob, make_client, make_staff, screen
from tests.files import make_jpeg, make_pdf
from tests.kyc.sanctions import write_list

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]


def make_case(*, like: str = "", **client: Any) -> KycCase:
    """Let Bob, or another client, register, who may be `like` somebody on the list."""
    if like:
        entry = {"name": like, "birth_dates": ["1961-02-03"], "program": "Smuggling of parrots"}
        load_list(path=write_list(entry), now=timezone.now())
    made = make_client(kyc_status=KycStatus.IN_REVIEW, **client) if client else make_bob()
    screen(client=made)
    return made.cases.get()


def read(browser: Browser, case: KycCase) -> str:
    """Return the case's page."""
    return browser.get(address(KycCase, "change", case.pk)).content.decode()


def do(browser: Browser, case: KycCase, act: str, **answers: Any) -> int:
    """Fill in the form of an act, send it and return the status of the answer."""
    return browser.post(address(KycCase, "act", case.pk, act), answers).status_code


def test_hits_stand_on_the_page_with_score_reason_and_buttons(sign_in: SignIn) -> None:
    case = make_case(like="Bob Barbosa")
    hit = ScreeningHit.objects.get()

    page = read(sign_in("kyc_analyst"), case)

    assert all(text in page for text in ("<strong>85</strong>", "Smuggling of parrots", "born 1961-02-03", "T-1"))
    assert f"{address(KycCase, 'act', case.pk, 'clear-hit')}?hit={hit.pk}" in page
    assert "Nobody has said yet whether a hit is the client" in page


@pytest.mark.parametrize("role", ["kyc_approver", "auditor", "teller"])
def test_others_see_the_hits_without_buttons(role: str, sign_in: SignIn) -> None:
    case = make_case(like="Bob Barbosa")

    page = read(sign_in(role), case)

    assert "Smuggling of parrots" in page
    assert not [act for act in ("clear-hit", "confirm-hit", "check", "ask", "note") if f"/act/{act}/" in page]


@pytest.mark.parametrize(("act", "disposition"), [("clear-hit", "false_positive"), ("confirm-hit", "true_match")])
def test_a_hit_is_disposed_of_beside_the_client(act: str, disposition: str, sign_in: SignIn) -> None:
    case, analyst = make_case(like="Bob Barbosa"), sign_in("kyc_analyst")
    hit = ScreeningHit.objects.get()

    form = analyst.get(address(KycCase, "act", case.pk, act), {"hit": str(hit.pk)}).content.decode()

    assert "Side by side" in form
    assert "Another" in form
    assert "1990-05-17" not in form
    assert do(analyst, case, act, hit=hit.pk, reason="Another face") == 302
    hit.refresh_from_db()
    assert (hit.disposition, hit.reason) == (disposition, "Another face")
    assert "Another face" in read(analyst, case)


def test_a_case_without_hits_says_against_which_list(sign_in: SignIn) -> None:
    assert "Nobody on the list is like the client: Tests, 1" in read(sign_in("kyc_analyst"), make_case())


def test_a_client_is_asked_for_more(sign_in: SignIn) -> None:
    case, analyst = make_case(), sign_in("kyc_analyst")

    assert do(analyst, case, "ask", kinds=["identity", "address"], text="illegible") == 302

    page = read(analyst, case)
    assert all(text in page for text in ("Identity, Address", "It cannot be read", "Waits for the client"))
    assert "/act/ask/" not in page
    assert do(analyst, case, "ask", kinds=["selfie"], text="missing") == 409


def test_checks_notes_and_expiries_are_kept(sign_in: SignIn) -> None:
    case, analyst = make_case(), sign_in("kyc_analyst")
    document = add_document(client_id=case.client_id, kind="identity", file=make_jpeg(), now=timezone.now())

    assert do(analyst, case, "check", kind="selfie_matches", outcome="failed") == 302
    assert do(analyst, case, "note", text="<b>Called</b>") == 302
    assert do(analyst, case, "expiry", document=document.pk, expires_on="2031-01-31") == 302

    assert CaseCheck.objects.get().is_passed is False
    assert DocumentExpiry.objects.get().expires_on == date(2031, 1, 31)
    page = read(analyst, case)
    assert all(text in page for text in ("Failed", "&lt;b&gt;Called&lt;/b&gt;", "2031-01-31"))


FORMS = [
    ("clear-hit", {"hit": "x", "reason": "Seen"}),
    ("clear-hit", {"reason": "Seen"}),
    ("ask", {"kinds": [], "text": "missing"}),
    ("ask", {"kinds": ["passport"], "text": "missing"}),
    ("ask", {"kinds": ["identity"], "text": "because"}),
    ("note", {"text": " "}),
    ("note", {"text": "x" * 1_001}),
    ("note", {"text": "a\x00b"}),
    ("note", {"text": "two\u2028lines"}),
    ("check", {"kind": "x", "outcome": "passed"}),
    ("expiry", {"document": "x", "expires_on": "2031-01-31"}),
    ("expiry", {"expires_on": "someday"}),
]


@pytest.mark.parametrize(("act", "answers"), FORMS)
def test_what_is_filled_in_wrongly_is_asked_again(act: str, answers: dict[str, Any], sign_in: SignIn) -> None:
    case, before = make_case(like="Bob Barbosa"), Event.objects.count()
    made = Event.objects.count() - before

    assert do(sign_in("kyc_analyst"), case, act, **answers) == 400
    assert Event.objects.count() == before + made


@pytest.mark.parametrize("act", ["clear-hit", "confirm-hit", "ask", "note", "check", "expiry"])
@pytest.mark.parametrize("role", ["kyc_approver", "auditor", "teller", "ops_maker"])
def test_nobody_but_analysts_works_on_cases(role: str, act: str, sign_in: SignIn) -> None:
    assert do(sign_in(role), make_case(), act) == 403


def test_files_are_shown_in_their_place_but_not_before_somebody_unfolds_them(sign_in: SignIn) -> None:
    case, analyst = make_case(), sign_in("kyc_analyst")
    image = add_document(client_id=case.client_id, kind="identity", file=make_jpeg(), now=timezone.now())
    pdf = add_document(client_id=case.client_id, kind="address", file=make_pdf(), now=timezone.now())

    page = read(analyst, case)

    shown, framed = (reverse("admin:kyc_clientdocument_file", args=[each.pk]) for each in (image, pdf))
    assert f'<img src="{shown}" alt="Identity" loading="lazy">' in page
    assert f'<iframe src="{framed}?framed" title="Address" loading="lazy">' in page
    assert page.count('<details class="look">') == 2
    assert not DocumentLook.objects.exists()
    response = analyst.get(framed, {"framed": ""})
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert DocumentLook.objects.get().document == pdf
    assert "Looks at documents" in read(analyst, case)


def make_risky(sign_in: SignIn) -> KycCase:
    """Let somebody with a passport be cleared of a strong hit."""
    entry = {"name": "Bob Brandao"}
    load_list(path=write_list(entry), now=timezone.now())
    case = make_case(name="Bob Brandao", document_type=DocumentType.PASSPORT, document_number="FX900123")
    analyst = sign_in("kyc_analyst")
    assert do(analyst, case, "clear-hit", hit=ScreeningHit.objects.get().pk, reason="Another face") == 302
    case.refresh_from_db()
    return case


def test_two_people_verify_a_client_of_high_risk(sign_in: SignIn) -> None:
    case = make_risky(sign_in)
    analyst = Browser()
    analyst.force_login(make_staff(permissions=("kyc.view_kyccase", "kyc.decide_kyccase")))
    path = address(KycCase, "act", case.pk, "request-verification")
    page = read(analyst, case)
    assert path in page
    assert "/act/approve/" not in page

    seen = analyst.get(path).context["seen"]
    assert analyst.post(path, {"reason": "All is well", "seen": seen}).status_code == 302

    approval = Approval.objects.get()
    assert "Approver" in read(analyst, case)
    approver = make_member("kyc_approver")
    approve(
        approval_id=approval.pk,
        seen=bytes(approval.content_hash).hex(),
        decided_by=approver,
        reason="Seen, too",
        now=timezone.now(),
    )
    case.refresh_from_db()
    assert (case.status, case.decided_by, case.approval) == ("verified", approver, approval)
    assert Client.objects.get().kyc_status == "verified"


def test_nobody_verifies_a_client_of_high_risk_alone(sign_in: SignIn) -> None:
    case = make_risky(sign_in)
    analyst = Browser()
    analyst.force_login(make_staff(permissions=("kyc.view_kyccase", "kyc.decide_kyccase")))
    path = address(KycCase, "act", case.pk, "approve")
    seen = analyst.get(path).context["seen"]

    page = analyst.post(path, {"reason": "All is well", "seen": seen})

    assert page.status_code == 409
    assert "Ask somebody else to approve" in page.content.decode()


def test_a_request_for_another_case_than_was_seen_is_refused(sign_in: SignIn) -> None:
    case = make_risky(sign_in)
    analyst = Browser()
    analyst.force_login(make_staff(permissions=("kyc.view_kyccase", "kyc.decide_kyccase")))

    assert do(analyst, case, "request-verification", reason="All is well", seen="") == 409
    assert not Approval.objects.exists()


def test_the_queue_shows_risk_and_whose_turn_it_is_the_oldest_first(sign_in: SignIn) -> None:
    first, second = make_case(), make_case()
    analyst = sign_in("kyc_analyst")
    do(analyst, second, "ask", kinds=["identity"], text="missing")
    queue = address(KycCase, "changelist")

    page = analyst.get(queue, {"status__exact": "in_review"})

    assert [case.pk for case in page.context["cl"].result_list] == [first.pk, second.pk]
    assert all(text in page.content.decode() for text in ("Medium", "Analyst", ">Client</span>"))
    narrowed = analyst.get(queue, {"waits_for__exact": "client"})
    assert [case.pk for case in narrowed.context["cl"].result_list] == [second.pk]
