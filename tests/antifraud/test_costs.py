"""What the facts of an order cost at most, however much has happened on its accounts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from core.db import Query
from core.money import get_exponent
from tests.antifraud.rulebook import REJECT_LISTED, put_in_force, rule
from tests.transfers.desk import NOW, Desk
from transfers.antifraud.defaults import FIRST_RULES
from transfers.antifraud.histories import HABIT
from transfers.antifraud.judging import Movement, inquire
from transfers.antifraud.rule_sets import note_active_rules
from transfers.antifraud.rules import WINDOW

pytestmark = pytest.mark.django_db

HOT = 200_000
"""How many transfers two accounts have between them, all of the last twenty seconds."""

_FILL = f"""
    SET LOCAL statement_timeout = 0;
    SET LOCAL session_replication_role = replica;
    INSERT INTO transfers_transfer (
        id, kind, status, debtor_account_id, creditor_account_id, amount, currency, remittance_information,
        initiated_by_id, created_at, completed_at, failure_code
    )
    SELECT uuidv7(passed), 'internal', 'completed',
           %(debtor)s, %(creditor)s, 4800000, 'BRL', '', %(user)s,
           clock_timestamp() + passed, clock_timestamp() + passed, ''
    FROM (SELECT number * interval '-0.1 ms' AS passed FROM generate_series({HOT}, 1, -1) number) ages;
    SET LOCAL session_replication_role = origin;
    ANALYZE transfers_transfer
"""

JUST_BELOW_A_LIMIT = 48_000 * 10 ** get_exponent("BRL")
"""What structuring and habit want to know all about, by the rules of a new bank."""


def read_plan(query: Query) -> list[dict[str, Any]]:
    """Run a query by the plan that the bank's processes keep for it; return the steps that read transfers."""
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE facts AS {query.statement.numbered}")
        places = ", ".join(["%s"] * len(query.params))
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE facts ({places})", query.params)
        [(found,)] = cursor.fetchall()
        cursor.execute("DEALLOCATE facts")
    return list(_list_reads((found if isinstance(found, list) else json.loads(found))[0]["Plan"]))


def _list_reads(step: dict[str, Any]) -> list[dict[str, Any]]:
    below = [read for inner in step.get("Plans", []) for read in _list_reads(inner)]
    is_read = step.get("Relation Name") == "transfers_transfer" or "transfers_transfer" in step.get("Index Name", "")
    return [step, *below] if is_read else below


def count_rows(reads: list[dict[str, Any]]) -> int:
    """Return how many rows the steps have looked at, also those that they passed over."""
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return int(
        sum(step["Actual Loops"] * (step["Actual Rows"] + sum(step.get(name, 0) for name in removed)) for step in reads)
    )


def test_a_hot_account_costs_no_more_than_the_windows(desk: Desk) -> None:
    note_active_rules(rule_set_id=put_in_force(*FIRST_RULES["rules"]).pk)
    alice, carla = desk.accounts["alice"], desk.accounts["carla"]
    with connection.cursor() as cursor:
        cursor.execute(_FILL, {"debtor": alice, "creditor": carla, "user": desk.clients["alice"].user_id})

    movement = Movement(alice, carla, JUST_BELOW_A_LIMIT, "BRL")
    reads = read_plan(inquire(movements=[movement], now=datetime.now(tz=UTC)).query)

    assert count_rows(reads) == 2 * WINDOW + HABIT


def test_what_no_rule_in_force_can_ask_is_not_read(desk: Desk) -> None:
    rules = put_in_force(REJECT_LISTED, rule("velocity", per_minute=3), rule("structuring", limit={"*": 50_000}))
    note_active_rules(rule_set_id=rules.pk)
    movement = Movement(desk.accounts["alice"], desk.accounts["carla"], 1, "BRL")

    judged = inquire(movements=[movement], now=NOW)

    assert [side[1:5] for side in judged.sides] == [(3, 0, False, False), (0, 0, False, False)]
    assert inquire(movements=[movement._replace(amount=JUST_BELOW_A_LIMIT)], now=NOW).sides[0].sent == WINDOW
