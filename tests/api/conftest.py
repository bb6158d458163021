"""What the tests of the API share."""

import pytest
from pytest_django import Settings

from kyc.models import Client
from tests.api.caller import Caller, call_as
from tests.factories import make_alice


@pytest.fixture
def anonymous() -> Caller:
    """A caller who has not signed in."""
    return Caller()


@pytest.fixture
def alice(db: None) -> Client:
    """A verified client."""
    return make_alice()


@pytest.fixture
def api(alice: Client) -> Caller:
    """Alice, signed in."""
    return call_as(alice)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hash passwords quickly; how slow the bank's own hash is matters to none of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
