"""System checks of the settings: what would only fail later, or fail silently, stops the start here."""

import re
from collections.abc import Sequence
from email.utils import parseaddr
from itertools import combinations
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Doubt
from django.core.exceptions import ImproperlyConfigured
from tink_fields.fields import KeysetManager

_SECRETS = ("SECRET_KEY", "JWT_SECRET", "PII_INDEX_KEY")


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
def check_randomness(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse secrets that somebody made up, and one secret in two places: whoever learns one would know both."""
    messages: list[CheckMessage] = [
        Error(f"{name} is not random. Make one: openssl rand -hex 32", id="bank.E005")
        for name in _SECRETS
        if not _looks_random(getattr(settings, name))
    ]
    for one, other in combinations(_SECRETS, 2):
        if getattr(settings, one).lower() == getattr(settings, other).lower():
            messages.append(Error(f"{one} and {other} must not be the same.", id="bank.E006"))
    return messages


@register()
def check_keyset(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a keyset that cannot encrypt personal data: the first client would be the one to find out."""
    try:
        KeysetManager("default").aead_primitive  # noqa: B018 - loading it is the proof
    except ImproperlyConfigured as error:
        return [Error(f"PII_KEYSET_FILE does not name a Tink AEAD keyset: {error}", id="bank.E004")]
    return []


@register()
def check_email(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a real deployment whose e-mail goes nowhere, or comes from nobody."""
    messages: list[CheckMessage] = []
    is_sent = settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    if not (is_sent or settings.DEBUG or settings.DEMO):
        messages.append(Error("EMAIL_URL must name an SMTP server: clients wait for e-mail.", id="bank.E007"))
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", parseaddr(settings.DEFAULT_FROM_EMAIL)[1]):
        messages.append(Error("EMAIL_FROM must hold an e-mail address.", id="bank.E008"))
    return messages


@register()
def check_openid(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a provider whose keys anybody on the way could replace, or that could not be told from the bank itself."""
    messages: list[CheckMessage] = []
    for name in ("OIDC_ISSUER", "OIDC_JWKS_URL"):
        is_open = getattr(settings, name).startswith("http:")
        if is_open and not (settings.DEBUG or settings.DEMO):
            messages.append(Error(f"{name} must begin with https://.", id="bank.E009"))
    if settings.OIDC_ISSUER == settings.JWT_ISSUER:
        messages.append(Error("OIDC_ISSUER and JWT_ISSUER must not be the same.", id="bank.E010"))
    if len(settings.OIDC_ISSUER) > 255:
        messages.append(Error("OIDC_ISSUER may have at most 255 characters.", id="bank.E012"))
    if not settings.OIDC_AUDIENCE:
        messages.append(Error("OIDC_AUDIENCE must not be empty.", id="bank.E011"))
    return messages


@register()
def check_staff_openid(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a provider of staff that anybody could play, that knows nothing of us, or that customers sign in at."""
    messages: list[CheckMessage] = []
    issuer = settings.STAFF_OIDC_ISSUER
    if issuer.startswith("http:") and not (settings.DEBUG or settings.DEMO):
        messages.append(Error("STAFF_OIDC_ISSUER must begin with https://.", id="bank.E016"))
    if issuer and not (settings.STAFF_OIDC_CLIENT_ID and settings.STAFF_OIDC_CLIENT_SECRET):
        names = "STAFF_OIDC_CLIENT_ID and STAFF_OIDC_CLIENT_SECRET"
        messages.append(Error(f"{names} must not be empty where STAFF_OIDC_ISSUER is not.", id="bank.E017"))
    if issuer and issuer == settings.OIDC_ISSUER:
        hint = "A subject is one user: a token of a member of staff would be good in the customers' API."
        messages.append(Error("STAFF_OIDC_ISSUER and OIDC_ISSUER must not be the same.", hint=hint, id="bank.E018"))
    if len(issuer) > 255:
        messages.append(Error("STAFF_OIDC_ISSUER may have at most 255 characters.", id="bank.E019"))
    return messages


@register()
def check_regulator(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a regulator to whom anybody on the way could listen, or whom nobody could tell us from others."""
    messages: list[CheckMessage] = []
    if settings.REGULATOR_URL.startswith("http:") and not (settings.DEBUG or settings.DEMO):
        messages.append(Error("REGULATOR_URL must begin with https://.", id="bank.E013"))
    if settings.REGULATOR_URL and not settings.REGULATOR_TOKEN:
        messages.append(Error("REGULATOR_TOKEN must not be empty where REGULATOR_URL is not.", id="bank.E014"))
    return messages


@register(Tags.security, deploy=True)
def check_second_factor(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn where a password alone lets staff in."""
    if settings.STAFF_MFA_REQUIRED:
        return []
    return [Doubt("STAFF_MFA_REQUIRED is off: a password alone lets staff in.", id="bank.W001")]


@register()
def check_rail(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a rail that anybody on the way could stand in for: it says where money went."""
    is_open = settings.RAIL_URL.startswith("http:")
    if is_open and not (settings.DEBUG or settings.DEMO):
        return [Error("RAIL_URL must begin with https://.", id="bank.E015")]
    return []


def _looks_random(text: str) -> bool:
    """Tell whether most stretches of three characters are different: random ones hardly repeat, made-up ones do."""
    return len({text[start : start + 3] for start in range(len(text) - 2)}) > len(text) / 2


def _is_hex_key(text: str) -> bool:
    """Tell whether `text` is a 32-byte key in hexadecimal."""
    try:
        return len(bytes.fromhex(text)) == 32
    except ValueError:
        return False
