"""Tables for spreadsheets: what somebody else wrote must not become a formula in them."""

import re

_FORMULA = re.compile(r"((?:^|[;|])[\s\"]*)([=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet would begin a formula: also in the midst of a cell, where it takes another separator for ours,
and then a quotation mark of the text for one of its own. The last four are the same signs as East Asian keyboards write
them."""


def guard_cell(text: str) -> str:
    """Return `text`, which somebody else wrote, so that no spreadsheet takes it for a formula: with a ' before it."""
    return _FORMULA.sub(r"\1'\2", text)
