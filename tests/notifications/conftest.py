"""What the tests of notifications share."""

from collections.abc import Iterator

import pytest
from django.core import mail
from pytest_django import Settings

from tests.notifications.mail_server import MailServer


@pytest.fixture
def outbox(settings: Settings) -> list[mail.EmailMessage]:
    """What was sent through Django's backend for tests."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A mail server on a port of its own, which the settings name."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 2
    yield server
    server.stop()
