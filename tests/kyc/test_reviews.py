"""Verified clients are looked at again in time, keep what they have meanwhile, and lose it when nobody decides."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.services import open_account
from core.db import get_constraint_name
from kyc.casework import record_expiry
from kyc.errors import ClientNotVerifiedError
from kyc.models import Client
from kyc.reviews import Reviewed, run_reviews
from kyc.services import add_document
from kyc.states import KycStatus
from tests.factories import decide_client, make_bob, make_client, make_inactive_client, make_staff, screen
from tests.files import make_jpeg

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
GRACE = timedelta(days=30)


def run(now: datetime) -> Reviewed:
    """Do what a run does at `now`."""
    return run_reviews(clock=lambda: now, seconds=60)


def make_verified() -> Client:
    """Make a client of medium risk, verified at NOW."""
    return make_client(now=NOW)


def test_the_next_review_depends_on_the_risk() -> None:
    medium, low = make_verified(), make_client(kyc_status=KycStatus.IN_REVIEW, now=NOW)
    for kind in ("identity", "address", "selfie"):
        add_document(client_id=low.pk, kind=kind, file=make_jpeg(), now=NOW)
    decide_client(client=low, decision=KycStatus.VERIFIED, now=NOW)

    assert (medium.review_due_at, low.review_due_at) == (NOW + YEAR, NOW + 2 * YEAR)


def test_a_document_that_expires_brings_the_review_forward() -> None:
    bob = make_bob()
    identity = add_document(client_id=bob.pk, kind="identity", file=make_jpeg(), now=NOW)
    case = bob.cases.get()
    record_expiry(case_id=case.pk, document_id=identity.pk, expires_on=date(2026, 6, 1), actor=make_staff(), now=NOW)

    decide_client(client=bob, decision=KycStatus.VERIFIED, now=NOW)

    assert bob.review_due_at == datetime(2026, 6, 2, 3, tzinfo=UTC)  # midnight in São Paulo


def test_a_review_opens_when_it_is_due_and_once() -> None:
    client = make_verified()

    assert run(NOW + YEAR - timedelta(seconds=1)).opened == 0
    assert run(NOW + YEAR).opened == 1
    assert run(NOW + YEAR + timedelta(days=1)).opened == 0

    case = client.cases.get(status="in_review")
    assert (case.kind, case.grace_until) == ("periodic", NOW + YEAR + GRACE)
    assert client.screenings.filter(done_at=None).exists()


def test_a_client_under_review_stays_verified_and_opens_accounts_until_its_grace_ends() -> None:
    client = make_verified()
    run(NOW + YEAR)

    assert open_account(client_id=client.pk, kind="checking", currency="BRL", now=NOW + YEAR)
    assert run(NOW + YEAR + GRACE - timedelta(seconds=1)).ended == 0
    assert run(NOW + YEAR + GRACE).ended == 1

    with pytest.raises(ClientNotVerifiedError):
        open_account(client_id=client.pk, kind="savings", currency="BRL", now=NOW + YEAR + GRACE)
    assert run(NOW + YEAR + GRACE).ended == 0


@pytest.mark.parametrize("days", [1, 40])
def test_who_is_verified_again_is_due_again_later(days: int) -> None:
    client, at = make_verified(), NOW + YEAR + timedelta(days=days)
    run(NOW + YEAR)
    run(at)
    screen(client=client, now=at)

    decide_client(client=client, decision=KycStatus.VERIFIED, now=at)

    assert (client.kyc_status, client.review_due_at) == (KycStatus.VERIFIED, at + YEAR)


def test_who_has_left_is_not_reviewed() -> None:
    make_inactive_client()

    assert run(NOW + 10 * YEAR).opened == 0


def test_a_run_looks_at_open_cases_anew_as_evidence_ages() -> None:
    bob = make_bob()
    add_document(client_id=bob.pk, kind="address", file=make_jpeg(), now=NOW)

    assert run(NOW + timedelta(days=91)).assessed == 1

    assert "old_address" in bob.cases.get().risk_reasons


def test_postgresql_itself_knows_of_each_verified_client_when_it_is_due() -> None:
    client = make_verified()

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Client.objects.filter(pk=client.pk).update(review_due_at=None)

    assert get_constraint_name(refused.value) == "kyc_client_review_due"
