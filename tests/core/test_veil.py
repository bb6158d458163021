"""Veiled numbers: each comes back, and none tells of its neighbours."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from core.veil import unveil, veil


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_a_number_comes_back(number: int) -> None:
    assert unveil(veiled=veil(number=number)) == number


def test_neighbours_have_nothing_in_common() -> None:
    veiled = [int.from_bytes(veil(number=number)) for number in range(1_000)]

    differing = [(one ^ other).bit_count() for one, other in pairwise(veiled)]

    assert 28 < sum(differing) / len(differing) < 36, "about half of the 64 bits differ from one to the next"


def test_another_key_veils_otherwise(settings: Settings) -> None:
    ours = veil(number=1)

    settings.PII_INDEX_KEY = "0" * 64

    assert veil(number=1) != ours


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1])
def test_a_veiled_number_has_eight_bytes(number: int) -> None:
    assert len(veil(number=number)) == 8
