"""Fifty calls of the API at one moment: one succeeds or all agree, and the books stay as right as they were."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from uuid import uuid4

import pytest
from pytest_django import Settings

from accounts.models import Account
from core.models import RefreshToken, User
from core.scopes import Scope
from kyc.models import Client
from kyc.states import ClientStatus
from ledger.models import Hold, LedgerAccount
from tests.api.caller import Answer, Caller, call_as, get_document, make_token
from tests.api.session import refresh, sign_in
from tests.factories import make_account, make_alice, make_bob, make_client, make_partner
from tests.proof import find_faults
from tests.races.rivals import run_together
from transfers.models import Transfer

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 50
WHOLE = {"amount": "100.00", "currency": "BRL"}


@pytest.fixture(autouse=True)
def _patience(settings: Settings) -> None:
    """Wait for each other as long as it takes, and refuse nobody for how many come."""
    settings.LOCK_TIMEOUT_MS = settings.IDEMPOTENCY_WAIT_MS = 20_000
    settings.REFUSALS_PER_SOURCE = 1_000
    get_document()  # which each answer is held against; it cannot be made by several threads at once


@pytest.fixture
def alice(transactional_db: None) -> Client:
    """A verified client."""
    return make_alice()


@pytest.fixture
def source(alice: Client) -> Account:
    """Alice's account with 100.00."""
    return make_account(client=alice, balance=10_000)


def burst(*calls: Callable[[], Answer]) -> list[Answer]:
    """Return the answers of calls that are made at one moment."""
    return [answer for answer in run_together(*calls) if isinstance(answer, Answer)]


def count(answers: Sequence[Answer]) -> Counter[int | tuple[int, str]]:
    """Return how often each status of a success and each refusal occurs."""
    return Counter(each.status if each.body["status"] == "success" else each.refusal for each in answers)


def read_books(account: Account) -> tuple[int, int]:
    """Return what is booked and what is available."""
    books = LedgerAccount.objects.get(pk=account.pk)
    return books.balance, books.available


@pytest.mark.parametrize("path", ["accounts/{}/withdrawals", "transfers"])
def test_of_movements_of_the_whole_balance_one_succeeds(alice: Client, source: Account, path: str) -> None:
    target = make_account(client=make_client(name="Carla Costa"))
    parties = {"debtor_account": str(source.pk), "creditor_account": str(target.pk)} if path == "transfers" else {}

    def move() -> Answer:
        return call_as(alice).post(path.format(source.pk), WHOLE | parties, key=str(uuid4()))

    answers = burst(*[move] * MANY)

    assert count(answers) == {201: 1, (409, "insufficient_funds"): MANY - 1}
    assert read_books(source) == (0, 0)
    assert find_faults() == []


def test_of_holds_of_the_whole_balance_one_succeeds(alice: Client, source: Account) -> None:
    def hold() -> Answer:
        return call_as(alice).post("holds", WHOLE | {"account": str(source.pk)}, key=str(uuid4()))

    answers = burst(*[hold] * MANY)

    assert count(answers) == {201: 1, (409, "insufficient_funds"): MANY - 1}
    assert Hold.objects.count() == 1
    assert read_books(source) == (10_000, 0)
    assert find_faults() == []


def test_of_payments_and_withdrawals_of_the_whole_balance_one_succeeds(alice: Client, source: Account) -> None:
    payee = {"name": "Bruno Barbosa", "iban": "DE89370400440532013000"}

    def pay() -> Answer:
        body = WHOLE | {"debtor_account": str(source.pk), "creditor": payee}
        return call_as(alice).post("payments", body, key=str(uuid4()))

    def withdraw() -> Answer:
        return call_as(alice).post(f"accounts/{source.pk}/withdrawals", WHOLE, key=str(uuid4()))

    answers = burst(*[pay, withdraw] * (MANY // 2))

    assert count(answers)[(409, "insufficient_funds")] == MANY - 1
    assert read_books(source)[1] == 0
    assert find_faults() == []


def test_of_captures_of_a_whole_hold_one_succeeds(alice: Client, source: Account) -> None:
    target = make_account(client=make_client(name="Carla Costa"))
    hold = call_as(alice).post("holds", WHOLE | {"account": str(source.pk)}, key="hold").data["id"]

    def capture() -> Answer:
        return call_as(alice).post(f"holds/{hold}/capture", {"creditor_account": str(target.pk)}, key=str(uuid4()))

    answers = burst(*[capture] * MANY)

    assert count(answers) == {200: 1, (409, "hold_not_open"): MANY - 1}
    assert (read_books(source), read_books(target)) == ((0, 0), (10_000, 10_000))
    assert find_faults() == []


def test_one_key_moves_money_once_and_all_answers_agree(alice: Client, source: Account) -> None:
    def withdraw() -> Answer:
        return call_as(alice).post(f"accounts/{source.pk}/withdrawals", WHOLE | {"amount": "1.00"}, key="one")

    answers = burst(*[withdraw] * MANY)

    assert count(answers) == {201: MANY}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert Transfer.objects.count() == 1
    assert read_books(source) == (9_900, 9_900)
    assert find_faults() == []


def test_a_refresh_token_works_once(alice: Client) -> None:
    token = sign_in(alice.user.username).data["refresh"]

    answers = burst(*[lambda: refresh(token)] * MANY)

    assert count(answers) == {200: 1, (401, "not_authenticated"): MANY - 1}
    assert not RefreshToken.objects.filter(revoked_at=None).exists()


def test_a_client_is_inactivated_once(alice: Client) -> None:
    account = make_account(client=alice)
    token = make_token(make_partner(), Scope.CLIENTS_INACTIVATE)

    def inactivate() -> Answer:
        return Caller(token).post(f"clients/{alice.id}/inactivate", {"reason": "Asked for it"})

    answers = burst(*[inactivate] * MANY)

    assert count(answers) == {200: 1, (409, "client_inactive"): MANY - 1}
    assert Client.objects.get(pk=alice.pk).status == ClientStatus.INACTIVE
    assert LedgerAccount.objects.get(pk=account.pk).closed_at is not None
    assert find_faults() == []


def test_changes_of_ones_data_leave_those_of_one_of_them(alice: Client) -> None:
    bob = make_bob()
    texts = [f"bob-{number}" for number in range(MANY)]

    def change(text: str) -> Answer:
        return call_as(bob).patch("clients/me", {"name": f"Bob {text}", "email": f"{text}@example.com"})

    answers = burst(*[partial(change, text) for text in texts])

    bob.refresh_from_db()
    user = User.objects.get(pk=bob.user_id)
    assert count(answers) == {200: MANY}
    assert bob.email.removesuffix("@example.com") == bob.name.removeprefix("Bob ")
    assert bob.email in {f"{text}@example.com" for text in texts}
    assert user.username == bob.email


def test_an_address_goes_to_one_of_those_who_want_it(alice: Client) -> None:
    clients = [make_client(name="Carla Costa") for _ in range(MANY)]

    def want(client: Client) -> Answer:
        return call_as(client).patch("clients/me", {"email": "wanted@example.com"})

    answers = burst(*[partial(want, client) for client in clients])

    assert count(answers) == {200: 1, (409, "email_taken"): MANY - 1}
    assert Client.objects.filter(email="wanted@example.com").count() == 1
