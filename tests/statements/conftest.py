"""What the tests of statements share: a month in the life of Alice's account."""

from datetime import date

import pytest

from tests.statements.story import Story
from transfers.statements.periods import Period


@pytest.fixture
def story(db: None) -> Story:
    """Alice's account, which was opened and used in March 2026."""
    return Story()


@pytest.fixture
def march() -> Period:
    """The month of the story."""
    return Period(date(2026, 3, 1), date(2026, 3, 31))
