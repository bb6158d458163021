"""Who decides a KYC case, once, and what follows from it."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.services import inactivate_client
from core.db import get_constraint_name
from core.errors import InvalidInputError
from core.ids import uuid7
from core.models import User
from events.models import Event
from kyc.cases import decide_case, reopen_case
from kyc.errors import (
    CaseNotFoundError,
    CaseNotOpenError,
    CaseOpenError,
    ClientChangedError,
    ClientInactiveError,
    ClientNotFoundError,
    EmailTakenError,
    NameVerifiedError,
    NotEntitledToDecideError,
)
from kyc.models import Client, KycCase
from kyc.selectors import find_client_of_user, get_client, get_fingerprint, list_open_cases
from kyc.services import update_client
from kyc.states import CaseStatus, KycStatus
from tests.factories import make_alice, make_bob, make_client, make_inactive_client, make_staff
from tests.runtime_role import as_runtime_role

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def decide(
    client: Client,
    *,
    decision: str = KycStatus.VERIFIED,
    by: User | None = None,
    reason: str = "Seen",
    seen: str | None = None,
) -> KycCase:
    """Decide the client's latest case, upon what is `seen` or else upon the client as it is."""
    case = client.cases.latest("opened_at")
    seen = seen or get_fingerprint(case=case)
    return decide_case(
        case_id=case.id, seen=seen, decision=decision, decided_by=by or make_staff(), reason=reason, now=NOW
    )


@pytest.mark.parametrize(
    ("decision", "event_type"), [(KycStatus.VERIFIED, "client.verified"), (KycStatus.REJECTED, "client.rejected")]
)
def test_a_decision_is_kept_with_who_why_and_when(decision: KycStatus, event_type: str) -> None:
    bob, checker = make_bob(), make_staff()

    case = decide(bob, decision=decision, by=checker, reason=" Papers seen ")

    case.refresh_from_db()
    bob.refresh_from_db()
    event = Event.objects.latest("seq")
    assert (case.status, case.decided_by, case.reason, case.decided_at) == (decision, checker, "Papers seen", NOW)
    assert bob.kyc_status == decision
    assert (event.type, event.key) == (event_type, bob.id)
    assert event.payload == {"client": str(bob.id), "actor": checker.pk, "reason": "Papers seen"}


def test_refuses_to_decide_a_case_twice() -> None:
    with pytest.raises(CaseNotOpenError):
        decide(make_alice())


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "Forged"},
        {"decided_by": 1},
        {"decided_at": NOW},
        {"status": KycStatus.VERIFIED, "reason": "Forged"},
    ],
)
def test_the_database_keeps_a_decided_case_as_it_was_decided(change: dict[str, object]) -> None:
    case = make_alice().cases.get()

    refusal = refused_by(KycCase.objects.filter(id=case.id), change)

    assert refusal == "kyc_kyccase_frozen_once"


@pytest.mark.parametrize("column", ["id", "client_id", "opened_at"])
def test_the_database_keeps_what_an_open_case_is_about(column: str) -> None:
    case = make_bob().cases.get()

    refusal = refused_by(KycCase.objects.filter(id=case.id), {column: getattr(case, column)})

    assert refusal == "kyc_kyccase_never_changed"


def refused_by(rows: QuerySet[KycCase], change: dict[str, object]) -> str:
    """Return the constraint by which the runtime role is refused `change` to `rows`, or '' if nothing does."""
    try:
        with as_runtime_role(), transaction.atomic():
            rows.update(**change)
    except IntegrityError as error:
        return get_constraint_name(error)
    return ""


