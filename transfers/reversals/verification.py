"""Proof that reversals and the books agree: rules that `verify_ledger` runs with its own, see apps.py."""

from ledger.verification import Section

REVERSALS = Section(
    name="reversals of transfers",
    table="transfers_transfer",
    rules={
        "a reversal was booked as the mirror image of its transfer (I2)": """
            SELECT reversal.transfer_id, 'entry ' || reversal.entry_id
            FROM reversals_reversal reversal JOIN transfers_transfer transfer ON transfer.id = reversal.transfer_id
            LEFT JOIN ledger_journalentry entry ON entry.id = reversal.entry_id
            WHERE reversal.transfer_id = ANY(%(ids)s) AND (
                transfer.status <> 'completed' OR entry.reversal_of_id IS DISTINCT FROM transfer.id
                OR NOT EXISTS (
                    SELECT FROM ledger_posting
                    WHERE entry_id = entry.id AND side = 1 AND amount = transfer.amount
                      AND (transfer.debtor_account_id IS NULL OR account_id = transfer.debtor_account_id)
                )
            )
        """,
        "a reversal was approved by somebody else (I10)": """
            SELECT reversal.transfer_id, 'approval ' || reversal.approval_id
            FROM reversals_reversal reversal LEFT JOIN approvals_approval approval ON approval.id = reversal.approval_id
            WHERE reversal.transfer_id = ANY(%(ids)s) AND (
                approval.status IS DISTINCT FROM 'approved' OR approval.operation <> 'transfers.reverse'
                OR approval.subject <> reversal.transfer_id::text OR approval.decided_by_id = approval.requested_by_id
            )
        """,
        "a reversal has its event (I6)": """
            SELECT reversal.transfer_id, 'no event tells of it' FROM reversals_reversal reversal
            WHERE reversal.transfer_id = ANY(%(ids)s) AND NOT EXISTS (
                SELECT FROM events_event WHERE key = reversal.transfer_id AND type = 'transfer.reversed'
            )
        """,
    },
)
