"""Proof that payments and the books agree: rules that `verify_ledger` runs with its own, see apps.py."""

from ledger.chart import SETTLEMENT, SUSPENSE
from ledger.verification import Section
from transfers.payments.states import PAY_OUT

PAYMENTS = Section(
    name="payments",
    table="payments_payment",
    rules={
        "a payment's hold says what became of it": """
            SELECT payment.id, payment.status || ', its hold of ' || hold.amount || ' is ' || hold.status
            FROM payments_payment payment JOIN ledger_hold hold ON hold.id = payment.hold_id
            WHERE payment.id = ANY(%(ids)s)
              AND (hold.account_id, hold.reference, hold.amount, hold.captured_amount, hold.status)
                  IS DISTINCT FROM (
                      payment.debtor_account_id, payment.id, payment.amount,
                      CASE WHEN payment.completed_at IS NULL THEN 0 ELSE payment.amount END,
                      CASE WHEN payment.completed_at IS NOT NULL THEN 'captured'
                           WHEN payment.status = 'returned' THEN 'released' ELSE 'open' END
                  )
        """,
        "a completed payment is posted as it says": f"""
            SELECT payment.id, 'entry ' || payment.settlement_id
            FROM payments_payment payment
            WHERE payment.id = ANY(%(ids)s) AND payment.settlement_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM ledger_posting debit
                JOIN ledger_posting credit ON credit.entry_id = debit.entry_id
                JOIN ledger_ledgeraccount own ON own.id = credit.account_id AND own.chart_code = '{SETTLEMENT.code}'
                WHERE debit.entry_id = payment.settlement_id AND debit.account_id = payment.debtor_account_id
                  AND debit.side = -1 AND credit.side = 1
                  AND (debit.amount, debit.currency, credit.amount, credit.currency)
                      = (payment.amount, payment.currency, payment.amount, payment.currency)
            )
        """,  # noqa: S608 - built from constants
        "what came back of a completed payment was taken from settlement": f"""
            SELECT payment.id, 'entry ' || payment.return_entry_id
            FROM payments_payment payment
            WHERE payment.id = ANY(%(ids)s) AND payment.return_entry_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM ledger_posting posting
                JOIN ledger_ledgeraccount own ON own.id = posting.account_id AND own.chart_code = '{SETTLEMENT.code}'
                WHERE posting.entry_id = payment.return_entry_id AND posting.side = -1
                  AND (posting.amount, posting.currency) = (payment.amount, payment.currency)
            )
        """,  # noqa: S608 - built from constants
        "what is in review, or was stopped there, has its review and is not sent; all else is": """
            SELECT payment.id, payment.status || ', review ' || coalesce(review.status, 'none')
                   || CASE WHEN submission.payment_id IS NULL THEN ', not sent' ELSE ', sent' END
            FROM payments_payment payment
            LEFT JOIN antifraud_review review ON review.payment_id = payment.id
            LEFT JOIN payments_submission submission ON submission.payment_id = payment.id
            WHERE payment.id = ANY(%(ids)s) AND (
                (submission.payment_id IS NOT NULL) <> (coalesce(review.status, 'accepted') = 'accepted')
                OR review.id IS NULL AND (
                    payment.status = 'in_review' OR payment.failure_code IN ('rejected_by_antifraud', 'review_expired')
                )
            )
        """,
        "what left suspense went from there to its client, once and by two people (I10)": f"""
            SELECT payout.payment_id, 'entry ' || payout.entry_id
            FROM payments_payout payout
            JOIN payments_payment payment ON payment.id = payout.payment_id
            LEFT JOIN approvals_approval approval ON approval.id = payout.approval_id
            WHERE payout.payment_id = ANY(%(ids)s) AND (
                approval.status IS DISTINCT FROM 'approved' OR approval.operation <> '{PAY_OUT}'
                OR approval.subject <> payment.id::text OR approval.decided_by_id = approval.requested_by_id
                OR NOT EXISTS (
                    SELECT FROM ledger_posting debit
                    JOIN ledger_posting credit ON credit.entry_id = debit.entry_id AND credit.side = 1
                    JOIN ledger_ledgeraccount own ON own.id = debit.account_id AND own.chart_code = '{SUSPENSE.code}'
                    JOIN ledger_ledgeraccount other ON other.id = credit.account_id
                    WHERE debit.entry_id = payout.entry_id AND debit.side = -1 AND debit.amount = payment.amount
                      AND other.id = payout.account_id AND other.holder_id = payment.client_id
                )
            )
        """,  # noqa: S608 - built from constants
        "no payment was made that antifraud rejected": """
            SELECT payment.id, 'its judgement says ' || judgement.decision
            FROM payments_payment payment JOIN antifraud_judgement judgement ON judgement.id = payment.id
            WHERE payment.id = ANY(%(ids)s) AND judgement.decision = 'reject'
        """,
        "held, settled and returned are what was initiated": """
            SELECT currency, initiated || ' initiated, ' || accounted || ' held, settled or returned'
            FROM (
                SELECT payment.currency, sum(payment.amount) AS initiated,
                       sum(CASE WHEN hold.status IN ('open', 'released') THEN hold.amount ELSE 0 END
                           + coalesce(settled.amount, 0)) AS accounted
                FROM payments_payment payment
                LEFT JOIN ledger_hold hold ON hold.id = payment.hold_id
                LEFT JOIN ledger_posting settled ON settled.entry_id = payment.settlement_id
                    AND settled.account_id = payment.debtor_account_id AND settled.side = -1
                WHERE payment.id = ANY(%(ids)s) GROUP BY payment.currency
            ) sums WHERE initiated <> accounted
        """,
        "a payment has one event for each of its steps (I6)": """
            SELECT payment.id, count(event.seq) || ' events of ' || step.status
            FROM payments_payment payment
            LEFT JOIN antifraud_review review ON review.payment_id = payment.id
            CROSS JOIN LATERAL (
                VALUES ('in_review', review.opened_at),
                       ('held', CASE coalesce(review.status, '') WHEN '' THEN payment.created_at
                                WHEN 'accepted' THEN review.decided_at END),
                       ('submitted', payment.submitted_at),
                       ('completed', payment.completed_at), ('returned', payment.returned_at)
            ) step (status, taken_at)
            LEFT JOIN events_event event ON event.key = payment.id AND event.type = 'payment.' || step.status
            WHERE payment.id = ANY(%(ids)s)
            GROUP BY payment.id, step.status, step.taken_at
            HAVING count(event.seq) <> CASE WHEN step.taken_at IS NULL THEN 0 ELSE 1 END
        """,
    },
)
