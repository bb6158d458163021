"""The first page: its charts and tables say what happened, and cost the same however much that was."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bank.charts import DAYS, Chart, make_charts
from bank.dashboard import make_failures, make_products, make_standings
from tests.admin.conftest import Bank, bury_message
from tests.events.delivery import deliver_all
from tests.events.facts import transfer
from tests.factories import make_account, make_bob
from transfers.rails.models import ReconciliationBreak

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]


def get_charts() -> dict[str, Chart]:
    return {chart.title: chart for chart in make_charts(today=timezone.localdate())}


def read_bars(chart: Chart) -> dict[str, list[Any]]:
    """Return the values of a chart by the label of its bars."""
    return {bars["label"]: bars["data"] for bars in json.loads(chart.data)["datasets"]}


def read_cells(table: Any) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in table.rows]


def test_the_charts_show_transfers_volumes_and_clients_of_today_last() -> None:
    alice, carla = make_account(), make_account(currency="USD")
    transfer(debtor=None, creditor=alice, amount=150_000_00)
    transfer(debtor=None, creditor=carla, amount=20_50)
    transfer(debtor=carla, creditor=None, amount=99_00)  # fails
    deliver_all(group="analytics")

    charts = get_charts()

    outcomes = read_bars(charts["Transfers"])
    assert {label: values[-1] for label, values in outcomes.items()} == {"Completed": 2, "Failed": 1}
    assert {len(values) for values in outcomes.values()} == {DAYS}
    assert read_bars(charts["Volume, BRL"])["BRL"][-1] == "150.00"
    assert "in thousand BRL" in charts["Volume, BRL"].note
    assert read_bars(charts["Volume, USD"])["USD"][-1] == "20.50"
    assert read_bars(charts["Clients"])["Active clients"][-1] == 2
    assert [key.label for key in charts["Clients"].legend] == ["Active clients", "Sign-ins"]


def test_the_tables_show_products_clients_and_failures() -> None:
    alice = make_account(balance=300)
    make_account(client=alice.client, kind="savings", balance=100)
    make_bob()
    transfer(debtor=alice, creditor=None, amount=301)  # fails
    deliver_all(group="analytics")
    today = timezone.localdate()

    products = read_cells(make_products())

    assert [row[:3] for row in products] == [["BRL", "Checking", "1"], ["BRL", "Savings", "1"]]
    assert ["75.0%" in row[4] for row in products] == [True, False]
    assert read_cells(make_standings(today=today))[:2] == [["In review", "1", "0"], ["Verified", "1", "0"]]
    assert read_cells(make_failures(since=today))[0][1] == "1"
    assert make_failures(since=today + timedelta(days=1)).rows == []


def test_an_empty_bank_says_so_in_place_of_charts(sign_in: SignIn) -> None:
    page = sign_in("admin").get(reverse("admin:index")).content.decode()

    assert not any(chart.data for chart in get_charts().values())
    for sentence in (
        "No transfer was ordered",
        "No client moved money",
        "No account has been opened",
        "has registered",
    ):
        assert sentence in page


def test_no_transfer_is_counted_for_the_first_page(sign_in: SignIn) -> None:
    transfer(debtor=None, creditor=make_account(), amount=1)
    browser = sign_in("admin")

    with CaptureQueriesContext(
        connection,
    ) as queries:
        browser.get(reverse("admin:index"))

    assert not [query for query in queries if "transfers_transfer" in query["sql"]]
    assert len(queries) < 35


def test_dead_letters_and_breaks_wait_on_the_first_page_with_their_age(bank: Bank, sign_in: SignIn) -> None:
    before = timezone.now() - timedelta(days=3)
    with time_machine.travel(before, tick=False):
        bury_message()
        ReconciliationBreak.objects.create(
            subject="bank:2", kind="missing_at_rail", day=before.date(), bank_amount=1, currency="BRL", opened_at=before
        )

    page = sign_in("ops_checker").get(reverse("admin:index"))

    queues = {queue.title: queue for queue in page.context["queues"]}
    letters, breaks = queues["Dead letters"], queues["Reconciliation breaks"]
    assert (letters.waiting, breaks.waiting) == (2, 2)
    assert letters.note == breaks.note == "The oldest for 3\xa0days"
    assert "state__exact=waiting" in letters.address
    assert "status__exact=open" in breaks.address


def test_the_queues_say_when_nothing_waits(sign_in: SignIn) -> None:
    page = sign_in("ops_checker").get(reverse("admin:index"))

    notes = {queue.title: queue.note for queue in page.context["queues"]}
    assert notes["Dead letters"] == "Every message has taken effect"
    assert notes["Reconciliation breaks"] == "The rail's books and the bank's agree"
