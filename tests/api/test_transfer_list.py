# ruff: noqa: RUF001 - look-alikes of Latin letters and digits are what some tests send
"""Reading transfers through the API: lists, filters, pages, single ones."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from kyc.models import Client
from tests.api.caller import Caller, call_as
from tests.api.orders import order
from tests.factories import make_account, make_alice
from tests.plans import explain

pytestmark = pytest.mark.django_db


class TestReading:
    """GET /transfers and /transfers/{id}."""

    @pytest.fixture(autouse=True)
    def _history(self, api: Caller, alice: Client, source: Account, target: Account) -> None:
        """Deposit, transfer, failed transfer, withdrawal and a transfer between Alice's own accounts."""
        self.savings = make_account(client=alice, kind="savings")
        cash = {"amount": "1.00", "currency": "BRL"}
        self.ids = [
            api.post(f"accounts/{source.pk}/deposits", cash, key="1").data["id"],
            api.post("transfers", order(source, target), key="2").data["id"],
            api.post("transfers", order(source, target, amount="1000.00"), key="3").body["data"]["transfer"],
            api.post(f"accounts/{source.pk}/withdrawals", cash, key="4").data["id"],
            api.post("transfers", order(source, self.savings), key="5").data["id"],
        ]

    def list_ids(self, caller: Caller, **query: Any) -> list[int]:
        """Return which of the transfers come, as positions in the history."""
        return [self.ids.index(row["id"]) for row in caller.get("transfers", **query).data["results"]]

    def test_lists_the_newest_first_and_each_once(self, api: Caller) -> None:
        assert self.list_ids(api) == [4, 3, 2, 1, 0]

    def test_each_party_sees_its_own_accounts_version(self, api: Caller) -> None:
        found = {self.ids.index(row["id"]): row["balance_version"] for row in api.get("transfers").data["results"]}

        assert found == {0: 2, 1: 3, 2: None, 3: 4, 4: 5}

    def test_shows_each_as_in_the_list(self, api: Caller) -> None:
        for row in api.get("transfers").data["results"]:
            assert api.get(f"transfers/{row['id']}").data == row

    def test_a_failed_transfer_says_why(self, api: Caller) -> None:
        row = api.get(f"transfers/{self.ids[2]}").data

        assert (row["status"], row["failure_code"], row["completed_at"]) == ("failed", "insufficient_funds", None)

    def test_a_creditor_sees_what_has_come(self, target: Account) -> None:
        carla = call_as(target.client)

        assert self.list_ids(carla) == [1]
        assert carla.get(f"transfers/{self.ids[1]}").data["balance_version"] == 1
        assert [row["balance_version"] for row in carla.get("transfers").data["results"]] == [1]
        assert carla.get(f"transfers/{self.ids[2]}").refusal == (404, "not_found")

    def test_others_transfers_look_like_missing_ones(self) -> None:
        mallory = call_as(make_alice())

        assert self.list_ids(mallory) == []
        assert mallory.get(f"transfers/{self.ids[0]}").body == mallory.get(f"transfers/{uuid4()}").body

    def test_filters(self, api: Caller, source: Account, target: Account) -> None:
        moments = [row["created_at"] for row in api.get("transfers").data["results"]][::-1]

        assert self.list_ids(api, status="failed") == [2]
        assert self.list_ids(api, kind="internal") == [4, 2, 1]
        assert self.list_ids(api, kind="internal", status="completed") == [4, 1]
        assert self.list_ids(api, account=self.savings.pk) == [4]
        assert self.list_ids(api, account=self.savings.number) == [4]
        assert self.list_ids(api, account=target.pk) == []
        assert self.list_ids(api, created_after=moments[2]) == [4, 3]
        assert self.list_ids(api, created_before=moments[2]) == [1, 0]
        assert self.list_ids(api, created_after=moments[0], created_before=moments[3]) == [2, 1]

    def test_pages_both_ways(self, api: Caller) -> None:
        first = api.get("transfers", page_size=2).data
        second = api.get(first["next"]).data
        third = api.get(second["next"]).data
        back = api.get(third["previous"]).data

        pages = [[self.ids.index(row["id"]) for row in page["results"]] for page in (first, second, third)]
        assert pages == [[4, 3], [2, 1], [0]]
        assert (first["previous"], third["next"]) == (None, None)
        assert back["results"] == second["results"]
        assert api.get(back["previous"]).data["results"] == first["results"]
        assert api.get(back["previous"]).data["previous"] is None

    def test_a_page_keeps_its_filters(self, api: Caller) -> None:
        first = api.get("transfers", page_size=1, kind="internal", status="completed").data

        assert [self.ids.index(row["id"]) for row in api.get(first["next"]).data["results"]] == [1]

    def test_the_number_of_queries_does_not_grow(self, api: Caller, alice: Client) -> None:
        for _ in range(3):
            make_account(client=alice)

        with CaptureQueriesContext(connection) as captured:
            api.get("transfers")

        assert len(captured) == 3  # the user, the client, the page

    def test_a_page_comes_from_the_ends_of_two_indexes(self, api: Caller) -> None:
        with CaptureQueriesContext(connection) as captured:
            api.get("transfers", status="completed")
        plan = explain(captured[-1]["sql"])

        assert "Scan Backward using transfers_transfer_debtor on" in plan
        assert "Scan Backward using transfers_transfer_creditor on" in plan
        assert "Seq Scan on transfers_transfer" not in plan

    def test_a_filter_by_somebody_elses_account_finds_nothing_of_it(self, api: Caller, target: Account) -> None:
        for account in (target.pk, target.number, uuid4(), "999999999999"):
            assert self.list_ids(api, account=account) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", "abc"), ("page_size", "0"), ("page_size", "201"), ("page_size", "-1"), ("page_size", "1_0"),
        ("page_size", "１０"), ("page_size", ""), ("page_size", "9" * 5000), ("page_size", "1.0"),
        ("status", "gone"), ("status", "\0"), ("kind", "Deposit"), ("kind", ""),
        ("created_after", "yesterday"), ("created_after", "2026-13-01"), ("created_before", "\0"),
        ("created_before", "99999-01-01T00:00:00Z"), ("created_before", "2026-03-01T12:00:00"),
        ("created_after", "2026-03-01"), ("created_after", "2026-03-01T12:00:00 03:00"),
        ("account", "\0"), ("account", "1"), ("account", "x" * 36), ("account", "\ud800"), ("account", "-" * 36),
        ("account", ""), ("account", "a" * 12),
        ("cursor", "\0"), ("cursor", "nonsense"), ("cursor", "bmV4dA=="), ("cursor", "é"), ("cursor", "A" * 10_000),
    ],
)  # fmt: skip
def test_refuses_malformed_parameters(api: Caller, name: str, value: str) -> None:
    path = f"/api/v1/transfers?{name}={_quote(value)}"

    answer = api.get(path)

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == [name]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_extreme_moments_are_no_fault(api: Caller, moment: str) -> None:
    assert api.get("transfers", created_after=moment).status in (200, 400)


def _quote(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def test_the_id_in_a_path_must_be_one(api: Caller) -> None:
    for path in ("transfers/1", "transfers/%00", f"transfers/{UUID(int=0)}x", "transfers/-1"):
        assert api.get(path).refusal == (404, "not_found")
