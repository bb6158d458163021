"""Proof that the ledger holds: each rule is a query for what breaks it, so a sound ledger answers nothing.

The queries trust neither triggers nor code; they read the rows. All run in one snapshot, so the bank can go on.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from core.ids import uuid7_floor
from core.progress import Progress
from ledger.chart import CUSTOMERS
from ledger.moments import version_at

CHUNK = 5_000
"""How many rows of a table are proven by one query."""

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_ID_SLACK = timedelta(days=1)
"""An entry's id is made before it is booked, for instance while its accounts are waited for."""


class Break(NamedTuple):
    """Something that is wrong: the rule, the account or entry that breaks it, and what was found."""

    rule: str
    subject: str
    finding: str


class Section(NamedTuple):
    """A table to walk through in order of id, and the rules over each of its chunks.

    The rules' queries return (subject, finding); they know the ids of the chunk as %(ids)s and %(since)s.
    """

    name: str
    table: str
    rules: dict[str, str]


ENTRIES = Section(
    name="journal entries",
    table="ledger_journalentry",
    rules={
        "debits equal credits (I1)": """
            SELECT entry_id, currency || ' off by ' || sum(amount * side) FROM ledger_posting
            WHERE entry_id = ANY(%(ids)s) GROUP BY entry_id, currency HAVING sum(amount * side) <> 0
        """,
        "an entry has all its postings (I1)": """
            SELECT entry.id, count(posting.entry_id) || ' of ' || entry.posting_count || ' postings'
            FROM ledger_journalentry entry LEFT JOIN ledger_posting posting ON posting.entry_id = entry.id
            WHERE entry.id = ANY(%(ids)s) GROUP BY entry.id
            HAVING count(posting.entry_id) <> entry.posting_count OR count(posting.entry_id) < 2
        """,
        "an entry has its event (I6)": """
            SELECT entry.id, 'no event tells of it' FROM ledger_journalentry entry
            WHERE entry.id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM events_event WHERE key = entry.id)
        """,
    },
)

_CHAIN = f"""
    SELECT posting.account_id, posting.version, posting.balance_after, posting.booked_at,
           account.normal_side * posting.side * posting.amount AS change,
           posting.currency = account.currency AS is_of_currency,
           entry.id IS NOT NULL AS has_entry,
           account.closed_at IS NOT NULL AND posting.booked_at > account.closed_at AS is_after_closing,
           coalesce(lag(posting.balance_after) OVER a, before.balance_after, 0) AS balance_before,
           coalesce(lag(posting.booked_at) OVER a, before.booked_at) AS booked_before
    FROM ledger_ledgeraccount account
    CROSS JOIN LATERAL (SELECT {version_at(account="account.id", at="%(since)s")} AS version) reached
    LEFT JOIN ledger_posting before ON before.account_id = account.id AND before.version = (
        SELECT max(version) FROM ledger_posting WHERE account_id = account.id AND version <= reached.version
    )
    JOIN ledger_posting posting ON posting.account_id = account.id AND posting.version > reached.version
    LEFT JOIN ledger_journalentry entry ON entry.id = posting.entry_id
    WHERE account.id = ANY(%(ids)s)
    WINDOW a AS (PARTITION BY posting.account_id ORDER BY posting.version)
"""  # noqa: S608 - built from constants

