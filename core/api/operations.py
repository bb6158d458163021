"""How a call is declared: once, beside its code. Scope, documentation and the contract's refusals come from here."""

from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc, signature
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
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
OPTIONAL_KEY = OpenApiParameter(
    "Idempotency-Key",
    IDEMPOTENCY_KEY.type,
    OpenApiParameter.HEADER,
    description="Makes the call safe to repeat: under one key, it takes effect once and the first answer comes again.",
)
IDEMPOTENT_REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "const": "true"},
    OpenApiParameter.HEADER,
    response=[200, 201, 202, 409],
    description="Present when this answer is the first one under its Idempotency-Key, come again.",
)
REQUEST_ID = OpenApiParameter(
    "X-Request-ID",
    {"type": "string", "examples": ["018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e"]},
    OpenApiParameter.HEADER,
    required=True,
    response=True,
    description="What the request is known by: the id that it brought, or a new one.",
)
CHALLENGE = OpenApiParameter(
    "WWW-Authenticate",
    {"type": "string", "examples": ['Bearer realm="bank"']},
    OpenApiParameter.HEADER,
    required=True,
    response=[NotAuthenticatedError.http_status],
    description="How to sign in.",
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
    takes_key: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a view's method: the scope that it asks for (None: public), what it takes, answers and refuses.

    `files` are the media types, besides JSON, in which a 200 may come. `refusals` are those of its own; those that any
    such call may meet are added. A call that `is_idempotent` needs an Idempotency-Key, one that `takes_key` may have
    one.
    """
    common = _common_refusals(scope=scope, body=body, query=query, takes_key=is_idempotent or takes_key)
    parameters: list[Any] = [query, REQUEST_ID, CHALLENGE] if query else [REQUEST_ID, CHALLENGE]
    if is_idempotent or takes_key:
        parameters += [IDEMPOTENCY_KEY if is_idempotent else OPTIONAL_KEY, IDEMPOTENT_REPLAYED]

    def declare(handler: Handler) -> Handler:
        set_scope(handler, scope)
        unrouted = [api_errors.NotFoundError] if _takes_id(handler) else []
        refused = [*refusals, *unrouted, *common]
        decorate = extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=cleandoc(handler.__doc__ or "") + (f"\n\nNeeds the scope `{scope}`." if scope else ""),
            request=body,
            parameters=[*parameters, *_describe_retries(refused)],
            responses={**answers, **_describe_files(files), **_describe_refusals(refused)},
            auth=None if scope else [],
        )
        declared: Handler = decorate(handler)
        return declared

    return declare


def _takes_id(handler: Callable[..., Any]) -> bool:
    """Tell whether the path has an id in it; one that is no id leads nowhere."""
    return len(signature(handler).parameters) > len(("self", "request"))


def _common_refusals(*, scope: Scope | None, body: object, query: object, takes_key: bool) -> list[type[BankError]]:
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
    if takes_key:
        refusals += [IdempotencyKeyRequiredError, IdempotencyKeyReusedError, IdempotencyKeyInUseError]
    return refusals


def _describe_files(media_types: Sequence[str]) -> dict[tuple[int, str], OpenApiTypes]:
    return {(200, media_type): OpenApiTypes.BINARY for media_type in media_types}


def _describe_refusals(refusals: Sequence[type[BankError]]) -> dict[int, OpenApiResponse]:
    """Return the refusals by HTTP status, each status with its codes."""
    return {status: _describe_status(found) for status, found in _group_by_status(refusals).items()}


def _group_by_status(refusals: Sequence[type[BankError]]) -> dict[int, list[type[BankError]]]:
    statuses = sorted({refusal.http_status for refusal in refusals})
    return {status: [refusal for refusal in refusals if refusal.http_status == status] for status in statuses}


def _describe_retries(refusals: Sequence[type[BankError]]) -> list[OpenApiParameter]:
    """Return Retry-After, for the statuses of which all codes send it, and for those of which some do."""
    groups = _group_by_status(refusals).items()
    always = [status for status, found in groups if all(refusal.retryable for refusal in found)]
    sometimes = [status for status, found in groups if any(refusal.retryable for refusal in found)]
    return [
        OpenApiParameter(
            "Retry-After",
            {"type": "string", "pattern": "^[1-9][0-9]*$", "examples": ["1"]},
            OpenApiParameter.HEADER,
            required=is_required,
            response=statuses,
            description="In how many seconds the same request may succeed.",
        )
        for is_required, statuses in ((False, sorted({*sometimes} - {*always})), (True, always))
        if statuses
    ]


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
        examples=[_describe_refusal(refusal) for refusal in by_code.values()],
    )


def _describe_refusal(refusal: type[BankError]) -> OpenApiExample:
    told = {"code": refusal.code, "message": refusal.message}
    if refusal is InvalidInputError:
        errors = {"errors": {"name": ["This field is required."]}}
        return OpenApiExample(refusal.code, value={"status": "fail", "data": told | errors})
    is_ours = refusal.http_status >= 500
    return OpenApiExample(
        refusal.code, value={"status": "error", **told} if is_ours else {"status": "fail", "data": told}
    )
