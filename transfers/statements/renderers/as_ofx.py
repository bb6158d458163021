"""A statement as OFX 2.1.1, which programs for households and small firms import."""

from datetime import UTC, date, datetime
from typing import IO

from django.conf import settings

from accounts.states import CreditDebit, CustomerAccountKind
from core.money import format_amount
from transfers.statements.renderers.text import clean_xml
from transfers.statements.selectors import Entry, Statement
from transfers.statements.states import EntryKind

_ACCOUNT_TYPES = {CustomerAccountKind.CHECKING: "CHECKING", CustomerAccountKind.SAVINGS: "SAVINGS"}
_TYPES = {
    EntryKind.DEPOSIT: "DEP",
    EntryKind.WITHDRAWAL: "CASH",
    EntryKind.TRANSFER: "XFER",
    EntryKind.PAYMENT: "PAYMENT",
}
"""Of what is not here, the direction is the type."""

_MAX_NAME = 32

_HEAD = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
<OFX>
<SIGNONMSGSRSV1><SONRS>
<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>
<DTSERVER>{made_at}</DTSERVER><LANGUAGE>ENG</LANGUAGE>
<FI><ORG>{bank}</ORG><FID>{bank_id}</FID></FI>
</SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS>
<TRNUID>0</TRNUID>
<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>
<STMTRS>
<CURDEF>{currency}</CURDEF>
<BANKACCTFROM><BANKID>{bank_id}</BANKID><ACCTID>{number}</ACCTID><ACCTTYPE>{kind}</ACCTTYPE></BANKACCTFROM>
<BANKTRANLIST>
<DTSTART>{first_day}</DTSTART><DTEND>{last_day}</DTEND>
"""
_TAIL = """</BANKTRANLIST>
<LEDGERBAL><BALAMT>{closing}</BALAMT><DTASOF>{last_day}</DTASOF></LEDGERBAL>
</STMTRS>
</STMTTRNRS></BANKMSGSRSV1>
</OFX>
"""


def write_ofx(*, statement: Statement, out: IO[bytes]) -> None:
    """Write the file. It has no place for the opening balance, which follows from the closing one."""
    facts = {name: clean_xml(text) for name, text in _list_facts(statement).items()}
    out.write(_HEAD.format(**facts).encode())
    for entry in statement.read_entries():
        out.write(_make_transaction(entry, statement.currency).encode())
    out.write(_TAIL.format(**facts).encode())


def _list_facts(statement: Statement) -> dict[str, str]:
    return {
        "made_at": _format_moment(statement.made_at),
        "bank": settings.BANK_NAME[:_MAX_NAME],
        "bank_id": settings.BANK_CODE,
        "currency": statement.currency,
        "number": statement.account.number,
        "kind": _ACCOUNT_TYPES[CustomerAccountKind(statement.account.kind)],
        "first_day": _format_day(statement.period.first_date),
        "last_day": _format_day(statement.period.last_date),
        "closing": format_amount(statement.closing, statement.currency),
    }


def _make_transaction(entry: Entry, currency: str) -> str:
    is_credit = entry.direction == CreditDebit.CREDIT
    amount = format_amount(entry.amount if is_credit else -entry.amount, currency)
    kind = _TYPES.get(entry.kind, "CREDIT" if is_credit else "DEBIT")
    name = clean_xml((entry.counterparty.name if entry.counterparty else entry.kind.label)[:_MAX_NAME])
    memo = clean_xml(entry.remittance_information)
    return (
        f"<STMTTRN><TRNTYPE>{kind}</TRNTYPE><DTPOSTED>{_format_day(entry.booking_date)}</DTPOSTED>"
        f"<DTAVAIL>{_format_day(entry.value_date)}</DTAVAIL><TRNAMT>{amount}</TRNAMT><FITID>{entry.version}</FITID>"
        f"<NAME>{name}</NAME>{f'<MEMO>{memo}</MEMO>' if memo else ''}</STMTTRN>\n"
    )


def _format_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S[0:GMT]")


def _format_day(day: date) -> str:
    """Return noon of `day`, since programs take a day for its midnight in Greenwich: west of it, the day before."""
    return f"{day:%Y%m%d}120000"
