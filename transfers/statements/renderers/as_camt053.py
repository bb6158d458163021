"""A statement as camt.053.001.08 (ISO 20022), the version that payment schemes and accounting programs agree on.

It is written as text, line by line: to serialize objects of the schema's classes, all entries would have to be in
memory at once. The tests read what is written into those classes and hold it against their rules.
"""

from datetime import UTC, date, datetime
from typing import IO
from uuid import UUID

from django.conf import settings

from accounts.states import CreditDebit
from core.money import format_amount
from transfers.statements.renderers.text import clean_xml
from transfers.statements.selectors import Counterparty, Entry, Statement, Total
from transfers.statements.states import EntryKind

_MARKS = {CreditDebit.CREDIT: "CRDT", CreditDebit.DEBIT: "DBIT"}

_MAX_ACCOUNT_NAME = 70

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>{id}</MsgId><CreDtTm>{made_at}</CreDtTm></GrpHdr>
<Stmt><Id>{id}</Id><CreDtTm>{made_at}</CreDtTm>
<FrToDt><FrDtTm>{begins_at}</FrDtTm><ToDtTm>{ends_at}</ToDtTm></FrToDt>
<Acct><Id><Othr><Id>{number}</Id></Othr></Id><Ccy>{currency}</Ccy><Nm>{name}</Nm>
<Ownr><Nm>{holder}</Nm></Ownr><Svcr><FinInstnId><Nm>{bank}</Nm></FinInstnId></Svcr></Acct>
"""
_TAIL = """<AddtlStmtInf>{note}</AddtlStmtInf></Stmt>
</BkToCstmrStmt></Document>
"""
_NOTES = {True: "Final", False: "Not final: entries may still be booked in this period"}


def write_camt053(*, statement: Statement, out: IO[bytes]) -> None:
    """Write the message."""
    facts = {name: clean_xml(text) for name, text in _list_facts(statement).items()}
    out.write(_HEAD.format(**facts).encode())
    out.write(_make_balances(statement).encode())
    out.write(_make_summary(statement).encode())
    for entry in statement.read_entries():
        out.write(_make_entry(entry, statement.currency).encode())
    out.write(_TAIL.format(**facts).encode())


def _list_facts(statement: Statement) -> dict[str, str]:
    account, period = statement.account, statement.period
    return {
        "id": f"{account.number}-{statement.made_at:%Y%m%d%H%M%S%f}",
        "made_at": _format_moment(statement.made_at),
        "begins_at": _format_moment(period.begins_at),
        "ends_at": _format_moment(period.ends_at),
        "number": account.number,
        "currency": statement.currency,
        "name": f"{account.get_kind_display()} {account.number}"[:_MAX_ACCOUNT_NAME],
        "holder": statement.holder,
        "bank": settings.BANK_NAME,
        "note": _NOTES[statement.is_final],
    }


def _format_moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _make_balances(statement: Statement) -> str:
    period = statement.period
    opening = _make_balance("OPBD", statement.opening, period.first_date, statement.currency)
    return opening + _make_balance("CLBD", statement.closing, period.last_date, statement.currency)


def _make_balance(code: str, balance: int, day: date, currency: str) -> str:
    mark = _MARKS[CreditDebit.DEBIT if balance < 0 else CreditDebit.CREDIT]
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_make_amount(abs(balance), currency)}"
        f"<CdtDbtInd>{mark}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _make_summary(statement: Statement) -> str:
    incoming, outgoing = statement.credits, statement.debits
    return (
        f"<TxsSummry><TtlNtries><NbOfNtries>{incoming.entries + outgoing.entries}</NbOfNtries></TtlNtries>"
        f"<TtlCdtNtries>{_make_total(incoming, statement.currency)}</TtlCdtNtries>"
        f"<TtlDbtNtries>{_make_total(outgoing, statement.currency)}</TtlDbtNtries></TxsSummry>\n"
    )


def _make_total(total: Total, currency: str) -> str:
    return f"<NbOfNtries>{total.entries}</NbOfNtries><Sum>{format_amount(total.amount, currency)}</Sum>"


def _make_entry(entry: Entry, currency: str) -> str:
    reversal = "<RvslInd>true</RvslInd>" if entry.kind == EntryKind.REVERSAL else ""
    return (
        f"<Ntry><NtryRef>{entry.version}</NtryRef>{_make_amount(entry.amount, currency)}"
        f"<CdtDbtInd>{_MARKS[entry.direction]}</CdtDbtInd>{reversal}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{entry.booking_date}</Dt></BookgDt><ValDt><Dt>{entry.value_date}</Dt></ValDt>"
        f"<AcctSvcrRef>{entry.entry_id.hex}</AcctSvcrRef>"
        f"<BkTxCd><Prtry><Cd>{entry.kind.value}</Cd></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls>{_make_references(entry.transfer_id)}{_make_parties(entry)}{_make_remittance(entry)}"
        "</TxDtls></NtryDtls></Ntry>\n"
    )


def _make_references(transfer_id: UUID | None) -> str:
    """Return the transfer's id without its hyphens, with which it would be one character too long."""
    return f"<Refs><EndToEndId>{transfer_id.hex}</EndToEndId></Refs>" if transfer_id else ""


def _make_parties(entry: Entry) -> str:
    """Return the other party, in the place of the one who paid, or who was paid."""
    if entry.counterparty is None:
        return ""
    return f"<RltdPties>{_make_party(entry.counterparty, 'Dbtr' if _came_in(entry) else 'Cdtr')}</RltdPties>"


def _came_in(entry: Entry) -> bool:
    """Tell whether the other party is the debtor: of what was undone, it was the other way round."""
    return (entry.direction == CreditDebit.CREDIT) != (entry.kind == EntryKind.REVERSAL)


def _make_party(party: Counterparty, place: str) -> str:
    name = f"<{place}><Pty><Nm>{clean_xml(party.name)}</Nm></Pty></{place}>"
    account = f"<{place}Acct><Id>{_identify(party.number)}</Id></{place}Acct>" if party.number else ""
    return name + account


def _identify(number: str) -> str:
    """Return the account's number as an IBAN if it is one: only that begins with letters, its country's."""
    return f"<IBAN>{number}</IBAN>" if number[0].isalpha() else f"<Othr><Id>{number}</Id></Othr>"


def _make_remittance(entry: Entry) -> str:
    text = clean_xml(entry.remittance_information)
    return f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>" if text else ""


def _make_amount(amount: int, currency: str) -> str:
    return f'<Amt Ccy="{currency}">{format_amount(amount, currency)}</Amt>'
