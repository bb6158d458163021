"""A client whom the bank rejects after all: its accounts are blocked."""

import threading
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from accounts.services import CLIENT_REJECTED, inactivate_account
from events.consumer import GroupMember
from events.crew import run_members
from events.groups import get_group
from events.kafka import drop_publisher
from events.models import Event, InboxMessage
from events.relay import relay_events
from kyc.cases import reopen_case
from kyc.models import Client
from kyc.states import KycStatus
from ledger.errors import AccountBlockedError
from tests.events.broker import wait_until
from tests.events.delivery import deliver_all
from tests.events.facts import transfer
from tests.factories import decide_client, make_account, make_alice

pytestmark = pytest.mark.django_db


def review(client: Client, *, decision: KycStatus) -> None:
    """Look at a client again."""
    reopen_case(client_id=client.id, reason="Review fell due", actor=None, now=timezone.now())
    decide_client(client=client, decision=decision)


def get_statuses(client: Client) -> list[tuple[str, str]]:
    return list(Account.objects.filter(client=client).order_by("pk").values_list("status", "status_reason"))


def test_a_later_rejection_blocks_the_accounts_that_are_active() -> None:
    alice = make_alice()
    accounts = [make_account(client=alice, balance=100), make_account(client=alice)]
    review(alice, decision=KycStatus.REJECTED)

    deliver_all(group="accounts")

    assert get_statuses(alice) == [("blocked", CLIENT_REJECTED)] * 2
    told = Event.objects.filter(type="account.blocked").values_list("key", "payload__actor", "payload__reason")
    assert set(told) == {(account.pk, None, CLIENT_REJECTED) for account in accounts}
    with pytest.raises(AccountBlockedError):
        transfer(debtor=accounts[0], creditor=None, amount=1)


def test_blocks_once_and_only_what_is_active_and_the_clients_own() -> None:
    alice, carla = make_alice(), make_account().client
    make_account(client=alice)
    closed = inactivate_account(
        account_id=make_account(client=alice).pk, reason="Moved", actor=None, now=timezone.now()
    )
    review(alice, decision=KycStatus.REJECTED)

    for _ in range(2):
        deliver_all(group="accounts")
        InboxMessage.objects.all().delete()  # it forgets after INBOX_DAYS

    assert Event.objects.filter(type="account.blocked").count() == 1
    assert get_statuses(alice) == [("blocked", CLIENT_REJECTED), ("inactive", closed.status_reason)]
    assert get_statuses(carla) == [("active", "")]


def test_a_rejection_that_was_taken_back_before_it_arrives_blocks_nothing() -> None:
    alice = make_alice()
    make_account(client=alice)
    review(alice, decision=KycStatus.REJECTED)
    review(alice, decision=KycStatus.VERIFIED)

    deliver_all(group="accounts")

    assert get_statuses(alice) == [("active", "")]


@pytest.mark.django_db(transaction=True)
def test_from_the_decision_over_kafka_to_the_block(settings: Any) -> None:
    settings.KAFKA_PREFIX = "rejection."
    alice = make_alice()
    make_account(client=alice)
    member = GroupMember(get_group(name="accounts"))
    crew = threading.Thread(target=run_members, kwargs={"members": [member]})
    crew.start()
    try:
        review(alice, decision=KycStatus.REJECTED)
        wait_until(lambda: relay_events(seconds=0.1) is not None and get_statuses(alice)[0][0] == "blocked")
    finally:
        member.stop()
        crew.join(timeout=10)
        drop_publisher()

    assert not crew.is_alive()
