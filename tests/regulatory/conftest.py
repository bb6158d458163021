"""The regulator, and a bank that is connected to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.simulators.process import TOKEN, SimulatorProcess


@pytest.fixture
def regulator(tmp_path: Path, settings: Settings) -> Iterator[SimulatorProcess]:
    """Run a regulator that has taken nothing yet, and tell the bank where it is."""
    process = SimulatorProcess("regulator", tmp_path)
    settings.REGULATOR_URL, settings.REGULATOR_TOKEN = process.url, TOKEN
    settings.REGULATOR_TIMEOUT_SECONDS = 5
    yield process
    process.kill()
