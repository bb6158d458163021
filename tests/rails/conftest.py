"""A rail, and an account to pay from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import Account
from tests.factories import make_account
from tests.simulators.process import TOKEN, SimulatorProcess


@pytest.fixture
def rail(tmp_path: Path, settings: Settings) -> Iterator[SimulatorProcess]:
    """Run a rail that settles at once and has taken nothing yet, and connect the bank to it."""
    process = SimulatorProcess("rail", tmp_path)
    process.set_faults()
    settings.RAIL_URL, settings.RAIL_TOKEN = process.url, TOKEN
    yield process
    process.kill()


@pytest.fixture
def account(db: None) -> Account:
    """Open an account of Alice's with 100.00 BRL."""
    return make_account(balance=100_00)
