"""The operations of the OpenAPI document, and for each a call that succeeds."""

import copy
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils import timezone

from tests.api.caller import HTTP_METHODS, get_document
from tests.api.session import sign_in
from tests.factories import PASSWORD
from tests.files import make_form, make_jpeg

FORM = "multipart/form-data; boundary=frontier"
MONEY = {"amount": "10.00", "currency": "BRL"}
ORDER = MONEY | {"remittance_information": "Rent"}
PAYEE = {"name": "Bruno Barbosa", "iban": "DE89370400440532013000"}


def _plan() -> dict[str, Any]:
    """Return when a standing order is due: in a month."""
    day = (timezone.now() + timedelta(days=30)).date().isoformat()
    return {"schedule": {"kind": "once", "at": day}, "first_date": day, "last_date": day}


BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "sign_in": lambda username: {"username": username, "password": PASSWORD, "scope": "accounts:read"},
    "refresh_tokens": lambda username: {"refresh": sign_in(username).data["refresh"]},
    "revoke_tokens": lambda username: {"refresh": sign_in(username).data["refresh"]},
    "register_client": lambda _: {
        "name": "Bruno Barbosa",
        "email": "bruno@example.com",
        "document_type": "passport",
        "document_number": "FX123456",
        "birth_date": "1990-05-17",
        "password": "correct-Horse-battery-9",
    },
    "change_own_client": lambda _: {"email": f"{uuid4().hex}@example.com"},
    "change_notification_preferences": lambda _: {
        "language": "pt-br",
        "email_money_in": False,
        "email_money_out": False,
        "email_account": False,
        "email_security": True,
    },
    "open_account": lambda _: {"currency": "BRL", "kind": "savings"},
    "inactivate_client": lambda _: {"reason": "Asked for it at the branch"},
    "deposit": lambda _: ORDER,
    "withdraw": lambda _: ORDER,
    "transfer": lambda _: ORDER,
    "transfer_batch": lambda _: {"atomic": True, "transfers": [ORDER | {"client_reference": "first"}]},
    "place_hold": lambda _: MONEY | {"expires_at": "2099-01-01T12:00:00Z"},
    "capture_hold": lambda _: {"amount": "1.00"},
    "order_payment": lambda _: ORDER | {"creditor": PAYEE},
    "create_standing_order": lambda _: ORDER | _plan(),
}
"""By operation, a body with all that a caller may say, but for the things of the policy, which are put in."""

_widths = count(1)

FILES = {"add_own_document": lambda: (("kind", b"identity"), ("file", make_jpeg(size=(next(_widths), 20))))}
"""By operation, the parts of a form, with a file that is new; what is no `file` is a text."""

ALTERNATIVES = {
    "change_own_client": {"name"},
    "order_payment": {"creditor.bank", "creditor.branch", "creditor.account"},
    "create_standing_order": {"schedule.day", "schedule.weekday"},
}
"""Fields that a caller may give in place of some in BODIES."""

QUERIES = {"show_statement": {"from": "2026-01-01", "to": "2026-01-31"}}


class Operation(NamedTuple):
    """An operation of the document."""

    id: str
    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def body_schema(self) -> dict[str, Any] | None:
        """The schema of its JSON body, if it takes one."""
        content = self.described.get("requestBody", {}).get("content", {})
        schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        return None if schema is None else resolve(schema)

    def get_parameters(self, where: str) -> dict[str, dict[str, Any]]:
        """Return the schemas of its parameters in the path, the query or the headers, by name."""
        given = self.described.get("parameters", ())
        return {each["name"]: resolve(each["schema"]) for each in given if each["in"] == where}


@cache
def list_operations() -> dict[str, Operation]:
    """Return all operations of the document by id."""
    return {
        described["operationId"]: Operation(described["operationId"], method.upper(), path, described)
        for path, methods in get_document()["paths"].items()
        for method, described in methods.items()
        if method in HTTP_METHODS
    }


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference leads to."""
    if "$ref" in schema:
        return resolve(get_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if len(schema.get("allOf", ())) == 1:
        return resolve(schema["allOf"][0])
    return schema


def list_fields(schema: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """Return the fields of a body, those of objects within it too, as transfers.0.amount."""
    found: dict[str, dict[str, Any]] = {}
    for name, inner in schema.get("properties", {}).items():
        field, place = resolve(inner), f"{path}{name}"
        item = resolve(field["items"]) if "items" in field else {}
        below = list_fields(item, f"{place}.0.") if item else list_fields(field, f"{place}.")
        found |= below or {place: field}
    return found


def put(body: Any, place: str, value: object) -> None:
    """Set `value` at a place such as transfers.0.amount; `...` leaves it out."""
    *steps, last = place.split(".")
    for step in steps:
        body = body[int(step)] if isinstance(body, list) else body[step]
    if value is ...:
        body.pop(last, None)
    else:
        body[last] = value


def fill_body(operation: Operation, *, username: str, values: Mapping[str, object]) -> dict[str, Any] | None:
    """Return the body of a call that succeeds, with `values` put into their places; None if it takes none."""
    if operation.id not in BODIES:
        return None
    body = copy.deepcopy(BODIES[operation.id](username))
    for place, value in values.items():
        put(body, place, value)
    return body


def encode_body(operation: Operation, body: object) -> tuple[bytes, str]:
    """Return the bytes to send, and their media type."""
    if operation.id in FILES:
        parts = [(_write_head(name), content) for name, content in FILES[operation.id]()]
        return make_form(*parts), FORM
    return (b"" if body is None else json.dumps(body).encode()), "application/json"


def _write_head(name: str) -> str:
    file = '; filename="passport.jpg"' if name == "file" else ""
    return f'Content-Disposition: form-data; name="{name}"{file}'
