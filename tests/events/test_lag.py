"""How far everything is behind, as Prometheus and staff read it."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from kafka.errors import CommitFailedError
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from events import consumer, lag
from events.inbox import bury
from events.kafka import make_consumer
from events.lag import measure_groups, measure_outbox
from events.models import Event
from events.relay import relay_events
from tests.events.broker import StoppableBroker, wait_until
from tests.events.facts import NOW, make_record, record
from tests.events.test_consumer import relay_until_kept, running_member
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Ask Kafka anew in each test, and serve styles without a collected manifest."""
    monkeypatch.setattr(lag, "_known", lag._Known())
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def scrape(**headers: str) -> dict[str, float]:
    """Return the gauges by name and labels."""
    response = Browser().get("/metrics", headers=headers)
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {"/".join([each.name, *each.labels.values()]): each.value for family in families for each in family.samples}


def lags_of(group: str) -> dict[str, int]:
    """Return the lags of one group by topic; of the others, no member runs here."""
    return {each.topic: each.messages for each in measure_groups() if each.group == group}


def test_shows_events_that_are_not_published_and_the_age_of_the_oldest() -> None:
    record(), record()
    oldest = Event.objects.order_by("seq")[0]

    found = measure_outbox(now=oldest.occurred_at + timedelta(seconds=7))

    assert (found.cursor, found.oldest_age_seconds) == (0, 7.0)
    assert scrape()["bank_outbox_events"] >= 2


def test_shows_how_many_messages_a_group_has_not_taken_in() -> None:
    account = make_account()
    with running_member():
        relay_until_kept(account.pk, 0)
    assert set(lags_of("balances").values()) == {0}

    make_account()
    relay_until_published()

    assert lags_of("balances")["account.created"] == 1
    assert scrape()["bank_consumer_lag_messages/balances/account.created"] == 1


def test_a_commit_that_a_rebalance_refused_is_made_up_for_though_nothing_more_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "make_consumer", make_refused_once)
    account = make_account()

    with running_member():
        relay_until_kept(account.pk, 0)
        relay_until_published()

        wait_until(lambda: set(lags_of("balances").values()) == {0})


def make_refused_once(*, group: str, topics: Collection[str]) -> Any:
    """Make a consumer whose first commit is refused."""
    made = make_consumer(group=group, topics=topics)
    commit, refusals = made.commit, iter([CommitFailedError("the group has dealt its partitions out anew")])

    def refuse_once(**options: Any) -> None:
        if error := next(refusals, None):
            raise error
        commit(**options)

    made.commit = refuse_once
    return made


def relay_until_published() -> None:
    wait_until(lambda: relay_events(seconds=0.1) and measure_outbox(now=NOW).unrelayed == 0)


def test_kafka_away_is_a_gauge_and_no_error(settings: Settings) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = ["127.0.0.1:1"]

    found = scrape()

    assert found["bank_kafka_up"] == 0
    assert not [name for name in found if name.startswith("bank_consumer_lag")]


def test_a_kafka_that_listens_in_silence_holds_nobody_up(
    broker: StoppableBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "ANSWER_SECONDS", 0.5)
    broker.start()
    broker.freeze()

    assert [scrape()["bank_kafka_up"] for _ in range(3)] == [0, 0, 0]


def test_shows_dead_letters_that_wait() -> None:
    bury(group="people", record=make_record(None), error=ValueError(), attempts=1)

    assert scrape()["bank_dead_letters_waiting/people"] == 1


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {}, 200),
        ("", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("secret", {}, 404),
        ("secret", {"Authorization": "Bearer other"}, 404),
        ("secret", {"Authorization": "Bearer s\u00e9cret"}, 404),
        ("secret", {"Authorization": "Bearer secret"}, 200),
    ],
)
def test_strangers_do_not_read_the_metrics(
    token: str, headers: dict[str, str], status: int, settings: Settings
) -> None:
    settings.METRICS_TOKEN = token
    settings.KAFKA_BOOTSTRAP_SERVERS = ["127.0.0.1:1"]

    assert Browser().get("/metrics", headers=headers).status_code == status


def test_another_machine_does_not_read_the_metrics_without_a_token() -> None:
    assert Browser(REMOTE_ADDR="192.0.2.7").get("/metrics").status_code == 404


@pytest.mark.parametrize("servers", [None, ["127.0.0.1:1"]])
def test_staff_see_the_same_with_and_without_kafka(servers: list[str] | None, settings: Settings) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = servers or settings.KAFKA_BOOTSTRAP_SERVERS
    bury(group="people", record=make_record(None), error=ValueError(), attempts=1)
    browser = Browser()
    browser.force_login(make_staff(permissions=("events.view_event", "events.view_deadletter")))

    page = browser.get("/admin/events/event/flow/").content.decode()

    assert ("Kafka does not answer" in page) is bool(servers)
    assert "group=people" in page
    assert timezone.localtime().strftime("%Y") in page


def test_only_who_may_view_events_sees_their_flow() -> None:
    browser = Browser()
    browser.force_login(make_staff())

    assert browser.get("/admin/events/event/flow/").status_code == 403
