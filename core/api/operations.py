"""How a call is declared: once, beside its code. Scope, documentation and the contract's refusals come from here."""

from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc, signature
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.serializers import Serializer

from core.api import errors as api_errors
from core.api.permissions import set_scope
from core.errors import (
    BankError,
    IdempotencyKeyInUseError,
    IdempotencyKeyRequiredError,
    IdempotencyKeyReusedError,
    IdentityProviderUnavailableError,
    InsufficientScopeError,
    InvalidInputError,
    NotAuthenticatedError,
    RateLimitedError,
)
from core.scopes import Scope

Handler = TypeVar("Handler", bound=Callable[..., Any])

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$", "examples": ["order-2026-0001"]},
    OpenApiParameter.HEADER,
    required=True,
    description="Makes the call safe to repeat: under one key, money moves once and the first answer comes again.",
)
IDEMPOTENT_REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "const": "true"},
    OpenApiParameter.HEADER,
    response=[200, 201, 202, 409],
    description="Present when this answer is the first one under its Idempotency-Key, come again.",
)


def operation(
    *,
    operation_id: str,
    summary: str,
    scope: Scope | None,
    answers: Mapping[int, type[Serializer[Any]]],
    body: type[Serializer[Any]] | None = None,
    query: type[Serializer[Any]] | None = None,
    files: Sequence[str] = (),
    refusals: Sequence[type[BankError]] = (),
    is_idempotent: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a view's method: the scope that it asks for (None: public), what it takes, answers and refuses.

    `files` are the media types, besides JSON, in which a 200 may come. `refusals` are those of its own; those that any
    such call may meet are added.
    """
    common = _common_refusals(scope=scope, body=body, query=query, is_idempotent=is_idempotent)
    parameters: list[Any] = [query] if query else []
    if is_idempotent:
        parameters += [IDEMPOTENCY_KEY, IDEMPOTENT_REPLAYED]

    def declare(handler: Handler) -> Handler:
        set_scope(handler, scope)
        unrouted = [api_errors.NotFoundError] if _takes_id(handler) else []
        decorate = extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=cleandoc(handler.__doc__ or "") + (f"\n\nNeeds the scope `{scope}`." if scope else ""),
            request=body,
            parameters=parameters,
            responses={**answers, **_describe_files(files), **_describe_refusals([*refusals, *unrouted, *common])},
            auth=None if scope else [],
        )
        declared: Handler = decorate(handler)
        return declared

    return declare


def _takes_id(handler: Callable[..., Any]) -> bool:
    """Tell whether the path has an id in it; one that is no id leads nowhere."""
    return len(signature(handler).parameters) > len(("self", "request"))


def _common_refusals(*, scope: Scope | None, body: object, query: object, is_idempotent: bool) -> list[type[BankError]]:
    refusals: list[type[BankError]] = [RateLimitedError, api_errors.InternalError, api_errors.ServiceUnavailableError]
    if scope:
        refusals += [NotAuthenticatedError, InsufficientScopeError, IdentityProviderUnavailableError]
    if body or query:
        refusals += [InvalidInputError]
    if body:
        refusals += [
            api_errors.LengthRequiredError,
            api_errors.PayloadTooLargeError,
            api_errors.UnsupportedMediaTypeError,
        ]
    if is_idempotent:
        refusals += [IdempotencyKeyRequiredError, IdempotencyKeyReusedError, IdempotencyKeyInUseError]
    return refusals


def _describe_files(media_types: Sequence[str]) -> dict[tuple[int, str], OpenApiTypes]:
    return {(200, media_type): OpenApiTypes.BINARY for media_type in media_types}


def _describe_refusals(refusals: Sequence[type[BankError]]) -> dict[int, OpenApiResponse]:
    """Return the refusals by HTTP status, each status with its codes."""
    statuses = sorted({refusal.http_status for refusal in refusals})
    return {
        status: _describe_status([refusal for refusal in refusals if refusal.http_status == status])
        for status in statuses
    }


def _describe_status(refusals: Sequence[type[BankError]]) -> OpenApiResponse:
    by_code = {refusal.code: refusal for refusal in sorted(refusals, key=lambda refusal: refusal.code)}
    codes = {"properties": {"code": {"enum": list(by_code)}}}
    if refusals[0].http_status >= 500:
        schema = {"allOf": [{"$ref": "#/components/schemas/Error"}, codes]}
    else:
        schema = {"allOf": [{"$ref": "#/components/schemas/Fail"}, {"properties": {"data": codes}}]}
    return OpenApiResponse(
        response=schema,
        description="\n".join(f"- `{code}`: {refusal.message}" for code, refusal in by_code.items()),
    )
