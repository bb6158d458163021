"""Signing in and out: POST /auth/token, /auth/token/refresh, /auth/token/revoke."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import sessions
from core.api.fields import TextField
from core.api.operations import operation
from core.api.serializers import Body, read_body
from core.api.source import get_source
from core.api.views import PublicView, get_now
from core.errors import InsufficientScopeError, NotAuthenticatedError

_SCOPES_EXAMPLE = "accounts:read transfers:write"


class SignInBody(Body):
    """Name and password. The lengths are bounded because a longer password only costs time to hash."""

    username = TextField(max_length=150, example="alice")
    password = TextField(max_length=128, trim_whitespace=False, example="demo-Bank-2026")
    scope = TextField(
        required=False,
        allow_null=True,
        max_length=255,
        example=_SCOPES_EXAMPLE,
        help_text="All granted ones by default.",
    )


class RefreshBody(Body):
    """A refresh token."""

    refresh = TextField(max_length=4096)


class TokenAnswer(serializers.Serializer[Any]):
    """A pair of tokens."""

    access = TextField(help_text="For the header `Authorization: Bearer ...`.")
    refresh = TextField(help_text="Works once, for the next pair.")
    expires_in = serializers.IntegerField(help_text="Seconds that the access token is good for.")
    scope = TextField(example=_SCOPES_EXAMPLE)


class NothingAnswer(serializers.Serializer[Any]):
    """Nothing to tell."""


class TokenView(PublicView):
    """Signing in."""

    @operation(
        operation_id="sign_in",
        summary="Sign in",
        scope=None,
        body=SignInBody,
        answers={200: TokenAnswer},
        refusals=[NotAuthenticatedError, InsufficientScopeError],
    )
    def post(self, request: Request) -> Response:
        """Exchange a username and a password for an access and a refresh token."""
        values = read_body(request, SignInBody)
        pair = sessions.sign_in(
            username=values["username"],
            password=values["password"],
            scope=values.get("scope"),
            source=get_source(request),
            now=get_now(),
        )
        return Response(pair._asdict())


class RefreshView(PublicView):
    """Staying signed in."""

    @operation(
        operation_id="refresh_tokens",
        summary="Refresh the tokens",
        scope=None,
        body=RefreshBody,
        answers={200: TokenAnswer},
        refusals=[NotAuthenticatedError, sessions.SessionBusyError],
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token, once, for a new pair. Using it again revokes all tokens that came of it."""
        token = read_body(request, RefreshBody)["refresh"]
        return Response(sessions.refresh(token=token, now=get_now())._asdict())


class RevokeView(PublicView):
    """Signing out."""

    @operation(
        operation_id="revoke_tokens",
        summary="Sign out",
        scope=None,
        body=RefreshBody,
        answers={200: NothingAnswer},
        refusals=[sessions.SessionBusyError],
    )
    def post(self, request: Request) -> Response:
        """Revoke a refresh token and all that came of it; a token that is unknown or over is no error."""
        sessions.revoke(token=read_body(request, RefreshBody)["refresh"], now=get_now())
        return Response({})
