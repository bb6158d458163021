"""The regulator of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.process import SimulatorProcess


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """Run a regulator that has taken nothing yet."""
    process = SimulatorProcess("regulator", tmp_path)
    yield process
    process.kill()
