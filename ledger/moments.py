"""Where a moment falls in an account's history.

Postings have no index by time: along an account the time of booking never goes back, so a binary search over its
versions finds any moment with some twenty probes of the primary key, and each posting spares an index.
"""


def version_at(*, account: str, at: str) -> str:
    """Return the SQL, a scalar subquery, for the last version whose posting was booked up to a moment; 0 for none.

    `account` and `at` are SQL expressions.
    """
    return last_version(account=account, is_too_late=f"probe.booked_at > {at}")


def last_version(*, account: str, is_too_late: str) -> str:
    """Return the SQL, a scalar subquery, for the last version of a posting that is not yet too late; 0 for none.

    `is_too_late` is a condition over `probe`, a posting's version, entry_id and booked_at; once true, it stays so for
    all later postings. The search keeps the answer within `low` and `high`: a probe takes the last posting up to the
    middle, and one that is too late lowers `high` below itself.
    """
    return f"""(
        WITH RECURSIVE search (low, high) AS (
            SELECT 0::bigint, (SELECT version FROM ledger_ledgeraccount WHERE id = {account})
            UNION ALL
            SELECT CASE WHEN step.is_too_late THEN low ELSE middle.version END,
                   CASE WHEN step.is_too_late THEN probe.version - 1 ELSE high END
            FROM search
            CROSS JOIN LATERAL (SELECT (low + high + 1) / 2 AS version) middle
            LEFT JOIN LATERAL (
                SELECT version, entry_id, booked_at FROM ledger_posting
                WHERE account_id = {account} AND version > low AND version <= middle.version
                ORDER BY version DESC LIMIT 1
            ) probe ON true
            CROSS JOIN LATERAL (SELECT {is_too_late} AS is_too_late) step
            WHERE low < high
        )
        SELECT low FROM search WHERE low = high
    )"""  # noqa: S608 - built from constants
