"""What the rail reports of a payment: its status (pacs.002.001.10), or that it came back (pacs.004.001.09)."""

from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from pyiso20022.pacs import pacs_002_001_10, pacs_004_001_09

from core.errors import InvalidAmountError, InvalidInputError
from core.money import parse_amount
from transfers.rails.iso20022.documents import InvalidMessageError, find_schema, read_document

_STATUS_SCHEMA = "urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"
_RETURN_SCHEMA = "urn:iso:std:iso:20022:tech:xsd:pacs.004.001.09"


class ReportedStatus(StrEnum):
    """What became of a payment, in the rail's words."""

    ACCEPTED = "accepted"
    """The rail has it, and will carry it out or say otherwise."""
    SETTLED = "settled"
    REJECTED = "rejected"
    """It was not carried out, and never will be."""
    RETURNED = "returned"
    """It was carried out, and the money has come back."""


_STATUSES = {
    "RCVD": ReportedStatus.ACCEPTED,
    "PDNG": ReportedStatus.ACCEPTED,
    "ACTC": ReportedStatus.ACCEPTED,
    "ACCP": ReportedStatus.ACCEPTED,
    "ACSP": ReportedStatus.ACCEPTED,
    "ACSC": ReportedStatus.SETTLED,
    "ACCC": ReportedStatus.SETTLED,
    "RJCT": ReportedStatus.REJECTED,
}
_REASONS = {
    "AC01": "account_unknown",
    "AC03": "account_unknown",
    "AC04": "account_closed",
    "AC06": "account_blocked",
    "AG01": "not_permitted",
    "AM05": "duplicate",
    "BE01": "name_mismatch",
    "FOCR": "recalled",
    "MS03": "not_specified",
}
"""What clients are told in place of the rail's codes; of others, the code itself."""


class Report(NamedTuple):
    """What a message says of a payment. `amount`, in minor units, and `currency` are those of what came back."""

    message_id: str
    uetr: UUID
    status: ReportedStatus
    reason: str = ""
    amount: int = 0
    currency: str = ""


def parse_report(*, content: bytes) -> Report:
    """Return what a pacs.002 or a pacs.004 says. Raises InvalidMessageError unless it is one, of one payment."""
    schema = find_schema(content=content)
    if schema == _STATUS_SCHEMA:
        return parse_status(content=content)
    if schema == _RETURN_SCHEMA:
        return parse_return(content=content)
    raise InvalidMessageError(f"Nobody expects a {schema.rpartition(':')[2]} here.")


def parse_status(*, content: bytes) -> Report:
    """Return what a pacs.002 says. Raises InvalidMessageError."""
    report = read_document(content=content, kind=pacs_002_001_10.Document).fito_fipmt_sts_rpt
    transaction = _get_only(report.tx_inf_and_sts)
    status = _STATUSES.get(transaction.tx_sts or "")
    if status is None:
        raise InvalidMessageError(f"The status {transaction.tx_sts} is none that the bank knows.")
    reason = _name_reason(transaction.sts_rsn_inf) if status == ReportedStatus.REJECTED else ""
    return Report(report.grp_hdr.msg_id, _read_uetr(transaction), status, reason)


def parse_return(*, content: bytes) -> Report:
    """Return what a pacs.004 says. Raises InvalidMessageError."""
    report = read_document(content=content, kind=pacs_004_001_09.Document).pmt_rtr
    transaction = _get_only(report.tx_inf)
    returned = transaction.rtrd_intr_bk_sttlm_amt
    try:
        amount = parse_amount(format(returned.value, "f"), returned.ccy)
    except (InvalidAmountError, InvalidInputError) as error:
        raise InvalidMessageError("The returned amount is none.") from error
    reason = _name_reason(transaction.rtr_rsn_inf)
    status = ReportedStatus.RETURNED
    return Report(report.grp_hdr.msg_id, _read_uetr(transaction), status, reason, amount, returned.ccy)


def _get_only(transactions: list[Any]) -> Any:
    if len(transactions) != 1:
        raise InvalidMessageError(f"The message is about {len(transactions)} payments, not one.")
    return transactions[0]


def _read_uetr(transaction: Any) -> UUID:
    if transaction.orgnl_uetr is None:
        raise InvalidMessageError("The message does not name its payment by its UETR.")
    return UUID(transaction.orgnl_uetr)


def _name_reason(reasons: list[Any]) -> str:
    """Return why, as a code of small letters, digits and underscores."""
    code = next((each.rsn.cd for each in reasons if each.rsn is not None and each.rsn.cd), None)
    if code is None:
        return "not_specified"
    fallback = f"rail_{code.lower()}" if code.isascii() and code.isalnum() else "not_specified"
    return _REASONS.get(code, fallback)
