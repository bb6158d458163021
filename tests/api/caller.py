"""A client of the API. Each answer that it gets is held against the OpenAPI document."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.test import Client as HttpClient
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from core.models import User
from core.scopes import Scope
from core.tokens import sign_access_token
from kyc.models import Client
from kyc.scopes import CUSTOMER_SCOPES

HTTP_METHODS = ("get", "post", "patch", "delete")


@cache
def get_document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def resolve(described: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document that may stand elsewhere in it, under a name."""
    if "$ref" not in described:
        return described
    place: dict[str, Any] = get_document()
    for step in described["$ref"].removeprefix("#/").split("/"):
        place = place[step]
    return place


class Answer:
    """What the API answered."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.content: bytes = b"".join(response)
        self.body: dict[str, Any] = json.loads(self.content)

    @property
    def data(self) -> Any:
        """The data of a success."""
        assert self.body["status"] == "success", self.body
        return self.body["data"]

    @property
    def code(self) -> str:
        """The code of a refusal."""
        refusal = self.body["data"] if self.body["status"] == "fail" else self.body
        assert self.body["status"] in ("fail", "error"), self.body
        return str(refusal["code"])

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code of a refusal."""
        return self.status, self.code

    @property
    def errors(self) -> dict[str, list[str]]:
        """The fields at fault."""
        errors: dict[str, list[str]] = self.body["data"]["errors"]
        return errors


class Caller:
    """Calls paths below /api/v1, with a token if it has one."""

    def __init__(self, token: str | None = None, **environ: Any) -> None:
        self._http = HttpClient(enforce_csrf_checks=True, raise_request_exception=False, **environ)
        self.token = token

    def get(self, path: str, **query: Any) -> Answer:
        """Read."""
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Answer:
        """Send `body` as JSON, under an idempotency key if one is given."""
        headers |= {"Idempotency-Key": key} if key is not None else {}
        return self.call("POST", path, content=json.dumps(body or {}).encode(), headers=headers)

    def patch(self, path: str, body: Any) -> Answer:
        """Change."""
        return self.call("PATCH", path, content=json.dumps(body).encode())

    def call(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """Call with any bytes."""
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        where = path if path.startswith(("http", "/")) else f"/api/v1/{path}"
        response = self._http.generic(
            method, where, content, content_type=content_type, query_params=dict(query or {}), headers=sent
        )
        answer = Answer(response)
        _check_contract(method, response.request["PATH_INFO"], answer)
        return answer


def call_as(client: Client, *scopes: Scope) -> Caller:
    """Return a caller with a token of the client's user, for all scopes of a customer unless some are given."""
    return Caller(make_token(client.user, *(scopes or CUSTOMER_SCOPES)))


def make_token(user: User, *scopes: Scope) -> str:
    """Return an access token, without the slow sign-in."""
    return sign_access_token(user=user, scopes=frozenset(scopes), now=timezone.now())


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """Return what the document says of a call, or None."""
    for template, operations in get_document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[0-9A-Fa-f-]{32,36}", template), path):
            operation: dict[str, Any] | None = operations.get(method.lower())
            return operation
    return None


def _check_contract(method: str, path: str, answer: Answer) -> None:
    operation = find_operation(method, path)
    if operation is None:
        assert answer.status in (401, 404, 405, 406), answer.body
        return
    assert str(answer.status) in operation["responses"], (method, path, answer.status, answer.body)
    described = resolve(operation["responses"][str(answer.status)])
    schema = described["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": get_document()["components"]}).validate(answer.body)
    for name, header in described["headers"].items():
        assert name in answer.headers or not resolve(header).get("required"), (method, path, answer.status, name)
