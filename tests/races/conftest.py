"""What the races share: enough connections for all rivals at once."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

MANY = 60


@pytest.fixture(autouse=True)
def _many_connections(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the pool, which another test may have made anew, grow to more connections than a process would take."""
    with django_db_blocker.unblock():
        pool = cast("Any", connection).pool
    size = pool.max_size
    pool.resize(min_size=1, max_size=MANY)
    yield
    pool.resize(min_size=1, max_size=size)
