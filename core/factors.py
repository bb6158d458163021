"""Second factors of staff: an app that makes codes, passkeys, and recovery codes for when both are lost.

allauth keeps them and knows their cryptography; its pages are not used, so that all ways into the back office stand
under one limit of failures and one policy of sessions.

Note [A code works once]
allauth remembers in the cache which codes were used. The cache may be emptied at any time, or be away, so here the row
of the factor remembers the last step of 30 seconds whose code was taken, and takes only later ones, under its lock. A
clock may be a step ahead or behind.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.internal import auth as passkeys
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare
from tink_fields.fields import KeysetManager

from core.errors import BankError
from core.models import User
from core.text import clean_line

_STEP_SECONDS = 30
_DRIFT_STEPS = 1
_PROVING = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)

_keyset = KeysetManager("default")
_PURPOSE = b"core.factors"
"""What is encrypted here is good nowhere else."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """How allauth keeps secrets here: encrypted, as personal data is."""

    def encrypt(self, text: str) -> str:
        """Return `text` encrypted."""
        return b64encode(_keyset.aead_primitive.encrypt(text.encode(), _PURPOSE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return what was encrypted."""
        return str(_keyset.aead_primitive.decrypt(b64decode(encrypted_text), _PURPOSE), "utf-8")


class WrongCodeError(BankError):
    """The code is not the one that the app shows, or was used before."""

    code = "wrong_code"
    http_status = 400
    message = "This code is wrong, or was used before."


class LastFactorError(BankError):
    """Whoever has to have a second factor does not take away the last one."""

    code = "last_factor"
    http_status = 409
    message = "This is the last second factor. Add another one first."


class OwnFactorsError(BankError):
    """Nobody resets the factors of their own: whoever sits at an open desk could."""

    code = "own_factors"
    http_status = 403
    message = "Only another administrator resets your second factors."


def has_factor(*, user: User) -> bool:
    """Tell whether the user has an app or a passkey."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=_PROVING).exists())


def list_factors(*, user: User) -> Sequence[Authenticator]:
    """Return the app and the passkeys of the user, in the order in which they were added."""
    return list(Authenticator.objects.filter(user_id=user.pk, type__in=_PROVING).order_by("pk"))


def propose_secret() -> str:
    """Return a secret that an app may be given."""
    return str(generate_totp_secret())


def add_app(*, user: User, secret: str, code: str, now: datetime) -> list[str]:
    """Let the app that knows `secret`, as its `code` proves, be a factor; return the recovery codes if they are new.

    An app that was there before is replaced. Raises WrongCodeError.
    """
    step = _find_step(secret, code, now)
    if step is None:
        raise WrongCodeError
    with transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).delete()
        added = TOTP.activate(user, secret).instance
        added.data["step"] = step
        added.save(update_fields=["data"])
        return make_recovery_codes(user=user, renew=False)


def draw_secret(*, user: User, secret: str) -> str:
    """Return the picture that an app reads `secret` from, as an address that holds it."""
    adapter = FactorAdapter()
    picture: str = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    return f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}"


def begin_passkey(*, user: User) -> dict[str, Any]:
    """Return what a browser is asked to make a passkey with; the session remembers it."""
    return dict(passkeys.begin_registration(user, passwordless=False))


def add_passkey(*, user: User, name: str, credential: str) -> list[str]:
    """Let the passkey that the browser has made be a factor; return the recovery codes if they are new.

    Raises WrongCodeError.
    """
    try:
        made = json.loads(credential)
        passkeys.parse_registration_response(made)
        passkeys.complete_registration(made)
    except (ValidationError, KeyError, AttributeError, TypeError, ValueError) as error:  # whatever else was sent
        raise WrongCodeError("Your browser made no passkey that is good here.") from error
    with transaction.atomic():
        passkeys.WebAuthn.add(user, clean_line(name, field="name", max_length=64) if name.strip() else "Passkey", made)
        return make_recovery_codes(user=user, renew=False)


def make_recovery_codes(*, user: User, renew: bool) -> list[str]:
    """Return new recovery codes, and let those of before be good no more; none if there are some and `renew` is off."""
    codes = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES)
    if codes.exists() and not renew:
        return []
    codes.delete()
    return list(RecoveryCodes.activate(user).generate_codes())


def count_recovery_codes(*, user: User) -> int:
    """Return how many recovery codes are left."""
    codes = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(codes).get_unused_codes()) if codes else 0


def accept_code(*, user: User, code: str, now: datetime) -> bool:
    """Tell whether `code` is one of the app's or a recovery code, and use it up. See Note [A code works once]."""
    with transaction.atomic():
        factors = Authenticator.objects.select_for_update().filter(user_id=user.pk).order_by("pk")
        by_type = {factor.type: factor for factor in factors if factor.type != Authenticator.Type.WEBAUTHN}
        app, recovery = by_type.get(Authenticator.Type.TOTP), by_type.get(Authenticator.Type.RECOVERY_CODES)
        if app is not None and _use_step(app, code, now):
            return True
        return recovery is not None and bool(RecoveryCodes(recovery).validate_code(code))


def _use_step(app: Authenticator, code: str, now: datetime) -> bool:
    step = _find_step(decrypt(app.data["secret"]), code, now)
    if step is None or step <= app.data["step"]:
        return False
    app.data["step"] = step
    app.last_used_at = now
    app.save(update_fields=["data", "last_used_at"])
    return True


def _find_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the step of 30 seconds whose code this is, or None."""
    given, current = code.replace(" ", ""), int(now.timestamp()) // _STEP_SECONDS
    steps = range(current - _DRIFT_STEPS, current + _DRIFT_STEPS + 1)
    right = [step for step in steps if constant_time_compare(given, format_hotp_value(hotp_value(secret, step)))]
    return right[-1] if right else None


def remove_factor(*, user: User, factor_id: int, is_required: bool) -> None:
    """Take a factor of the user's away; with the last one, the recovery codes go. Raises LastFactorError."""
    with transaction.atomic():
        factors = list(Authenticator.objects.select_for_update().filter(user_id=user.pk, type__in=_PROVING))
        rest = [factor for factor in factors if factor.pk != factor_id]
        if is_required and not rest:
            raise LastFactorError
        Authenticator.objects.filter(user_id=user.pk, pk=factor_id, type__in=_PROVING).delete()
        if not rest:
            Authenticator.objects.filter(user_id=user.pk).delete()


def reset_factors(*, user: User, actor: User) -> None:
    """Take all factors of somebody who has lost them away, and end what is signed in. Raises OwnFactorsError."""
    if user.pk == actor.pk:
        raise OwnFactorsError
    with transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk).delete()
        end_sign_ins(user=user)


def end_sign_ins(*, user: User) -> None:
    """End all sessions and tokens of the user for good, on all devices."""
    User.objects.filter(pk=user.pk).update(sign_in_epoch=F("sign_in_epoch") + 1)
