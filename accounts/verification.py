"""Proof that blocks agree with the books: a rule that `verify_ledger` runs with its own, see accounts/apps.py.

A trigger refuses a block that disagrees (accounts/models.py). The books know nothing of blocks, so that somebody
changed their flags alone is found here.
"""

from ledger.verification import Section

BLOCKS = Section(
    name="blocks of accounts",
    table="accounts_account",
    rules={
        "an account refuses what its blocks say": """
            SELECT account.id, account.status
                   || ', debits refused ' || books.refuses_debits || ', by blocks ' || refused.debits
                   || '; credits refused ' || books.refuses_credits || ', by blocks ' || refused.credits
            FROM accounts_account account
            JOIN ledger_ledgeraccount books ON books.id = account.id
            CROSS JOIN LATERAL (
                SELECT coalesce(bool_or(scope <> 'credits'), false) AS debits,
                       coalesce(bool_or(scope <> 'debits'), false) AS credits
                FROM accounts_accountblock WHERE account_id = account.id AND lifted_at IS NULL
            ) refused
            WHERE account.id = ANY(%(ids)s) AND account.status <> 'inactive'
              AND ((books.refuses_debits, books.refuses_credits) <> (refused.debits, refused.credits)
                   OR (account.status = 'blocked') <> (refused.debits OR refused.credits))
        """,
    },
)