ACCOUNTS = Section(
    name="accounts",
    table="ledger_ledgeraccount",
    rules={
        "each balance follows from the one before (I3)": f"""
            SELECT account_id, 'version ' || version || ': ' || balance_after || ' after ' || balance_before + change
            FROM ({_CHAIN}) chain WHERE balance_after <> balance_before + change
        """,  # noqa: S608 - built from constants
        "a posting has its entry and its account's currency (I1)": f"""
            SELECT account_id, 'version ' || version FROM ({_CHAIN}) chain WHERE NOT (has_entry AND is_of_currency)
        """,  # noqa: S608 - built from constants
        "the time of booking never goes back (I3)": f"""
            SELECT account_id, 'version ' || version || ' booked at ' || booked_at
            FROM ({_CHAIN}) chain WHERE booked_at < booked_before
        """,  # noqa: S608 - built from constants
        "nothing is posted after closing (I7)": f"""
            SELECT account_id, 'version ' || version || ' booked at ' || booked_at
            FROM ({_CHAIN}) chain WHERE is_after_closing
        """,  # noqa: S608 - built from constants
        "the account agrees with its last posting (I3)": """
            SELECT account.id, 'balance ' || account.normal_side * (account.posted_credits - account.posted_debits)
                   || ', last posting says ' || coalesce(last.balance_after, 0)
            FROM ledger_ledgeraccount account
            LEFT JOIN LATERAL (
                SELECT balance_after FROM ledger_posting WHERE account_id = account.id ORDER BY version DESC LIMIT 1
            ) last ON true
            WHERE account.id = ANY(%(ids)s)
              AND account.normal_side * (account.posted_credits - account.posted_debits)
                  <> coalesce(last.balance_after, 0)
        """,
        "pending sums are those of the open holds": """
            SELECT account.id, account.pending_debits || ' pending, holds of ' || coalesce(held.amount, 0)
            FROM ledger_ledgeraccount account
            LEFT JOIN (
                SELECT account_id, sum(amount) AS amount FROM ledger_hold
                WHERE status = 'open' AND account_id = ANY(%(ids)s) GROUP BY account_id
            ) held ON held.account_id = account.id
            LEFT JOIN (
                SELECT account_id, sum(pending_delta) AS amount FROM ledger_availabilitychange
                WHERE account_id = ANY(%(ids)s) GROUP BY account_id
            ) changed ON changed.account_id = account.id
            WHERE account.id = ANY(%(ids)s)
              AND (account.pending_debits <> coalesce(held.amount, 0)
                   OR account.pending_debits <> coalesce(changed.amount, 0))
        """,
        "a hold keeps its funds until it ends": """
            SELECT hold.account_id, 'hold ' || hold.id || ' of ' || hold.amount || ' is ' || hold.status
                   || ' after ' || count(change.version) || ' changes that leave ' || coalesce(sum(pending_delta), 0)
            FROM ledger_hold hold
            LEFT JOIN ledger_availabilitychange change
                ON change.hold_id = hold.id AND change.account_id = hold.account_id
            WHERE hold.account_id = ANY(%(ids)s) GROUP BY hold.id
            HAVING coalesce(sum(pending_delta), 0) <> CASE hold.status WHEN 'open' THEN hold.amount ELSE 0 END
                OR count(change.version) <> CASE hold.status WHEN 'open' THEN 1 ELSE 2 END
                OR bool_or(abs(pending_delta) <> hold.amount)
        """,
        "the floor is the sum of its changes": f"""
            SELECT account.id,
                   'floor ' || coalesce(floor::text, 'none') || ', changes of ' || coalesce(changed.amount, 0)
            FROM ledger_ledgeraccount account
            LEFT JOIN (
                SELECT account_id, sum(floor_delta) AS amount FROM ledger_availabilitychange
                WHERE account_id = ANY(%(ids)s) GROUP BY account_id
            ) changed ON changed.account_id = account.id
            WHERE account.id = ANY(%(ids)s)
              AND (coalesce(floor, 0) <> coalesce(changed.amount, 0)
                   OR (floor IS NULL AND account.chart_code = '{CUSTOMERS.code}'))
        """,  # noqa: S608 - built from constants
        "the available balance is not below the floor (I4)": """
            SELECT id, 'below its floor of ' || floor FROM ledger_ledgeraccount
            WHERE id = ANY(%(ids)s) AND floor > normal_side * (posted_credits - posted_debits)
                  - CASE WHEN normal_side = 1 THEN pending_debits ELSE pending_credits END
        """,
    },
)

