"""The bank that is fuzzed: people in it, and values that mean something there.

A schema says what a value looks like; whether there is such an account, or whether a token is still good, only the bank
knows. So where the fuzzer wants to be taken seriously it is given values from here, by the names of fields, and for
fields that nobody thought of by their examples.
"""

import random
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

from django.db.models import Max
from django.utils import timezone
from PIL import Image
from schemathesis.transport.serialization import Binary

from accounts.models import Account
from core import sessions
from core.scopes import Scope
from events.models import Event
from kyc.models import Client
from kyc.scopes import CUSTOMER_SCOPES
from proofs.fuzz.record import RECORD
from tests.api.caller import make_token
from tests.events.delivery import deliver, list_messages
from tests.factories import PASSWORD, make_account, make_alice, make_client, make_cpf, make_partner

CURRENCIES = ("BRL", "USD")
OPENING_BALANCE = 10**9


class Bank:
    """Alice, who calls; Bob, who signs in; Carla, who is paid; a partner."""

    def __init__(self, *, seed: int) -> None:
        """Let all of them in, with money."""
        self._random = random.Random(seed)
        self._numbers = iter(range(1 + seed % 1_000 * 100_000, 10**9))
        self.alice = make_alice()
        self._bob = make_client(name="Bob Barbosa")
        carla = make_client(name="Carla Costa")
        self._own = {currency: self._open(self.alice, currency) for currency in CURRENCIES}
        self._others = {currency: self._open(carla, currency) for currency in CURRENCIES}
        self._customer = make_token(self.alice.user, *CUSTOMER_SCOPES)
        self._partner = make_token(make_partner(), Scope.CLIENTS_INACTIVATE)
        RECORD.ids["account_id"].extend(str(account.pk) for account in self._own["BRL"])
        self._heard = 0
        self._currency = CURRENCIES[0]
        self._hear()

    def _open(self, client: Client, currency: str) -> list[Account]:
        return [make_account(client=client, currency=currency, balance=OPENING_BALANCE) for _ in range(2)]

    def get_token(self, operation: Mapping[str, Any]) -> str | None:
        """Return a token that a call takes; None for a public one."""
        scopes = [scope for scheme in operation.get("security", []) for scope in scheme.get("bearer", [])]
        if not scopes:
            return None
        return self._customer if set(scopes) <= set(CUSTOMER_SCOPES) else self._partner

    def choose_id(self, name: str) -> str:
        """Return an id for a path: of a new client, since its end is all that can be done to one; else a known one."""
        if name == "client_id":
            return str(make_client().id)
        if name == "notification_id":
            self._hear()
        known = RECORD.ids[name]
        return self._random.choice(known) if known else str(uuid4())

    def fill_path(self, path: str) -> str:
        """Return a path of the document with ids in it."""
        return re.sub(r"{(\w+)}", lambda name: self.choose_id(name[1]), path)

    def choose_query(self, name: str, schema: Mapping[str, Any]) -> Any:
        """Return a value for a parameter: of the past, and a version that has been reached; None: leave it out."""
        day = timezone.localdate() - timedelta(days=self._random.randrange(3))
        if name == "from":
            return str(day - timedelta(days=self._random.randrange(30)))
        if name == "to":
            return str(timezone.localdate())
        if name == "cursor":
            return None
        if name == "at" or schema.get("format") == "date-time":
            return (timezone.now() - timedelta(minutes=self._random.randrange(1, 60))).isoformat()
        if name == "account":
            return str(self._random.choice(self._own["BRL"]).pk)
        return self._random.randrange(2) if name == "min_version" else KEEP

    def fill_body(self, body: Any, schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
        """Return a body that the schema takes with values that mean something to the bank."""
        self._currency = self._random.choice(CURRENCIES)
        return self._fill(body, _find(schema, components), components)

    def _fill(self, value: Any, schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
        if isinstance(value, dict):
            parts = schema.get("properties", {})
            return {
                name: self._choose(name, inner, _find(parts.get(name, {}), components), components)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            inner = _find(schema.get("items", {}), components)
            return [self._fill(each, inner, components) for each in value[:3]]
        return value

    def _choose(self, name: str, value: Any, schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
        if name in _SUPPLIES:
            return _SUPPLIES[name](self)
        if isinstance(value, dict | list):
            return self._fill(value, schema, components)
        if isinstance(value, str) and (name == "account" or name.endswith("_account")):
            return self._choose_account(name)
        if schema.get("format") == "binary":
            return _draw(self._random.randrange(256))
        if schema.get("format") == "date-time":
            return (timezone.now() + timedelta(days=self._random.randrange(1, 5))).isoformat()
        if schema.get("format") == "date":
            return self._choose_day(1, 60)
        examples = schema.get("examples", [])
        return self._random.choice([value, *examples]) if examples and isinstance(value, str) else value

    def _choose_account(self, name: str) -> str:
        of = self._others if name.startswith("creditor") else self._own
        account = self._random.choice(of[self._currency])
        return self._random.choice([str(account.pk), account.number])

    def _choose_day(self, first: int, last: int) -> str:
        return str(timezone.localdate() + timedelta(days=self._random.randrange(first, last)))

    def _hear(self) -> None:
        """Let the clients be told what happened since the last time."""
        after, self._heard = self._heard, Event.objects.aggregate(last=Max("seq"))["last"]
        deliver(list_messages(group="notifications", after=after), group="notifications")

    def _make_refresh_token(self) -> str:
        pair = sessions.sign_in(
            username=self._bob.user.username, password=PASSWORD, scope=None, source="here", now=timezone.now()
        )
        return pair.refresh


KEEP = object()
"""Of a parameter: what was made up is good enough."""

_CREDITORS = (
    {"name": "Bruno Barbosa", "iban": "DE89 3704 0044 0532 0130 00"},
    {"name": "Bruno Barbosa", "bank": "341", "branch": "1234", "account": "56789-0"},
)
_SCHEDULES = ({"kind": "once"}, {"kind": "monthly", "day": 31}, {"kind": "weekly", "weekday": "friday"})

_SUPPLIES: dict[str, Callable[[Bank], Any]] = {
    "amount": lambda bank: f"{bank._random.randrange(1, 500)}.{bank._random.randrange(1, 100):02}",
    "client_reference": lambda bank: f"reference-{next(bank._numbers)}",
    "creditor": lambda bank: bank._random.choice(_CREDITORS),
    "first_date": lambda bank: bank._choose_day(1, 20),
    "last_date": lambda bank: bank._choose_day(60, 90),
    "name": lambda bank: bank._random.choice(["Alice Almeida", "张伟", "Zoë O'Neill-Ångström"]),
    "schedule": lambda bank: bank._random.choice(_SCHEDULES),
    "birth_date": lambda bank: "1990-05-17",
    "currency": lambda bank: bank._currency,
    "document_number": lambda bank: make_cpf(number=next(bank._numbers)),
    "document_type": lambda bank: "cpf",
    "email": lambda bank: f"fuzz-{next(bank._numbers)}@example.com",
    "password": lambda bank: PASSWORD,
    "refresh": Bank._make_refresh_token,
    "scope": lambda bank: "accounts:read",
    "username": lambda bank: bank._bob.user.username,
}


def _find(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema itself, of which `schema` may only be the name."""
    if "$ref" in schema:
        return _find(components[schema["$ref"].rpartition("/")[2]], components)
    if len(schema.get("allOf", [])) == 1:
        return _find(schema["allOf"][0], components)
    return schema


def _draw(shade: int) -> Binary:
    """Return a small picture, which counts as the text that the schema asks for."""
    file = BytesIO()
    Image.new("L", (8, 8), shade).save(file, format="PNG")
    return Binary(file.getvalue())
