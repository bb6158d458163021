"""What the tests of the ledger share."""

import pytest

from tests.ledger.books import Books


@pytest.fixture
def books(db: None) -> Books:
    """A bank's books, empty, at noon."""
    return Books()
