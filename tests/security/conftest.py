"""What the tests of security share: a bank that is made once for each module, and never left changed."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker, Settings

from tests.security.database import undoing
from tests.security.world import World, make_world


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The bank. Each test works in a savepoint of the transaction in which it was made."""
    with django_db_blocker.unblock(), undoing():
        yield make_world()


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    """Refuse nothing for its number: these tests ask more in a minute than anybody may."""
    for name in ("REFUSALS_PER_SOURCE", "SIGN_UPS_PER_SOURCE", "UPLOADS_PER_MINUTE", "MAX_DOCUMENTS_PER_CLIENT"):
        setattr(settings, name, 1_000_000)
