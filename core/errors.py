"""The one base of every failure that a caller can tell apart.

Each subclass is one failure: its `code` is the API's contract, its `http_status` how an edge answers it, `retryable`
whether the same request may succeed later. Apps define their own in `<app>/errors.py`; a test walks them all.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class BankError(Exception):
    """A refusal with a name. Subclass it; never raise it itself."""

    code: ClassVar[str]
    http_status: ClassVar[int]
    retryable: ClassVar[bool] = False
    message: ClassVar[str]
    retry_after_seconds: int = 1
    """When a retryable request is worth repeating."""

    def __init__(
        self,
        message: str | None = None,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Set the sentence for a person, `errors` by field, and `details` that an edge adds to its answer."""
        self.text = message or self.message
        self.errors = dict(errors or {})
        self.details = dict(details or {})
        super().__init__(self.text)


class InvalidAmountError(BankError):
    """An amount that is no decimal string, has too many digits for its currency, is not positive or is too large."""

    code = "invalid_amount"
    http_status = 400
    message = "The amount must be a positive decimal string with no more decimals than its currency has."


class InvalidInputError(BankError):
    """Input that breaks a rule of form; `errors` says which field and why."""

    code = "validation_error"
    http_status = 400
    message = "The request has fields that are missing or malformed."


class IdempotencyKeyReusedError(BankError):
    """The key was used before with another request."""

    code = "idempotency_key_reused"
    http_status = 422
    message = "This Idempotency-Key was used before with a different request."


class IdempotencyKeyInUseError(BankError):
    """The first request with this key is still running."""

    code = "idempotency_key_in_use"
    http_status = 409
    retryable = True
    message = "A request with this Idempotency-Key is still running. Try again shortly."


class IdempotencyKeyRequiredError(BankError):
    """A call that moves money came without a usable key."""

    code = "idempotency_key_required"
    http_status = 400
    message = "Send an Idempotency-Key header of 1 to 255 printable ASCII characters."


class NotAuthenticatedError(BankError):
    """No token, or one that is forged, expired or of somebody who may no longer sign in: they look alike."""

    code = "not_authenticated"
    http_status = 401
    message = "Sign in, and send the access token as a Bearer token."


class IdentityProviderUnavailableError(BankError):
    """The OpenID provider that issued the token is away, and its keys are not known here. Nothing was done."""

    code = "identity_provider_unavailable"
    http_status = 503
    retryable = True
    message = "The token cannot be checked now, as its issuer does not answer. Nothing was done. Try again shortly."


class InsufficientScopeError(BankError):
    """The caller is known, but the token was not given for this."""

    code = "insufficient_scope"
    http_status = 403
    message = "The access token's scope does not cover this call."


class RateLimitedError(BankError):
    """Too many requests, or failed sign-ins, within a minute."""

    code = "rate_limited"
    http_status = 429
    retryable = True
    message = "Too many requests. Try again later."

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Say when the limit lets the caller through again."""
        super().__init__()
        self.retry_after_seconds = retry_after_seconds
