"""The desk of a small bank."""

import pytest

from tests.transfers.desk import Desk


@pytest.fixture
def desk(db: None) -> Desk:
    """Return the desk, with everybody's accounts."""
    return Desk()
