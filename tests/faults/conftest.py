"""What the tests of faults share."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django import Settings

from tests.events.conftest import _own_topics, broker  # noqa: F401 - fixtures
from tests.factories import make_account
from tests.faults.effects import effect_table
from tests.faults.processes import Processes
from tests.faults.settings import CONSUMER_GROUPS

ACCOUNTS = 8


@pytest.fixture(autouse=True)
def _effects(transactional_db: None, settings: Settings) -> Iterator[None]:
    settings.CONSUMER_GROUPS = CONSUMER_GROUPS
    with effect_table():
        yield


@pytest.fixture
def accounts(transactional_db: None) -> list[UUID]:
    """Accounts with enough money for all that happens."""
    return [make_account(balance=1_000_000).pk for _ in range(ACCOUNTS)]


@pytest.fixture
def processes(_own_topics: None, _effects: None, tmp_path: Path) -> Iterator[Processes]:  # noqa: F811
    """The bank's processes that read and write Kafka, none started yet."""
    processes = Processes(tmp_path)
    yield processes
    processes.kill_all()