WHOLE_ACCOUNTS = ACCOUNTS._replace(
    rules={
        **ACCOUNTS.rules,
        "versions have no gap (I3)": """
            SELECT account.id, count(change.version) || ' changes up to version ' || account.version
            FROM ledger_ledgeraccount account
            LEFT JOIN (
                SELECT account_id, version FROM ledger_posting WHERE account_id = ANY(%(ids)s)
                UNION SELECT account_id, version FROM ledger_availabilitychange
                WHERE account_id = ANY(%(ids)s) AND version <> 0
            ) change ON change.account_id = account.id
            WHERE account.id = ANY(%(ids)s) GROUP BY account.id
            HAVING count(change.version) <> account.version
                OR coalesce(max(change.version), 0) <> account.version OR min(change.version) < 1
        """,
        "sums are those of the postings (I3)": """
            SELECT account.id, 'debits ' || account.posted_debits || ', postings ' || coalesce(posted.debits, 0)
                   || '; credits ' || account.posted_credits || ', postings ' || coalesce(posted.credits, 0)
            FROM ledger_ledgeraccount account
            LEFT JOIN (
                SELECT account_id,
                       sum(amount) FILTER (WHERE side = -1) AS debits, sum(amount) FILTER (WHERE side = 1) AS credits
                FROM ledger_posting WHERE account_id = ANY(%(ids)s) GROUP BY account_id
            ) posted ON posted.account_id = account.id
            WHERE account.id = ANY(%(ids)s)
              AND (account.posted_debits <> coalesce(posted.debits, 0)
                   OR account.posted_credits <> coalesce(posted.credits, 0))
        """,
    },
)
"""The same with the rules that read an account's whole history."""

_further_sections: list[Section] = []


def register_section(section: Section) -> None:
    """Have `section` proven with the ledger: an upper app says at its start what of its own must agree with the books.

    Its table's ids are in order of time, as `--since` begins at one.
    """
    _further_sections.append(section)


_TRIAL_BALANCE = """
    SELECT currency, 'debits ' || sum(posted_debits) || ', credits ' || sum(posted_credits)
    FROM ledger_ledgeraccount GROUP BY currency HAVING sum(posted_debits) <> sum(posted_credits)
"""


def verify_ledger(*, since: datetime | None, on_progress: Callable[[Progress], None]) -> list[Break]:
    """Return all that is wrong, in one snapshot. With `since`, entries, registered sections and chains of postings
    from then on only.

    Balances, holds and floors are proven for every account either way.
    """
    accounts = WHOLE_ACCOUNTS if since is None else ACCOUNTS
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_TRIAL_BALANCE)
        breaks = [Break("debits equal credits in all (I1)", *row) for row in cursor.fetchall()]
        first_entry = uuid7_floor(since - _ID_SLACK) if since else UUID(int=0)
        breaks += _verify_section(ENTRIES, first_entry, since or _EVER, on_progress)
        breaks += _verify_section(accounts, UUID(int=0), since or _EVER, on_progress)
        for section in _further_sections:
            breaks += _verify_section(section, first_entry, since or _EVER, on_progress)
    return breaks


def _verify_section(
    section: Section, first_id: UUID, since: datetime, on_progress: Callable[[Progress], None]
) -> Iterator[Break]:
    total, done = _count(section.table, first_id), 0
    for ids in _chunks(section.table, first_id):
        with connection.cursor() as cursor:
            for rule, query in section.rules.items():
                cursor.execute(query, {"ids": ids, "since": since})
                yield from (Break(rule, str(subject), finding) for subject, finding in cursor.fetchall())
        done += len(ids)
        on_progress(Progress(section.name, done, total))


def _count(table: str, first_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE id >= %s", [first_id])  # noqa: S608 - a constant
        return int(cursor.fetchone()[0])


def _chunks(table: str, first_id: UUID) -> Iterator[list[UUID]]:
    """Walk through the ids of `table` from `first_id` on, CHUNK at a time."""
    comparison, last_id = ">=", first_id
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {table} WHERE id {comparison} %s ORDER BY id LIMIT %s",  # noqa: S608 - constants
                [last_id, CHUNK],
            )
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return
        yield ids
        comparison, last_id = ">", ids[-1]