@pytest.mark.parametrize("reason", ["", "   ", "a\x00b", "a" * 256])
def test_refuses_a_decision_without_a_usable_reason(reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        decide(make_bob(), reason=reason)

    assert list(refused.value.errors) == ["reason"]


@pytest.mark.parametrize("decision", ["in_review", "closed", "maybe"])
def test_refuses_a_decision_that_decides_nothing(decision: str) -> None:
    with pytest.raises(InvalidInputError):
        decide(make_bob(), decision=decision)


def test_refuses_a_decision_by_a_customer() -> None:
    with pytest.raises(NotEntitledToDecideError):
        decide(make_bob(), by=make_alice().user)


def test_refuses_a_decision_by_staff_that_left() -> None:
    leaver = make_staff()
    leaver.is_active = False

    with pytest.raises(NotEntitledToDecideError):
        decide(make_bob(), by=leaver)


def test_refuses_a_decision_of_staff_on_themselves() -> None:
    bob = make_bob()
    bob.user.is_staff = True

    with pytest.raises(NotEntitledToDecideError):
        decide(bob, by=bob.user)


def test_a_case_that_waits_is_closed_when_its_client_leaves() -> None:
    bob, actor = make_bob(), make_staff()

    inactivate_client(client_id=bob.id, reason="Asked to leave", actor=actor, now=NOW)

    case = bob.cases.get()
    bob.refresh_from_db()
    assert (case.status, case.decided_by, case.reason, case.decided_at) == ("closed", actor, "Asked to leave", NOW)
    assert bob.kyc_status == KycStatus.IN_REVIEW  # the bank has decided nothing about the identity


def test_a_decided_case_stays_as_it_is_when_its_client_leaves() -> None:
    assert make_inactive_client(kyc_status=KycStatus.VERIFIED).cases.get().status == CaseStatus.VERIFIED


def test_refuses_a_decision_on_a_closed_case() -> None:
    with pytest.raises(CaseNotOpenError):
        decide(make_inactive_client(kyc_status=KycStatus.IN_REVIEW))


@pytest.mark.parametrize(
    "change",
    [
        {"status": CaseStatus.CLOSED},
        {"status": CaseStatus.CLOSED, "decided_at": NOW},
        {"status": CaseStatus.CLOSED, "reason": "Left"},
        {"status": CaseStatus.VERIFIED, "decided_at": NOW, "reason": "Seen"},
    ],
)
def test_the_database_asks_of_an_end_when_and_why_and_of_a_decision_by_whom(change: dict[str, object]) -> None:
    case = make_bob().cases.get()

    assert refused_by(KycCase.objects.filter(id=case.id), change) == "kyc_case_decided"


def test_refuses_a_decision_on_a_case_that_does_not_exist() -> None:
    with pytest.raises(CaseNotFoundError):
        decide_case(
            case_id=uuid7(), seen="", decision=KycStatus.VERIFIED, decided_by=make_staff(), reason="Seen", now=NOW
        )


@pytest.mark.parametrize("change", [{"name": "Eve"}, {"email": "eve@example.com"}])
@pytest.mark.parametrize("decision", [KycStatus.VERIFIED, KycStatus.REJECTED])
def test_refuses_a_decision_upon_data_that_have_changed(decision: str, change: dict[str, str]) -> None:
    bob = make_bob()
    seen = get_fingerprint(case=bob.cases.get())
    update_client(client_id=bob.id, now=NOW, **change)

    with pytest.raises(ClientChangedError):
        decide(bob, decision=decision, seen=seen)

    assert Client.objects.get().kyc_status == KycStatus.IN_REVIEW


def test_refuses_a_decision_upon_what_was_seen_for_another_case() -> None:
    bob = make_bob()
    seen = get_fingerprint(case=bob.cases.get())
    decide(bob, decision=KycStatus.REJECTED)
    reopen_case(client_id=bob.id, reason="Came back", actor=None, now=timezone.now())

    with pytest.raises(ClientChangedError):
        decide(bob, seen=seen)


@pytest.mark.parametrize("decision", [KycStatus.VERIFIED, KycStatus.REJECTED])
def test_a_decided_client_can_be_looked_at_again(decision: KycStatus) -> None:
    client = make_client(kyc_status=decision)

    case = reopen_case(client_id=client.id, reason="Review due", actor=None, now=NOW)

    client.refresh_from_db()
    assert case.status == client.kyc_status == KycStatus.IN_REVIEW
    assert case in list_open_cases()


def test_refuses_a_second_open_case() -> None:
    with pytest.raises(CaseOpenError):
        reopen_case(client_id=make_bob().id, reason="Review due", actor=None, now=NOW)


def test_refuses_to_reopen_the_case_of_an_inactive_client() -> None:
    with pytest.raises(ClientInactiveError):
        reopen_case(client_id=make_inactive_client().id, reason="Review due", actor=None, now=NOW)


def test_open_cases_wait_oldest_first_and_only_for_active_clients() -> None:
    second = make_client(kyc_status=KycStatus.IN_REVIEW, now=datetime(2026, 2, 2, tzinfo=UTC))
    first = make_client(kyc_status=KycStatus.IN_REVIEW, now=datetime(2026, 2, 1, tzinfo=UTC))
    make_inactive_client(kyc_status=KycStatus.IN_REVIEW)

    assert [case.client for case in list_open_cases()] == [first, second]


def test_a_client_changes_name_and_email_and_signs_in_with_the_new_one() -> None:
    bob = make_bob()

    update_client(client_id=bob.id, now=NOW, name=" Bob  Braga", email="bob@EXAMPLE.org")

    bob = Client.objects.get(id=bob.id)
    assert (bob.name, bob.email) == ("Bob  Braga", "bob@example.org")
    assert bob.user.username == bob.user.email == "bob@example.org"


def test_a_verified_client_keeps_its_name_until_it_is_looked_at_again() -> None:
    alice = make_alice()

    with pytest.raises(NameVerifiedError):
        update_client(client_id=alice.id, now=NOW, name="Eve")
    reopen_case(client_id=alice.id, reason="Married", actor=None, now=NOW)

    assert update_client(client_id=alice.id, now=NOW, name="Alice Alves").name == "Alice Alves"


def test_postgresql_keeps_a_verified_name_too() -> None:
    alice = make_alice()

    with pytest.raises(IntegrityError, match="fixed while verified"):
        Client.objects.filter(id=alice.id).update(name="Eve")


def test_a_sign_in_name_that_is_no_email_stays() -> None:
    alice = make_client(username="alice")

    update_client(client_id=alice.id, now=NOW, email="new@example.org")

    alice.user.refresh_from_db()
    assert (alice.user.username, alice.user.email) == ("alice", "new@example.org")


def test_a_change_of_nothing_changes_nothing() -> None:
    alice = make_alice()

    assert update_client(client_id=alice.id, now=NOW).name == alice.name


def test_refuses_all_malformed_changes_at_once() -> None:
    with pytest.raises(InvalidInputError) as refused:
        update_client(client_id=make_alice().id, now=NOW, name="", email="x")

    assert set(refused.value.errors) == {"name", "email"}


def test_refuses_the_email_of_another_client() -> None:
    alice, bob = make_alice(), make_bob()

    with pytest.raises(EmailTakenError):
        update_client(client_id=alice.id, now=NOW, email=bob.email.upper())

    alice.user.refresh_from_db()
    assert alice.user.email == alice.email


def test_finds_the_client_behind_a_user() -> None:
    alice = make_alice()

    assert find_client_of_user(user=User.objects.get(pk=alice.user_id)) == alice
    assert find_client_of_user(user=make_staff()) is None
    assert get_client(client_id=alice.id) == alice


def test_refuses_a_client_that_does_not_exist() -> None:
    with pytest.raises(ClientNotFoundError):
        get_client(client_id=uuid7())
    with pytest.raises(ClientNotFoundError):
        update_client(client_id=uuid7(), now=NOW, name="Alice")
