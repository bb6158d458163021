"""Who is paid at another bank: by IBAN, or by bank, branch and account as in Brazil."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from core.errors import InvalidInputError
from core.text import clean_line

MAX_NAME_LENGTH = 140

_DOMESTIC = ("bank", "branch", "account")
_ACCOUNT = re.compile(r"([0-9]{1,12})-?([0-9Xx])")
_BANK = re.compile(r"[0-9]{3}|[0-9]{8}")
_BRANCH = re.compile(r"[0-9]{4}")


class Creditor(NamedTuple):
    """A name, with either an IBAN in its compact form, or bank, branch and account.

    A bank is the three digits of its COMPE code or the eight of its ISPB. An account ends in its check digit, set apart
    by a hyphen; every bank computes it in a way of its own, so only its form is known here.
    """

    name: str
    iban: str | None = None
    bank: str = ""
    branch: str | None = None
    account: str | None = None


def parse_creditor(*, given: Mapping[str, str | None]) -> Creditor:
    """Return the creditor with the `name` and the account that are given, each part in its normal form.

    Raises InvalidInputError, by field, unless there is a name and exactly one whole form of account.
    """
    parts = {field: text for field, text in given.items() if text is not None}
    name = clean_line(parts.get("name", ""), field="name", max_length=MAX_NAME_LENGTH)
    if "iban" in parts:
        _refuse_if({field: "Give either an IBAN or bank, branch and account." for field in _DOMESTIC if field in parts})
        return Creditor(name, iban=_parse_iban(parts["iban"]))
    if not parts.keys() & set(_DOMESTIC):
        raise InvalidInputError(errors={"iban": ["Give an IBAN, or bank, branch and account."]})
    _refuse_if({field: "Bank, branch and account belong together." for field in _DOMESTIC if field not in parts})
    return Creditor(name, **_parse_domestic(parts))


def _parse_iban(text: str) -> str:
    """Return the IBAN without spaces. Raises InvalidInputError for a wrong country, structure or check digits."""
    try:
        if not text.isascii():
            raise ValueError("An IBAN is of ASCII letters and digits.")
        return str(IBAN(text).compact)
    except (SchwiftyException, ValueError):
        raise InvalidInputError(errors={"iban": ["This is no valid IBAN."]}) from None


def _parse_domestic(parts: Mapping[str, str]) -> dict[str, str]:
    account = _ACCOUNT.fullmatch(parts["account"])
    is_bank = _BANK.fullmatch(parts["bank"]) and parts["bank"] != "000"
    _refuse_if(
        ({} if is_bank else {"bank": "Give the three digits of a COMPE code or the eight of an ISPB."})
        | ({} if _BRANCH.fullmatch(parts["branch"]) else {"branch": "Give the branch's four digits."})
        | ({} if account else {"account": "Give the account with its check digit, such as 12345-6."})
    )
    number, check_digit = account.groups() if account else ("", "")
    return {"bank": parts["bank"], "branch": parts["branch"], "account": f"{number}-{check_digit.upper()}"}


def _refuse_if(errors: Mapping[str, str]) -> None:
    if errors:
        raise InvalidInputError(errors={field: [message] for field, message in errors.items()})
