"""An audit of the books from the outside: SQL of its own, so that it cannot share a mistake with the ledger's code."""

from django.db import connection

_CUSTOMERS_AVAILABLE = "posted_credits - posted_debits - pending_debits"

AUDITS = {
    "I1 an entry's debits and credits differ": """
        SELECT entry_id FROM ledger_posting GROUP BY entry_id, currency HAVING sum(side * amount) <> 0
    """,
    "I1 an entry has not the postings that it says": """
        SELECT entry.id FROM ledger_journalentry entry LEFT JOIN ledger_posting posting ON posting.entry_id = entry.id
        GROUP BY entry.id HAVING count(posting.entry_id) <> entry.posting_count OR count(posting.entry_id) < 2
    """,
    "I3 an account's sums are not those of its postings": """
        SELECT account.id FROM ledger_ledgeraccount account LEFT JOIN ledger_posting posting ON account_id = account.id
        GROUP BY account.id
        HAVING posted_debits <> coalesce(sum(amount) FILTER (WHERE side = -1), 0)
            OR posted_credits <> coalesce(sum(amount) FILTER (WHERE side = 1), 0)
    """,
    "I3 a posting's balance is not the sum up to it": """
        SELECT account_id FROM (
            SELECT account_id, balance_after,
                   normal_side * sum(side * amount) OVER (PARTITION BY account_id ORDER BY posting.version) AS total
            FROM ledger_posting posting JOIN ledger_ledgeraccount account ON account.id = account_id
        ) step WHERE balance_after <> total
    """,
    "I3 an account's versions have a gap": """
        WITH steps AS (
            SELECT account_id, version FROM ledger_posting
            UNION ALL SELECT account_id, version FROM ledger_availabilitychange WHERE version <> 0
        )
        SELECT account.id FROM ledger_ledgeraccount account LEFT JOIN steps ON account_id = account.id
        GROUP BY account.id
        HAVING account.version <> count(DISTINCT steps.version) OR account.version <> count(steps.version)
            OR account.version <> coalesce(max(steps.version), 0)
    """,
    "I3 what is pending is not what open holds keep": """
        SELECT account.id FROM ledger_ledgeraccount account LEFT JOIN ledger_hold hold ON account_id = account.id
        GROUP BY account.id
        HAVING pending_debits <> coalesce(sum(amount) FILTER (WHERE status = 'open'), 0) OR pending_credits <> 0
    """,
    "I3 what is pending is not the sum of its changes": """
        SELECT account.id
        FROM ledger_ledgeraccount account LEFT JOIN ledger_availabilitychange ON account_id = account.id
        GROUP BY account.id HAVING pending_debits <> coalesce(sum(pending_delta), 0)
    """,
    "I3 a floor is not the sum of its changes": """
        SELECT account.id
        FROM ledger_ledgeraccount account LEFT JOIN ledger_availabilitychange ON account_id = account.id
        GROUP BY account.id HAVING coalesce(floor, 0) <> coalesce(sum(floor_delta), 0)
    """,
    "I3 the times of an account go back": """
        WITH steps AS (
            SELECT account_id, version, booked_at AS at FROM ledger_posting
            UNION ALL SELECT account_id, version, changed_at FROM ledger_availabilitychange
        )
        SELECT account_id FROM (
            SELECT account_id, at, lag(at) OVER (PARTITION BY account_id ORDER BY version) AS before FROM steps
        ) step WHERE at < before
    """,
    "I4 an account is below its floor": f"""
        SELECT id FROM ledger_ledgeraccount WHERE normal_side = 1 AND {_CUSTOMERS_AVAILABLE} < floor
    """,
    "an account's books refuse other than its blocks say": """
        SELECT account.id FROM accounts_account account JOIN ledger_ledgeraccount books ON books.id = account.id
        LEFT JOIN accounts_accountblock block ON block.account_id = account.id AND lifted_at IS NULL
        WHERE account.status <> 'inactive' GROUP BY account.id, books.id
        HAVING refuses_debits <> coalesce(bool_or(scope IN ('debits', 'both')), false)
            OR refuses_credits <> coalesce(bool_or(scope IN ('credits', 'both')), false)
            OR (account.status = 'blocked') <> (count(block.id) > 0)
    """,
    "I6 a transfer has not exactly one event": """
        SELECT transfer.id FROM transfers_transfer transfer
        LEFT JOIN events_event event ON event.key = transfer.id AND event.type = 'transfer.' || transfer.status
        GROUP BY transfer.id HAVING count(event.seq) <> 1
    """,
    "I5 a transfer has not exactly one key": """
        WITH made AS (
            SELECT resource_id AS id FROM core_idempotencykey
            UNION ALL
            SELECT (line ->> 1)::uuid
            FROM core_idempotencykey used JOIN transfers_transferbatch batch ON batch.id = used.resource_id
            CROSS JOIN LATERAL jsonb_array_elements(batch.outcomes) line
        )
        SELECT transfer.id FROM transfers_transfer transfer LEFT JOIN made ON made.id = transfer.id
        GROUP BY transfer.id HAVING count(made.id) <> 1
    """,
    "I5 a batch tells of a transfer that is not there": """
        SELECT batch.id FROM transfers_transferbatch batch CROSS JOIN LATERAL jsonb_array_elements(outcomes) line
        WHERE line ->> 1 IS NOT NULL
          AND NOT EXISTS (SELECT FROM transfers_transfer WHERE id = (line ->> 1)::uuid)
    """,
    "I5 a captured hold has not exactly one entry, of what was captured": """
        SELECT hold.id FROM ledger_hold hold
        LEFT JOIN ledger_journalentry entry ON entry.reference = hold.id AND entry.reversal_of_id IS NULL
        LEFT JOIN ledger_posting posting ON posting.entry_id = entry.id AND posting.account_id = hold.account_id
        LEFT JOIN antifraud_review review ON review.reference = hold.id AND review.status <> 'accepted'
        WHERE hold.origin = 'customer' AND review.id IS NULL
        GROUP BY hold.id HAVING hold.captured_amount <> coalesce(-sum(posting.side * posting.amount), 0)
            OR count(entry.id) <> (hold.status = 'captured')::int
    """,
    "I5 a completed transfer has not its entry, or another has one": """
        SELECT transfer.id FROM transfers_transfer transfer
        LEFT JOIN ledger_journalentry entry ON entry.id = transfer.id
        WHERE (transfer.status = 'completed') <> (entry.id IS NOT NULL)
    """,
    "I7 a closed account has money, a hold or a later booking": """
        SELECT account.id FROM ledger_ledgeraccount account
        WHERE closed_at IS NOT NULL AND (
            posted_debits <> posted_credits OR pending_debits <> 0
            OR EXISTS (SELECT FROM ledger_posting WHERE account_id = account.id AND booked_at > closed_at)
        )
    """,
}


def find_faults() -> list[str]:
    """Return what is wrong in the books and with which rows; nothing, in a bank that keeps its invariants."""
    faults = []
    with connection.cursor() as cursor:
        for fault, query in AUDITS.items():
            cursor.execute(query)
            faults += [f"{fault}: {row_id}" for (row_id, *_) in cursor.fetchall()]
    return faults
