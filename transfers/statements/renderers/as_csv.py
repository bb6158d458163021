"""A statement as a table for spreadsheets.

It begins with a byte order mark, without which Excel takes UTF-8 for another encoding; programs that read many
statements have JSON and camt.053. The first and the last row are the balances.
"""

import csv
from io import TextIOWrapper
from typing import IO

from core.money import format_amount
from core.spreadsheets import guard_cell
from transfers.statements.selectors import Entry, Statement

_COLUMNS = (
    "kind",
    "booking_date",
    "value_date",
    "credit_debit_indicator",
    "amount",
    "balance_after",
    "currency",
    "counterparty_name",
    "counterparty_number",
    "remittance_information",
    "transfer",
)


def write_csv(*, statement: Statement, out: IO[bytes]) -> None:
    """Write the table (RFC 4180)."""
    text = TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    table.writerow(_make_balance(statement, "opening_balance"))
    table.writerows(_make_row(entry, statement.currency) for entry in statement.read_entries())
    table.writerow(_make_balance(statement, "closing_balance"))
    text.detach()


def _make_balance(statement: Statement, name: str) -> tuple[object, ...]:
    is_opening = name == "opening_balance"
    day = statement.period.first_date if is_opening else statement.period.last_date
    balance = format_amount(statement.opening if is_opening else statement.closing, statement.currency)
    return (name, day, "", "", "", balance, statement.currency, "", "", "", "")


def _make_row(entry: Entry, currency: str) -> tuple[object, ...]:
    party = entry.counterparty
    return (
        entry.kind.value,
        entry.booking_date,
        entry.value_date,
        entry.direction.value,
        format_amount(entry.amount, currency),
        format_amount(entry.balance_after, currency),
        currency,
        guard_cell(party.name) if party else "",
        (party and party.number) or "",
        guard_cell(entry.remittance_information),
        entry.transfer_id or "",
    )
