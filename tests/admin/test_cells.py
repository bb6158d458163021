"""How values are shown."""

import re
from datetime import UTC, datetime

import pytest
from django.utils.html import strip_tags

from core.admin.cells import show_amount, show_json, show_moment


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (0, "BRL", "0.00 BRL"),
        (1_000_050, "BRL", "10,000.50 BRL"),
        (-5, "BRL", "-0.05 BRL"),
        (-123_456_789, "BRL", "-1,234,567.89 BRL"),
        (1_234_567, "JPY", "1,234,567 JPY"),
        (1_234_567, "KWD", "1,234.567 KWD"),
        (10**18, "BRL", "10,000,000,000,000,000.00 BRL"),
    ],
)
def test_an_amount_is_exact_and_grouped_by_thousands(amount: int, currency: str, shown: str) -> None:
    assert strip_tags(show_amount(amount, currency)) == shown


def test_a_moment_is_shown_where_the_bank_is() -> None:
    assert strip_tags(show_moment(datetime(2026, 1, 1, 1, 30, tzinfo=UTC))) == "2025-12-31 22:30:00"


def test_a_document_cannot_bring_its_own_markup() -> None:
    assert not re.search("<script", show_json({"reason": "<script>alert(1)</script>"}))
