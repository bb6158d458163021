"""Writes of the projections, in the transaction of the messages that they follow; see Note [Projections].

Each statement writes a row once and takes rows in the order of their key, so that members of the group that write at
the same time wait for each other instead of deadlocking.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from core.db import Row, Statement, Write, as_array, as_rows, columns_of, rows_of, run_together
from events.inbox import forget_group
from reporting.analytics.models import PROJECTIONS
from reporting.analytics.rows import AccountFacts, Activity, Failures, Metric, StandingFacts, Volume

GROUP = "analytics"

# Note [Resetting while messages come]
# Members that write hold the first lock together, a reset holds it alone. Else it could delete what a message did and
# not yet see, and so keep, that the message was taken in.
_TAKE_PART = Statement("SELECT 1 FROM pg_advisory_xact_lock_shared(hashtext('reporting.analytics'))")
_TAKE_ALONE = Statement("SELECT 1 FROM pg_advisory_xact_lock(hashtext('reporting.analytics'))")
_TAKE_STANDINGS = Statement("SELECT 1 FROM pg_advisory_xact_lock(hashtext('reporting.analytics standings'))")


def _add(kind: type[Row], *, table: str, key: str, sums: Sequence[str]) -> Statement:
    """Return the statement that adds rows of `kind` to the sums of a table."""
    return Statement(
        f"""
        INSERT INTO {table} AS kept ({columns_of(kind)})
        SELECT {columns_of(kind)} FROM {rows_of(kind)} AS told ORDER BY {key}
        ON CONFLICT ({key}) DO UPDATE SET {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in sums)}
        """  # noqa: S608 - built from constants
    )


_ADD_VOLUMES = _add(Volume, table="analytics_dailyvolume", key="day, currency, kind", sums=["transfers", "amount"])
_ADD_FAILURES = _add(Failures, table="analytics_dailyfailure", key="day, failure_code", sums=["transfers"])
_ADD_METRICS = _add(Metric, table="analytics_dailymetric", key="day, name", sums=["value"])

_ADD_ACTIVITY = Statement(
    f"""
    WITH fresh AS (
        INSERT INTO analytics_activeclient (day, client_id)
        SELECT DISTINCT told.day, account.client_id
        FROM {rows_of(Activity)} AS told JOIN accounts_account account ON account.id = told.account_id
        ORDER BY told.day, account.client_id
        ON CONFLICT DO NOTHING
        RETURNING day
    )
    INSERT INTO analytics_dailyactivity AS kept (day, clients)
    SELECT day, count(*) FROM fresh GROUP BY day ORDER BY day
    ON CONFLICT (day) DO UPDATE SET clients = kept.clients + excluded.clients
    """  # noqa: S608 - built from constants
)

# An account counts from when its kind is known; then all that was told of it before counts as well.
_KEEP_ACCOUNTS = Statement(
    f"""
    WITH changed AS (
        INSERT INTO analytics_productaccount AS kept (account_id, kind, currency, is_closed, booked, version)
        SELECT account_id, kind, currency, is_closed = 1, booked, version FROM {rows_of(AccountFacts)} AS told
        ORDER BY account_id
        ON CONFLICT (account_id) DO UPDATE SET
            kind = greatest(kept.kind, excluded.kind),
            currency = greatest(kept.currency, excluded.currency),
            is_closed = kept.is_closed OR excluded.is_closed,
            booked = CASE WHEN excluded.version > kept.version THEN excluded.booked ELSE kept.booked END,
            version = greatest(kept.version, excluded.version)
        WHERE excluded.version > kept.version OR excluded.kind > kept.kind OR excluded.is_closed > kept.is_closed
        RETURNING new.kind, new.currency,
            (NOT new.is_closed)::int AS accounts, new.booked AS booked,
            CASE WHEN old.kind <> '' AND NOT old.is_closed THEN 1 ELSE 0 END AS accounts_before,
            CASE WHEN old.kind <> '' THEN old.booked ELSE 0 END AS booked_before
    )
    INSERT INTO analytics_productbalance AS kept (kind, currency, accounts, booked)
    SELECT kind, currency, sum(accounts - accounts_before), sum(booked::numeric - booked_before)
    FROM changed WHERE kind <> '' GROUP BY kind, currency ORDER BY kind, currency
    ON CONFLICT (kind, currency) DO UPDATE
    SET accounts = kept.accounts + excluded.accounts, booked = kept.booked + excluded.booked
    """  # noqa: S608 - built from constants
)

_INSERT_STANDINGS = Statement(
    f"""
    INSERT INTO analytics_clientstanding ({columns_of(StandingFacts)})
    SELECT {columns_of(StandingFacts)} FROM {rows_of(StandingFacts)} AS told ON CONFLICT DO NOTHING
    """  # noqa: S608 - built from constants
)
_COUNT_STANDINGS = Statement(
    """
    INSERT INTO analytics_dailystanding AS kept (day, status, change)
    SELECT step.day, step.status, sum(step.change)
    FROM (
        SELECT day, status, lead(day) OVER (PARTITION BY client_id ORDER BY sequence) AS next_day
        FROM analytics_clientstanding WHERE client_id = ANY(%s::uuid[])
    ) AS standing
    CROSS JOIN LATERAL (
        VALUES (standing.day, standing.status, %s::bigint), (standing.next_day, standing.status, %s::bigint)
    ) AS step (day, status, change)
    WHERE step.day IS NOT NULL
    GROUP BY step.day, step.status
    ON CONFLICT (day, status) DO UPDATE SET change = kept.change + excluded.change
    """
)


def add_transfers(*, volumes: Sequence[Volume], activity: Sequence[Activity]) -> None:
    """Count completed transfers, each row of `volumes` another day, currency and kind."""
    _TAKE_PART.run()
    _run(_ADD_VOLUMES, volumes)
    _run(_ADD_ACTIVITY, activity)


def add_failures(*, failures: Sequence[Failures]) -> None:
    """Count failed transfers, each row another day and code."""
    _TAKE_PART.run()
    _run(_ADD_FAILURES, failures)


def add_metrics(*, metrics: Sequence[Metric]) -> None:
    """Add values to product metrics, each row another day and name."""
    _TAKE_PART.run()
    _run(_ADD_METRICS, metrics)


def keep_accounts(*, facts: Sequence[AccountFacts]) -> None:
    """Keep what was told of accounts, each row another one, and the sums of their products with it."""
    _TAKE_PART.run()
    _run(_KEEP_ACCOUNTS, facts)


def keep_standings(*, facts: Sequence[StandingFacts]) -> None:
    """Keep what became of clients.

    What is told of a client late changes the days between two steps that are known. So the client is taken out of the
    days, its steps are completed, and it is counted anew; one member of the group at a time, since another one may hold
    another step of the same client.
    """
    _TAKE_PART.run()
    _TAKE_STANDINGS.run()
    clients = {each.client_id for each in facts}
    _count_standings(clients, sign=-1)
    _run(_INSERT_STANDINGS, facts)
    _count_standings(clients, sign=1)


def _count_standings(clients: Iterable[UUID], *, sign: int) -> None:
    run_together(Write(_COUNT_STANDINGS, (as_array(list(clients)), sign, -sign)))


def _run(statement: Statement, rows: Sequence[Row]) -> None:
    run_together(Write(statement, (as_rows(rows),)))


def reset_projections() -> None:
    """Empty the projections and let the group take in anew all that is told again, from the first event on.

    A replay of a part would leave them with the figures of that part.
    """
    with transaction.atomic(durable=True):
        _TAKE_ALONE.run()
        for projection in PROJECTIONS:
            projection._default_manager.all().delete()
        forget_group(group=GROUP)
