"""System checks of the settings: what would only fail later, or fail silently, stops the start here."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from tink_fields.fields import KeysetManager


@register()
def check_secrets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse secrets that are too short to protect anything."""
    messages: list[CheckMessage] = []
    if len(settings.JWT_SECRET.encode()) < 32:
        messages.append(Error("JWT_SECRET must have at least 32 bytes.", id="bank.E001"))
    if not _is_hex_key(settings.PII_INDEX_KEY):
        messages.append(Error("PII_INDEX_KEY must be 64 hexadecimal digits.", id="bank.E002"))
    if len(settings.SECRET_KEY) < 50:
        messages.append(Error("SECRET_KEY must have at least 50 characters.", id="bank.E003"))
    return messages


@register()
def check_keyset(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a keyset that cannot encrypt personal data: the first client would be the one to find out."""
    try:
        KeysetManager("default").aead_primitive  # noqa: B018 - loading it is the proof
    except ImproperlyConfigured as error:
        return [Error(f"PII_KEYSET_FILE does not name a Tink AEAD keyset: {error}", id="bank.E004")]
    return []


def _is_hex_key(text: str) -> bool:
    """Tell whether `text` is a 32-byte key in hexadecimal."""
    try:
        return len(bytes.fromhex(text)) == 32
    except ValueError:
        return False
