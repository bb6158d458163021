"""What analysts do about an open case: ask for more, check, note; and how the case comes back from its client."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from core.errors import InvalidInputError
from events.models import Event
from kyc.cases import decide_case
from kyc.casework import add_note, record_check, record_expiry, request_information
from kyc.errors import (
    CaseNotFoundError,
    CaseNotOpenError,
    ClientChangedError,
    DocumentNotFoundError,
    InformationRequestedError,
    NotEntitledToDecideError,
)
from kyc.models import CaseCheck, KycCase
from kyc.selectors import get_fingerprint
from kyc.services import add_document
from kyc.states import WaitsFor
from tests.factories import make_alice, make_bob, make_staff
from tests.files import make_jpeg, make_pdf

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)


def ask(case: KycCase, *kinds: str, text: str = "missing") -> None:
    """Ask the client of a case for documents."""
    request_information(case_id=case.pk, kinds=kinds, text=text, actor=make_staff(), now=NOW)


def send(case: KycCase, kind: str, *, file: bytes | None = None, now: datetime = LATER) -> None:
    """Let the client of a case send a document."""
    add_document(client_id=case.client_id, kind=kind, file=file or make_jpeg(), now=now)


def test_a_case_waits_for_its_client_until_all_that_was_asked_for_has_come() -> None:
    case = make_bob().cases.get()
    send(case, "identity", now=NOW - timedelta(days=1))  # before anybody asked
    ask(case, "identity", "address")

    case.refresh_from_db()
    assert (case.waits_for, case.waits_since) == (WaitsFor.CLIENT, NOW)
    send(case, "address", file=make_pdf())
    case.refresh_from_db()
    assert case.waits_for == WaitsFor.CLIENT
    send(case, "identity", file=make_jpeg(size=(41, 40)))
    case.refresh_from_db()
    assert (case.waits_for, case.waits_since) == (WaitsFor.ANALYST, LATER)
    assert case.requests.get().answered_at == LATER


def test_the_client_is_told_what_is_missing_and_no_more() -> None:
    case = make_bob().cases.get()

    ask(case, "selfie", "identity", text="illegible")

    event = Event.objects.get(type="client.information_requested")
    assert event.key == case.client_id
    assert (event.payload["kinds"], event.payload["text"]) == (["identity", "selfie"], "illegible")


def test_a_client_is_asked_for_one_thing_after_the_other() -> None:
    case = make_bob().cases.get()
    ask(case, "identity")

    with pytest.raises(InformationRequestedError):
        ask(case, "address")


@pytest.mark.parametrize(
    ("kinds", "text", "field"),
    [((), "missing", "kinds"), (("passport",), "missing", "kinds"), (("identity",), "because", "text")],
)
def test_refuses_to_ask_for_what_there_is_not(kinds: tuple[str, ...], text: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ask(make_bob().cases.get(), *kinds, text=text)

    assert list(refused.value.errors) == [field]


def test_the_risk_follows_what_the_client_sends() -> None:
    case = make_bob().cases.get()
    assert (case.risk, case.risk_reasons) == ("medium", ["no_identity", "no_address", "no_selfie"])

    for kind in ("identity", "address", "selfie"):
        send(case, kind, now=NOW)

    case.refresh_from_db()
    assert (case.risk, case.risk_reasons, case.risk_facts["address_days"]) == ("low", [], 0)


def test_who_decides_on_older_evidence_than_they_saw_looks_again() -> None:
    case, checker = make_bob().cases.get(), make_staff()
    for kind in ("identity", "address", "selfie"):
        send(case, kind, now=NOW)
    case.refresh_from_db()
    seen = get_fingerprint(case=case)
    decide: Callable[..., KycCase] = partial(
        decide_case, case_id=case.pk, decision="verified", decided_by=checker, reason="Seen"
    )

    with pytest.raises(ClientChangedError):
        decide(seen=seen, now=NOW + timedelta(days=91))

    case.refresh_from_db()
    assert case.risk_reasons == ["old_address"]
    assert decide(seen=get_fingerprint(case=case), now=NOW + timedelta(days=91)).risk == "low"


def test_an_expired_document_makes_a_client_riskier_until_a_newer_one_comes() -> None:
    case = make_bob().cases.get()
    for kind in ("identity", "address", "selfie"):
        send(case, kind, now=NOW)
    identity = case.client.documents.get(kind="identity")

    record_expiry(case_id=case.pk, document_id=identity.pk, expires_on=date(2026, 2, 28), actor=make_staff(), now=NOW)

    case.refresh_from_db()
    assert case.risk_reasons == ["expired_document"]
    send(case, "identity", file=make_jpeg(size=(41, 40)))
    case.refresh_from_db()
    assert case.risk_reasons == []


def test_an_expiry_is_of_a_document_of_the_cases_client() -> None:
    case, other = make_bob().cases.get(), make_bob().cases.get()
    send(other, "identity")
    document = other.client.documents.get()

    with pytest.raises(DocumentNotFoundError):
        record_expiry(
            case_id=case.pk, document_id=document.pk, expires_on=date(2030, 1, 1), actor=make_staff(), now=NOW
        )


def test_checks_are_kept_with_who_and_when_and_can_be_made_anew() -> None:
    case, analyst = make_bob().cases.get(), make_staff()
    for is_passed in (False, True):
        record_check(case_id=case.pk, kind="selfie_matches", is_passed=is_passed, actor=analyst, now=NOW)

    assert [(check.is_passed, check.checked_by) for check in CaseCheck.objects.order_by("id")] == [
        (False, analyst),
        (True, analyst),
    ]


def test_a_note_stays_in_the_bank() -> None:
    case = make_bob().cases.get()

    add_note(case_id=case.pk, text=" Called Bob ", actor=make_staff(), now=NOW)

    assert case.notes.get().text == "Called Bob"
    assert "Bob" not in str(Event.objects.get(type="case.note_added").payload)


ACTS: tuple[Callable[..., Any], ...] = (
    partial(add_note, text="A note"),
    partial(record_check, kind="selfie_matches", is_passed=True),
    partial(request_information, kinds=["identity"], text="missing"),
)


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_done_about_a_case_that_is_over(act: Callable[..., Any]) -> None:
    with pytest.raises(CaseNotOpenError):
        act(case_id=make_alice().cases.get().pk, actor=make_staff(), now=NOW)


@pytest.mark.parametrize("act", ACTS)
def test_nobody_but_staff_does_anything_about_a_case(act: Callable[..., Any]) -> None:
    with pytest.raises(NotEntitledToDecideError):
        act(case_id=make_bob().cases.get().pk, actor=make_alice().user, now=NOW)


@pytest.mark.parametrize("act", ACTS)
def test_a_case_that_does_not_exist_is_not_found(act: Callable[..., Any]) -> None:
    with pytest.raises(CaseNotFoundError):
        act(case_id=make_bob().pk, actor=make_staff(), now=NOW)
