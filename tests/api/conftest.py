"""What the tests of the API share."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import Account
from kyc.models import Client
from tests.api.caller import Caller, call_as
from tests.api.provider import Provider
from tests.factories import make_account, make_alice, make_client


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


@pytest.fixture
def source(alice: Client) -> Account:
    """Alice's account with 100.00."""
    return make_account(client=alice, balance=10_000)


@pytest.fixture
def target() -> Account:
    """Carla's empty account."""
    return make_account(client=make_client(name="Carla Costa"))


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    """An OpenID provider that the bank trusts."""
    provider = Provider()
    settings.OIDC_ISSUER = provider.issuer
    yield provider
    provider.stop()
