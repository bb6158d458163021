"""Who is screened when, what comes of it, and that nobody is verified before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.db import get_constraint_name
from core.models import User
from events.models import Event
from kyc.cases import decide_case
from kyc.casework import dispose_hit
from kyc.errors import ClientListedError, HitDisposedError, HitNotFoundError, HitsOpenError, NotScreenedError
from kyc.models import Client, KycCase, SanctionsList, Screening, ScreeningHit
from kyc.screening import runs
from kyc.screening.lists import load_list
from kyc.screening.provider import get_provider
from kyc.selectors import get_fingerprint
from kyc.services import register_client, update_client
from kyc.states import Disposition, KycStatus, WaitsFor
from tests.factories import make_alice, make_bob, make_cpf, make_staff
from tests.kyc.sanctions import write_list
from tests.runtime_role import as_runtime_role

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def load(*names: str, version: str = "1", **entry: Any) -> SanctionsList:
    """Put a list of these names in force."""
    path = write_list(*({"name": name, **entry} for name in names), version=version)
    return load_list(path=path, now=NOW).sanctions_list


def screen_all(now: datetime = NOW) -> runs.Screened:
    """Ask for what a new list needs, and screen whoever waits."""
    runs.request_all(clock=lambda: now, seconds=60)
    return runs.screen_due(clock=lambda: now, seconds=60)


def register(name: str = "Bob Barbosa") -> Client:
    """Register a client, whom nobody has screened yet."""
    return register_client(
        name=name,
        email="bob@example.com",
        document_type="cpf",
        document_number=make_cpf(number=555_000_111),
        birth_date=datetime(1990, 5, 17, tzinfo=UTC).date(),
        password="a-Long-passphrase-42",
        now=NOW,
    )


def verify(case: KycCase, *, by: User | None = None) -> KycCase:
    """Verify the client of a case as it is now."""
    case = KycCase.objects.get(pk=case.pk)
    seen = get_fingerprint(case=case)
    return decide_case(
        case_id=case.pk, seen=seen, decision="verified", decided_by=by or make_staff(), reason="Seen", now=NOW
    )


def dispose(hit: ScreeningHit, disposition: str = Disposition.FALSE_POSITIVE) -> ScreeningHit:
    """Say whether a hit is the client."""
    case = hit.screening.client.cases.get(status="in_review")
    return dispose_hit(
        case_id=case.pk, hit_id=hit.pk, disposition=disposition, actor=make_staff(), reason="Looked", now=NOW
    )


def test_who_registers_waits_for_screening_and_is_not_verified_before() -> None:
    load("Mallory Moreira")
    case = register().cases.get()

    assert case.waits_for == WaitsFor.SCREENING
    with pytest.raises(NotScreenedError):
        verify(case)
    assert screen_all().done == 1
    assert verify(case).status == "verified"


def test_without_a_list_everybody_waits() -> None:
    case = register().cases.get()

    assert screen_all() == (0, 1)
    with pytest.raises(NotScreenedError):
        verify(case)


def test_a_hit_says_who_why_and_by_which_list() -> None:
    newest = load("Bob Barboza", birth_dates=["1961-02-03"], program="Invented")
    bob = register("Bob Barbosa")
    other = load("Bob Barbosa", "Mallory", version="2", birth_dates=["1990"], program="Invented")
    assert newest != other

    screen_all()

    hit = ScreeningHit.objects.get()
    assert (hit.listed_name, hit.score, hit.name_score, hit.birth_date) == ("Bob Barbosa", 100, 100, "similar")
    assert (hit.screening.client, hit.screening.sanctions_list, hit.screening.done_at) == (bob, other, NOW)
    assert bob.cases.get().waits_for == WaitsFor.ANALYST


def test_the_threshold_decides_what_is_a_hit(settings: Any) -> None:
    settings.SCREENING_THRESHOLD = 98
    load("Bob Barboza")
    register("Bob Barbosa")

    screen_all()

    assert not ScreeningHit.objects.exists()


def test_nobody_is_verified_before_each_hit_is_somebody_else() -> None:
    load("Bob Barbosa", "Bob Barboza")
    case = register().cases.get()
    screen_all()
    first, second = ScreeningHit.objects.order_by("id")

    with pytest.raises(HitsOpenError):
        verify(case)
    dispose(first)
    with pytest.raises(HitsOpenError):
        verify(case)
    dispose(second, Disposition.TRUE_MATCH)
    with pytest.raises(ClientListedError):
        verify(case)


def test_what_was_said_of_a_hit_is_kept_with_who_when_and_why_and_is_final() -> None:
    load("Bob Barbosa")
    register()
    screen_all()
    hit = dispose(ScreeningHit.objects.get())

    with pytest.raises(HitDisposedError):
        dispose(hit, Disposition.TRUE_MATCH)

    hit.refresh_from_db()
    event = Event.objects.get(type="client.hit_disposed")
    assert (hit.disposition, hit.reason, hit.disposed_at) == ("false_positive", "Looked", NOW)
    assert (event.payload["actor"], event.payload["reason"]) == (hit.disposed_by_id, "Looked")


def test_a_hit_of_another_client_is_not_found() -> None:
    load("Bob Barbosa")
    register()
    case = make_bob().cases.get()
    screen_all()
    hit = ScreeningHit.objects.exclude(screening__client=case.client).get()

    with pytest.raises(HitNotFoundError):
        dispose_hit(
            case_id=case.pk, hit_id=hit.pk, disposition="true_match", actor=make_staff(), reason="Looked", now=NOW
        )


def test_another_name_is_screened_and_the_hits_of_before_count_no_more() -> None:
    load("Bob Barbosa", "Mallory Moreira")
    bob = register()
    screen_all()
    dispose(ScreeningHit.objects.get())

    update_client(client_id=bob.pk, name="Mallory Moreira", now=NOW)

    case = bob.cases.get()
    assert case.waits_for == WaitsFor.SCREENING
    with pytest.raises(NotScreenedError):
        verify(case)
    screen_all()
    assert [hit.listed_name for hit in bob.screenings.latest("id").hits.all()] == ["Mallory Moreira"]


def test_another_email_address_is_no_reason_to_screen() -> None:
    bob = make_bob()

    update_client(client_id=bob.pk, email="other@example.com", now=NOW)

    assert not bob.screenings.filter(done_at=None).exists()


def test_the_same_evidence_is_looked_at_once_and_other_evidence_again() -> None:
    load("Bob Barbosa", version="1")
    bob = register()
    screen_all()
    dispose(ScreeningHit.objects.get())

    load("Bob Barbosa", "Mallory Moreira", version="2")
    screen_all()
    assert [hit.disposition for hit in bob.screenings.latest("id").hits.all()] == ["false_positive"]

    load("Bob Barbosa", version="3", birth_dates=["1990-05-17"])
    screen_all()
    assert [hit.disposition for hit in bob.screenings.latest("id").hits.all()] == [""]


def test_a_new_list_has_all_active_clients_screened_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH", 2)
    clients = [make_alice() for _ in range(5)]
    load("Mallory Moreira", version="2")

    asked = runs.request_all(clock=lambda: NOW, seconds=60)
    screened = runs.screen_due(clock=lambda: NOW, seconds=60)

    assert (asked, screened.done) == (5, 5)
    newest = SanctionsList.objects.latest("id")
    assert newest.requested_at == NOW
    assert all(client.screenings.latest("id").sanctions_list == newest for client in clients)
    assert runs.request_all(clock=lambda: NOW, seconds=60) == 0


def test_asking_goes_on_where_a_process_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH", 2)
    clients = [make_alice() for _ in range(5)]
    newest = load("Mallory Moreira", version="2")
    runs._request_batch(newest, now=NOW)  # and then it died

    assert runs.request_all(clock=lambda: NOW, seconds=60) == 3
    assert Screening.objects.filter(done_at=None).count() == len(clients)


def test_a_verified_client_found_on_a_new_list_is_reviewed_and_stays_verified_meanwhile() -> None:
    alice = make_alice()
    load("Alice Almeida", version="2")

    screen_all()

    alice.refresh_from_db()
    case = alice.cases.get(status="in_review")
    assert (alice.kyc_status, case.kind, case.grace_until) == ("verified", "periodic", NOW + timedelta(days=30))


def test_one_screening_that_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    load("Mallory Moreira")
    mine, other = register("Bob Barbosa"), make_bob()
    update_client(client_id=other.pk, name="Bob Bastos", now=NOW)
    screen = get_provider().screen

    def fail_over_one(*, subject: Any, threshold: int) -> Any:
        if subject.name == "Bob Barbosa":
            raise ZeroDivisionError
        return screen(subject=subject, threshold=threshold)

    monkeypatch.setattr(get_provider(), "screen", fail_over_one)

    assert runs.screen_due(clock=lambda: NOW, seconds=60) == (1, 1)
    assert mine.screenings.filter(done_at=None).exists()


def as_found(case: KycCase) -> None:
    """Do nothing about the hit."""


def as_confirmed(case: KycCase) -> None:
    """Let the hit be the client."""
    dispose(ScreeningHit.objects.get(), Disposition.TRUE_MATCH)


def as_asked_for(case: KycCase) -> None:
    """Let a screening wait."""
    dispose(ScreeningHit.objects.get())
    Screening.objects.create(client=case.client, cause="change", requested_at=NOW)


@pytest.mark.parametrize(
    ("prepare", "constraint"),
    [
        (as_found, "kyc_kyccase_cleared"),
        (as_confirmed, "kyc_kyccase_cleared"),
        (as_asked_for, "kyc_kyccase_screened"),
    ],
)
def test_postgresql_itself_verifies_nobody_who_may_be_listed(
    prepare: Callable[[KycCase], None], constraint: str
) -> None:
    load("Bob Barbosa")
    case = register().cases.get()
    screen_all()
    prepare(case)
    decided = {"status": "verified", "decided_at": NOW, "decided_by": make_staff(), "reason": "Forged"}
    decided["risk"] = "medium"  # of high risk, the missing approval is what is refused first

    with pytest.raises(IntegrityError) as refused, as_runtime_role(), transaction.atomic():
        KycCase.objects.filter(pk=case.pk).update(**decided)

    assert get_constraint_name(refused.value) == constraint


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"score": 1}, "kyc_screeninghit_never_changed"),
        ({"disposition": "true_match"}, "kyc_screeninghit_frozen_once"),
    ],
)
def test_postgresql_itself_keeps_a_hit_as_it_was_disposed(change: dict[str, Any], constraint: str) -> None:
    load("Bob Barbosa")
    register()
    screen_all()
    hit = dispose(ScreeningHit.objects.get())

    with pytest.raises(IntegrityError) as refused, as_runtime_role(), transaction.atomic():
        ScreeningHit.objects.filter(pk=hit.pk).update(**change)

    assert get_constraint_name(refused.value) == constraint


def test_a_rejected_client_needs_no_screening() -> None:
    load("Bob Barbosa")
    case = register().cases.get()

    decide_case(
        case_id=case.pk,
        seen=get_fingerprint(case=case),
        decision=KycStatus.REJECTED,
        decided_by=make_staff(),
        reason="Forged papers",
        now=NOW,
    )

    assert Client.objects.get().kyc_status == KycStatus.REJECTED
