"""The rail's statement of the bank's account (camt.053.001.08)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from pyiso20022.camt import camt_053_001_08 as camt
from xsdata.models.datatype import XmlDateTime

from core.errors import InvalidAmountError, InvalidInputError
from core.money import parse_amount
from transfers.rails.iso20022.documents import InvalidMessageError, read_document


class StatedMovement(NamedTuple):
    """A movement of the account; `is_credit` if the rail owes the bank more by it. `amount` is in minor units."""

    reference: str
    booked_at: datetime
    uetr: UUID | None
    is_credit: bool
    amount: int


class RailAccountStatement(NamedTuple):
    """What the rail owed the bank before and after the movements, in minor units; negative if the bank owed it."""

    currency: str
    begins_at: datetime
    ends_at: datetime
    opening: int
    closing: int
    movements: list[StatedMovement]


def parse_statement(*, content: bytes, max_bytes: int) -> RailAccountStatement:
    """Return what a camt.053 of one account says. Raises InvalidMessageError, also where it does not add up."""
    report = read_document(content=content, kind=camt.Document, max_bytes=max_bytes).bk_to_cstmr_stmt
    if len(report.stmt) != 1:
        raise InvalidMessageError("The message holds other than one statement.")
    [statement] = report.stmt
    currency = statement.acct.ccy or ""
    if statement.fr_to_dt is None:
        raise InvalidMessageError("The statement has no period.")
    balances = dict(_read_balances(statement, currency))
    if balances.keys() < {"OPBD", "CLBD"}:
        raise InvalidMessageError("The statement lacks its opening or its closing balance.")
    movements = [_read_movement(entry, currency) for entry in statement.ntry]
    opening, closing = balances["OPBD"], balances["CLBD"]
    if opening + sum(each.amount if each.is_credit else -each.amount for each in movements) != closing:
        raise InvalidMessageError("The statement's movements do not lead from its opening to its closing balance.")
    begins_at, ends_at = _read_moment(statement.fr_to_dt.fr_dt_tm), _read_moment(statement.fr_to_dt.to_dt_tm)
    return RailAccountStatement(currency, begins_at, ends_at, opening, closing, movements)


def _read_balances(statement: Any, currency: str) -> Iterator[tuple[str, int]]:
    for balance in statement.bal:
        amount = _read_amount(balance.amt, currency)
        code = balance.tp.cd_or_prtry.cd or ""
        yield code, amount if balance.cdt_dbt_ind == camt.CreditDebitCode.CRDT else -amount


def _read_movement(entry: Any, currency: str) -> StatedMovement:
    if not entry.acct_svcr_ref or entry.bookg_dt is None or entry.bookg_dt.dt_tm is None:
        raise InvalidMessageError("A movement has no reference, or no moment.")
    transactions = [each for details in entry.ntry_dtls for each in details.tx_dtls]
    if len(transactions) != 1:
        raise InvalidMessageError("A movement is of other than one payment.")
    refs = transactions[0].refs
    return StatedMovement(
        reference=entry.acct_svcr_ref,
        booked_at=_read_moment(entry.bookg_dt.dt_tm),
        uetr=UUID(refs.uetr) if refs is not None and refs.uetr else None,
        is_credit=entry.cdt_dbt_ind == camt.CreditDebitCode.CRDT,
        amount=_read_amount(entry.amt, currency),
    )


def _read_amount(given: Any, currency: str) -> int:
    if given.ccy != currency:
        raise InvalidMessageError("The statement mixes currencies.")
    if given.value == Decimal(0):
        return 0
    try:
        return parse_amount(format(given.value, "f"), currency)
    except (InvalidAmountError, InvalidInputError) as error:
        raise InvalidMessageError("An amount is none of its currency.") from error


def _read_moment(moment: XmlDateTime) -> datetime:
    """Return a moment; one without an offset could be any."""
    at: datetime = moment.to_datetime()
    if at.tzinfo is None:
        raise InvalidMessageError("A moment has no offset from UTC.")
    return at.astimezone(UTC)
