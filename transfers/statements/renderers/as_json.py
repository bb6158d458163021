"""A statement as the API's own JSON."""

from typing import IO

import msgspec

from core.money import format_amount
from transfers.statements.selectors import Entry, Statement


def write_json(*, statement: Statement, out: IO[bytes]) -> None:
    """Write the whole answer, JSend's envelope with it, entry by entry: thousands are never in memory at once."""
    envelope = msgspec.json.encode({"status": "success", "data": _describe(statement)})
    out.write(envelope.removesuffix(b"}}") + b',"entries":[')
    separator = b""
    for entry in statement.read_entries():
        out.write(separator + msgspec.json.encode(_describe_entry(entry, statement.currency)))
        separator = b","
    out.write(b"]}}")


def _describe(statement: Statement) -> dict[str, object]:
    currency = statement.currency
    return {
        "account": statement.account.pk,
        "number": statement.account.number,
        "holder": statement.holder,
        "currency": currency,
        "from": statement.period.first_date,
        "to": statement.period.last_date,
        "made_at": statement.made_at,
        "is_final": statement.is_final,
        "opening_balance": format_amount(statement.opening, currency),
        "total_credits": format_amount(statement.credits.amount, currency),
        "total_debits": format_amount(statement.debits.amount, currency),
        "closing_balance": format_amount(statement.closing, currency),
    }


def _describe_entry(entry: Entry, currency: str) -> dict[str, object]:
    return {
        "version": entry.version,
        "kind": entry.kind,
        "booking_date": entry.booking_date,
        "value_date": entry.value_date,
        "credit_debit_indicator": entry.direction,
        "amount": format_amount(entry.amount, currency),
        "balance_after": format_amount(entry.balance_after, currency),
        "counterparty": entry.counterparty and entry.counterparty._asdict(),
        "remittance_information": entry.remittance_information,
        "transfer": entry.transfer_id,
    }
