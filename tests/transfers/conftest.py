"""What the tests of transfers share."""

import pytest

from tests.transfers.desk import Desk


@pytest.fixture
def desk(db: None) -> Desk:
    """The desk of a bank where Alice has 100."""
    return Desk()
