"""The messages of ISO 20022 that the rail reads and writes, as text: no code of the bank, so that neither copies the
other's mistakes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4
from xml.etree import ElementTree

_SCHEMA = "urn:iso:std:iso:20022:tech:xsd:"
_TRANSFER = f"{{{_SCHEMA}pacs.008.001.08}}"


class MessageError(ValueError):
    """What came is no credit transfer that the rail understands."""


class Payment(NamedTuple):
    """What a pacs.008 orders; the amount is as it was written."""

    uetr: str
    end_to_end_id: str
    amount: str
    currency: str


class Booking(NamedTuple):
    """A movement of the bank's account."""

    reference: str
    uetr: str
    is_credit: bool
    amount: Decimal
    booked_at: datetime


def read_transfer(content: bytes) -> Payment:
    """Return the one payment of a pacs.008. Raises MessageError."""
    if b"<!DOCTYPE" in content:
        raise MessageError("a document type")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - without a document type there are no entities
    except ElementTree.ParseError as error:
        raise MessageError(str(error)) from error
    transactions = root.findall(f".//{_TRANSFER}CdtTrfTxInf")
    if len(transactions) != 1:
        raise MessageError("not one payment")
    [transaction] = transactions
    amount = transaction.find(f"{_TRANSFER}IntrBkSttlmAmt")
    uetr = transaction.findtext(f"{_TRANSFER}PmtId/{_TRANSFER}UETR")
    end_to_end_id = transaction.findtext(f"{_TRANSFER}PmtId/{_TRANSFER}EndToEndId")
    if amount is None or not amount.text or not uetr or not end_to_end_id:
        raise MessageError("no amount, or no name")
    return Payment(uetr, end_to_end_id, amount.text, amount.attrib["Ccy"])


def write_status(payment: Payment, status: str, *, reason: str = "", at: datetime) -> str:
    """Return a pacs.002."""
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return _write(
        "pacs.002.001.10",
        f"<FIToFIPmtStsRpt><GrpHdr><MsgId>{_make_id()}</MsgId><CreDtTm>{_moment(at)}</CreDtTm></GrpHdr><TxInfAndSts>"
        f"<OrgnlEndToEndId>{payment.end_to_end_id}</OrgnlEndToEndId><OrgnlUETR>{payment.uetr}</OrgnlUETR>"
        f"<TxSts>{status}</TxSts>{why}</TxInfAndSts></FIToFIPmtStsRpt>",
    )


def write_return(payment: Payment, *, reason: str, at: datetime) -> str:
    """Return a pacs.004."""
    amount = f'Ccy="{payment.currency}">{payment.amount}'
    return _write(
        "pacs.004.001.09",
        f"<PmtRtr><GrpHdr><MsgId>{_make_id()}</MsgId><CreDtTm>{_moment(at)}</CreDtTm><NbOfTxs>1</NbOfTxs>"
        "<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr><TxInf>"
        f"<OrgnlEndToEndId>{payment.end_to_end_id}</OrgnlEndToEndId><OrgnlUETR>{payment.uetr}</OrgnlUETR>"
        f"<RtrdIntrBkSttlmAmt {amount}</RtrdIntrBkSttlmAmt><IntrBkSttlmDt>{at:%Y-%m-%d}</IntrBkSttlmDt>"
        f"<RtrRsnInf><Rsn><Cd>{reason}</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>",
    )


def write_statement(day: date, currency: str, *, opening: Decimal, bookings: Sequence[Booking], now: datetime) -> str:
    """Return a camt.053 of a day (UTC), as far as it is over."""
    begins_at = datetime.combine(day, time(), UTC)
    ends_at = min(begins_at + timedelta(days=1), now)
    closing = opening + sum(each.amount if each.is_credit else -each.amount for each in bookings)
    name = f"{day}-{currency}-{now:%H%M%S%f}"
    return _write(
        "camt.053.001.08",
        f"<BkToCstmrStmt><GrpHdr><MsgId>{name}</MsgId><CreDtTm>{_moment(now)}</CreDtTm></GrpHdr><Stmt><Id>{name}</Id>"
        f"<FrToDt><FrDtTm>{_moment(begins_at)}</FrDtTm><ToDtTm>{_moment(ends_at)}</ToDtTm></FrToDt>"
        f"<Acct><Id><Othr><Id>SETTLEMENT</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>"
        f"{_balance('OPBD', opening, currency, day)}{_balance('CLBD', closing, currency, day)}"
        f"{''.join(_entry(each, currency) for each in bookings)}</Stmt></BkToCstmrStmt>",
    )


def _balance(code: str, amount: Decimal, currency: str, day: date) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{abs(amount):f}</Amt>'
        f"<CdtDbtInd>{'DBIT' if amount < 0 else 'CRDT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(booking: Booking, currency: str) -> str:
    return (
        f'<Ntry><Amt Ccy="{currency}">{booking.amount:f}</Amt>'
        f"<CdtDbtInd>{'CRDT' if booking.is_credit else 'DBIT'}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><DtTm>{_moment(booking.booked_at)}</DtTm></BookgDt><AcctSvcrRef>{booking.reference}</AcctSvcrRef>"
        "<BkTxCd><Prtry><Cd>payment</Cd></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><UETR>{booking.uetr}</UETR></Refs></TxDtls></NtryDtls></Ntry>"
    )


def _write(schema: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{_SCHEMA}{schema}">{content}</Document>'


def _make_id() -> str:
    return uuid4().hex


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
