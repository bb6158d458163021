"""What the tests of events share. The broker is one for all parallel workers; each test has topics apart."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from events.kafka import drop_publisher
from tests.events.broker import StoppableBroker


@pytest.fixture(autouse=True)
def _own_topics(settings: Settings) -> Iterator[None]:
    settings.KAFKA_PREFIX = f"{uuid4().hex[:8]}."
    yield
    drop_publisher()


@pytest.fixture
def broker(settings: Settings, tmp_path: Path) -> Iterator[StoppableBroker]:
    """A broker that is not started yet; the settings name it."""
    broker = StoppableBroker(tmp_path / "kafka")
    settings.KAFKA_BOOTSTRAP_SERVERS = [broker.address]
    yield broker
    broker.stop()
