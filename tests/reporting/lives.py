"""Some days of a bank in which everything happens that analytics counts, and what the bank's own tables say of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.services import inactivate_account, inactivate_client
from kyc.cases import reopen_case
from kyc.models import Client
from kyc.services import record_sign_in
from kyc.states import KycStatus
from reporting.analytics.models import (
    PROJECTIONS,
    DailyActivity,
    DailyFailure,
    DailyStanding,
    DailyVolume,
    ProductBalance,
)
from reporting.analytics.selectors import count_standings
from tests.events.facts import transfer
from tests.factories import decide_client, make_account, make_client

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
NIGHT = datetime(2026, 3, 4, 2, tzinfo=UTC)  # still Tuesday in Sao Paulo


def live() -> None:
    """Let Alice and Carla move money in two currencies, Bob be rejected after all, and Ivan come and go."""
    alice, carla, bob, ivan = (make_client(name=name, now=MONDAY) for name in ("Alice", "Carla", "Bob", "Ivan"))
    make_client(name="Dora", kyc_status=KycStatus.IN_REVIEW, now=TUESDAY)
    checking = make_account(client=alice, now=MONDAY)
    savings = make_account(client=alice, kind="savings", now=MONDAY)
    dollars = make_account(client=alice, currency="USD", now=MONDAY)
    other = make_account(client=carla, now=MONDAY)
    closed = make_account(client=carla, now=MONDAY)
    transfer(debtor=None, creditor=checking, amount=1_000, now=MONDAY)
    transfer(debtor=None, creditor=dollars, amount=70, now=MONDAY)
    transfer(debtor=None, creditor=closed, amount=5, now=MONDAY)
    transfer(debtor=closed, creditor=None, amount=5, now=MONDAY)
    for amount in (10, 20):
        transfer(debtor=checking, creditor=other, amount=amount, now=TUESDAY)
    transfer(debtor=checking, creditor=other, amount=5_000, now=TUESDAY)  # fails
    transfer(debtor=other, creditor=None, amount=5, now=NIGHT)
    transfer(debtor=checking, creditor=savings, amount=100, now=WEDNESDAY)
    transfer(debtor=dollars, creditor=None, amount=71, now=WEDNESDAY)  # fails
    inactivate_account(account_id=closed.pk, reason="Not needed", actor=None, now=WEDNESDAY)
    reconsider(bob, at=TUESDAY)
    sign_in(alice, at=TUESDAY)
    inactivate_client(client_id=ivan.id, reason="Moved", actor=None, now=WEDNESDAY)


def reconsider(client: Client, *, at: datetime) -> None:
    """Look at a client again and reject it."""
    reopen_case(client_id=client.id, reason="Review fell due", actor=None, now=at)
    decide_client(client=client, decision=KycStatus.REJECTED, now=at + timedelta(days=1))


def sign_in(client: Client, *, at: datetime) -> None:
    """Let a client sign in to the API."""
    with transaction.atomic():
        record_sign_in(user=client.user, now=at)


def read_projections() -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the projections that count, by table; a count of nothing is no row."""
    return {
        model.__name__: sorted(row for row in model._default_manager.values_list() if row[-1]) for model in PROJECTIONS
    }


def read_figures() -> dict[str, set[tuple[Any, ...]]]:
    """Return what the projections say of what the bank's own tables know as well."""
    today = date(2099, 1, 1)
    return {
        "volumes": _select(DailyVolume, "day", "currency", "kind", "transfers", "amount"),
        "failures": _select(DailyFailure, "day", "failure_code", "transfers"),
        "active": _select(DailyActivity, "day", "clients"),
        "products": _select(ProductBalance, "kind", "currency", "accounts", "booked"),
        "clients": set(count_standings(days=[today])[today].items()) if DailyStanding.objects.exists() else set(),
    }


def _select(model: Any, *columns: str) -> set[tuple[Any, ...]]:
    return set(model.objects.values_list(*columns))


_TRUTH = {
    "volumes": """
        SELECT (completed_at AT TIME ZONE %(zone)s)::date, currency, kind, count(*), sum(amount)
        FROM transfers_transfer WHERE status = 'completed' GROUP BY 1, 2, 3
    """,
    "failures": """
        SELECT (created_at AT TIME ZONE %(zone)s)::date, failure_code, count(*)
        FROM transfers_transfer WHERE status = 'failed' GROUP BY 1, 2
    """,
    "active": """
        SELECT (completed_at AT TIME ZONE %(zone)s)::date, count(DISTINCT client_id)
        FROM transfers_transfer transfer
        JOIN accounts_account account ON account.id = coalesce(debtor_account_id, creditor_account_id)
        WHERE transfer.status = 'completed' GROUP BY 1
    """,
    "products": """
        SELECT account.kind, account.currency, count(*) FILTER (WHERE status <> 'inactive'),
               sum(posted_credits - posted_debits)
        FROM accounts_account account JOIN ledger_ledgeraccount books ON books.id = account.id GROUP BY 1, 2
    """,
    "clients": """
        SELECT CASE WHEN status = 'inactive' THEN 'inactive' ELSE kyc_status END, count(*) FROM kyc_client GROUP BY 1
    """,
}


def read_truth() -> dict[str, set[tuple[Any, ...]]]:
    """Return the same figures from the transfers, the accounts, the ledger and the clients."""
    return {name: set(_query(sql)) for name, sql in _TRUTH.items()}


def _query(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"zone": settings.TIME_ZONE})
        return list(cursor.fetchall())
