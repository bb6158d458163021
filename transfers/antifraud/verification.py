"""Proof that reviews agree with what was ordered and with the books: rules that `verify_ledger` runs, see apps.py."""

from ledger.verification import Section

REVIEWS = Section(
    name="orders in review",
    table="antifraud_review",
    rules={
        "a review says what became of its transfer": """
            SELECT review.id, review.status || ', the transfer is ' || transfer.status
            FROM antifraud_review review JOIN transfers_transfer transfer ON transfer.id = review.transfer_id
            WHERE review.id = ANY(%(ids)s)
              AND (transfer.status, transfer.failure_code) IS DISTINCT FROM (
                  CASE review.status WHEN 'open' THEN 'in_review' WHEN 'accepted' THEN 'completed' ELSE 'failed' END,
                  CASE review.status WHEN 'rejected' THEN 'rejected_by_antifraud'
                                     WHEN 'expired' THEN 'review_expired' ELSE '' END
              )
        """,
        "a review says what became of its payment": """
            SELECT review.id, review.status || ', the payment is ' || payment.status || ' ' || payment.failure_code
            FROM antifraud_review review JOIN payments_payment payment ON payment.id = review.payment_id
            WHERE review.id = ANY(%(ids)s) AND (review.hold_id, review.status) IS DISTINCT FROM (
                payment.hold_id,
                CASE WHEN payment.status = 'in_review' THEN 'open'
                     WHEN payment.failure_code = 'rejected_by_antifraud' THEN 'rejected'
                     WHEN payment.failure_code = 'review_expired' THEN 'expired' ELSE 'accepted' END
            )
        """,
        "the hold of a review keeps its transfer's amount until it is decided": """
            SELECT review.id, review.status || ', its hold of ' || hold.amount || ' is ' || hold.status
            FROM antifraud_review review
            JOIN transfers_transfer transfer ON transfer.id = review.transfer_id
            JOIN ledger_hold hold ON hold.id = review.hold_id
            WHERE review.id = ANY(%(ids)s)
              AND (hold.account_id, hold.reference, hold.amount, hold.captured_amount, hold.status)
                  IS DISTINCT FROM (
                      transfer.debtor_account_id, transfer.id, transfer.amount,
                      CASE review.status WHEN 'accepted' THEN transfer.amount ELSE 0 END,
                      CASE review.status WHEN 'open' THEN 'open' WHEN 'accepted' THEN 'captured' ELSE 'released' END
                  )
        """,
        "a review is judged, by another than who ordered it": """
            SELECT review.id, coalesce('decided by ' || review.decided_by_id, 'no judgement says review')
            FROM antifraud_review review
            LEFT JOIN antifraud_judgement judgement ON judgement.id = review.id
            WHERE review.id = ANY(%(ids)s)
              AND (judgement.decision IS DISTINCT FROM 'review' OR review.decided_by_id = review.initiated_by_id)
        """,
        "a review has its events (I6)": """
            SELECT review.id, count(event.seq) || ' events of ' || told.type
            FROM antifraud_review review
            CROSS JOIN LATERAL (
                SELECT CASE WHEN review.payment_id IS NULL THEN 'transfer' ELSE 'payment' END || '.in_review' AS type
                UNION ALL SELECT 'fraud.suspected'
                UNION ALL SELECT 'fraud.reviewed' WHERE review.status <> 'open'
            ) told
            LEFT JOIN events_event event ON event.key = review.id AND event.type = told.type
            WHERE review.id = ANY(%(ids)s)
            GROUP BY review.id, told.type HAVING count(event.seq) <> 1
        """,
    },
)
