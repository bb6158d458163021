"""Proof that transfers and the books agree: rules that `verify_ledger` runs with its own, see transfers/apps.py."""

from ledger.verification import Section

TRANSFERS = Section(
    name="transfers",
    table="transfers_transfer",
    rules={
        "a completed transfer has its entry, no other has one (I5)": """
            SELECT transfer.id, transfer.status || CASE WHEN entry.id IS NULL THEN ', no entry' ELSE ', an entry' END
            FROM transfers_transfer transfer LEFT JOIN ledger_journalentry entry ON entry.id = transfer.id
            WHERE transfer.id = ANY(%(ids)s) AND (transfer.status = 'completed') <> (entry.id IS NOT NULL)
        """,
        "a completed transfer is posted as it says (I5)": """
            SELECT transfer.id, 'version ' || coalesce(party.version::text, 'unknown') || ' of ' || party.account_id
            FROM transfers_transfer transfer
            CROSS JOIN LATERAL (
                VALUES (debtor_account_id, debtor_version, -1), (creditor_account_id, creditor_version, 1)
            ) party (account_id, version, side)
            LEFT JOIN ledger_posting posting
                ON posting.account_id = party.account_id AND posting.version = party.version
            WHERE transfer.id = ANY(%(ids)s) AND status = 'completed' AND party.account_id IS NOT NULL
              AND (posting.entry_id, posting.side, posting.amount, posting.currency)
                  IS DISTINCT FROM (transfer.id, party.side, transfer.amount, transfer.currency)
        """,
        "what is in review has its review, what antifraud rejected its judgement": """
            SELECT transfer.id, transfer.status || ' ' || transfer.failure_code
            FROM transfers_transfer transfer
            WHERE transfer.id = ANY(%(ids)s) AND (
                status = 'in_review' AND NOT EXISTS (SELECT FROM antifraud_review WHERE transfer_id = transfer.id)
                OR failure_code = 'rejected_by_antifraud'
                AND NOT EXISTS (
                    SELECT FROM antifraud_judgement WHERE id = transfer.id AND decision IN ('review', 'reject')
                )
            )
        """,
        "a transfer has one event that says what became of it (I6)": """
            SELECT transfer.id, count(event.seq) || ' events say ' || transfer.status
            FROM transfers_transfer transfer
            LEFT JOIN events_event event ON event.key = transfer.id AND event.type = 'transfer.' || transfer.status
            WHERE transfer.id = ANY(%(ids)s) GROUP BY transfer.id HAVING count(event.seq) <> 1
        """,
    },
)

_NAMED = """
    SELECT batch.id AS batch_id, batch.is_atomic, batch.initiated_by_id AS caller_id, (line ->> 1)::uuid AS id
    FROM transfers_transferbatch batch CROSS JOIN LATERAL jsonb_array_elements(batch.outcomes) line
    WHERE batch.id = ANY(%(ids)s)
"""

BATCHES = Section(
    name="batches of transfers",
    table="transfers_transferbatch",
    rules={
        "a batch names transfers that its caller gave (I5)": f"""
            SELECT batch_id, 'transfer ' || named.id
                   || CASE WHEN transfer.id IS NULL THEN ' is not there' ELSE ' was given by another' END
            FROM ({_NAMED}) named LEFT JOIN transfers_transfer transfer ON transfer.id = named.id
            WHERE named.id IS NOT NULL AND transfer.initiated_by_id IS DISTINCT FROM caller_id
        """,  # noqa: S608 - built from constants
        "the completed transfers of a batch are posted (I5)": f"""
            SELECT batch_id, 'transfer ' || named.id || ' has no entry'
            FROM ({_NAMED}) named JOIN transfers_transfer transfer ON transfer.id = named.id
            WHERE status = 'completed' AND NOT EXISTS (SELECT FROM ledger_journalentry WHERE id = named.id)
        """,  # noqa: S608 - built from constants
        "all of an atomic batch is completed (I5)": f"""
            SELECT batch_id, coalesce('transfer ' || named.id || ' is ' || transfer.status, 'an order was refused')
            FROM ({_NAMED}) named LEFT JOIN transfers_transfer transfer ON transfer.id = named.id
            WHERE is_atomic AND transfer.status IS DISTINCT FROM 'completed'
        """,  # noqa: S608 - built from constants
    },
)

ENTRIES = Section(
    name="entries of transfers",
    table="ledger_journalentry",
    rules={
        "the entry of a transfer has its transfer (I5)": """
            SELECT event.key, 'its event tells of a transfer that is not there' FROM events_event event
            WHERE event.key = ANY(%(ids)s) AND event.type = 'transfer.completed'
              AND NOT EXISTS (SELECT FROM transfers_transfer WHERE id = event.key)
        """,
    },
)
