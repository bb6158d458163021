"""What the tests of payments share."""

from tests.api.conftest import _quick_passwords, alice, api, source, target  # noqa: F401 - fixtures
