"""Proof that the reports are whole: each rule is a query for what breaks it. It reads rows, and trusts no trigger."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection

GRACE = timedelta(minutes=10)
"""How long a report may take to be written: the consumer may be behind."""

_RULES = {
    "a completed transfer has a report (I9)": """
        SELECT transfer.id FROM transfers_transfer transfer
        WHERE transfer.completed_at < %(until)s
          AND NOT EXISTS (SELECT FROM regulatory_report WHERE transfer_id = transfer.id)
    """,
    "a report says what the transfer says (I9)": """
        SELECT report.transfer_id FROM regulatory_report report
        JOIN transfers_transfer transfer ON transfer.id = report.transfer_id
        WHERE (report.debtor_account_id, report.creditor_account_id) IS DISTINCT FROM
              (transfer.debtor_account_id, transfer.creditor_account_id)
           OR (report.amount, report.currency, report.completed_at) IS DISTINCT FROM
              (transfer.amount, transfer.currency, transfer.completed_at)
    """,
    "no report is of after its account's inactivation (I7)": """
        SELECT DISTINCT report.transfer_id FROM regulatory_report report
        CROSS JOIN LATERAL unnest(ARRAY[report.debtor_account_id, report.creditor_account_id]) party (id)
        JOIN accounts_account account ON account.id = party.id
        WHERE account.inactivated_at < report.completed_at
    """,
}


class Break(NamedTuple):
    """A rule, and the transfer whose report breaks it."""

    rule: str
    transfer_id: UUID


def verify_reports(*, now: datetime) -> list[Break]:
    """Return what is wrong with the reports of all transfers that were completed GRACE before `now`."""
    breaks: list[Break] = []
    with connection.cursor() as cursor:
        for rule, query in _RULES.items():
            cursor.execute(query, {"until": now - GRACE})
            breaks += [Break(rule, transfer_id) for (transfer_id,) in cursor.fetchall()]
    return breaks
