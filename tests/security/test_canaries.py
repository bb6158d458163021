"""Unusual texts in every input of every operation, then looked for wherever personal data have no business to be.

Looked through are Redis, the rows of events, the messages made of them for Kafka, the log, and the URLs and headers of
answers. Neither the text itself may be there nor a hash that anybody could make of it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import md5, sha1, sha256
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import redis
from django.conf import settings

from core.scopes import Scope
from events.models import Event
from events.topics import fan_out
from tests.api.caller import Answer, Caller, make_token
from tests.factories import make_partner
from tests.notifications.news import hear
from tests.security.calls import BODIES, list_fields, list_operations, put
from tests.security.database import undoing
from tests.security.policy import POLICY, Who
from tests.security.world import World

pytestmark = pytest.mark.django_db

CANARIES = {
    "name": "Zylphora Quixand",
    "email": "zylphora.quixand@example.com",
    "document_number": "ZQ918273",
    "birth_date": "1967-08-13",
    "password": "quernstone-Battery-91",
    "remittance_information": "Quernstone rent 77",
    "reason": "Quernstone left 78",
    "client_reference": "quernstone-payroll-79",
    "iban": "GB33BUKB20201555555555",
}
"""By the last part of a field's name, a text that is well-formed in it."""

HOSTILE = "Quernstone <b>80</b>\u00a0%s {0} 18quernstone@example.com"
"""What is well-formed nowhere."""

KEPT_IN_ROWS = {CANARIES["reason"]}
"""What may stand in the row of an event: why somebody left is history of the bank. It is told to nobody."""

Capture = Callable[..., AbstractContextManager[Any]]


def say_canaries(world: World, operation_id: str) -> Iterator[Answer]:
    """Make calls with canaries: where they are well-formed all at once, then in each place whatever it is for."""
    operation, rule = list_operations()[operation_id], POLICY[operation_id]
    caller = Caller(make_token(make_partner(), *Scope)) if rule.who is Who.PARTNERS else None
    yield world.call(operation_id, caller=caller, body=make_body(world, operation_id))
    for place in list_fields(operation.body_schema or {}):
        yield world.call(operation_id, caller=caller, body=spoil(world.make_body(operation_id), place))
    for name in operation.get_parameters("path"):
        yield world.call(operation_id, caller=caller, values={name: quote(HOSTILE)})
    for name in operation.get_parameters("query"):
        yield world.call(operation_id, caller=caller, query={name: HOSTILE})
    yield world.call(operation_id, caller=Caller(HOSTILE.encode("ascii", "ignore").decode()))


def make_body(world: World, operation_id: str) -> dict[str, Any] | None:
    """Return the body of a call that succeeds, with canaries in it - but for a sign-in, where they would be wrong."""
    if operation_id not in BODIES:
        return None
    body = world.make_body(operation_id)
    if operation_id != "sign_in":
        fill(body)
    return body


def fill(body: Any) -> None:
    """Put the canaries into a body, and into the objects in it."""
    for name, value in list(body.items() if isinstance(body, dict) else enumerate(body)):
        if isinstance(value, dict | list):
            fill(value)
        else:
            body[name] = CANARIES.get(str(name), value)


def spoil(body: dict[str, Any], place: str) -> dict[str, Any]:
    """Put what is well-formed nowhere into a place of a body."""
    put(body, place, HOSTILE)
    return body


def read_redis() -> Iterator[str]:
    """Yield all keys and values of the cache, the limits and the queue."""
    for address in {settings.REDIS_URL, settings.CELERY_BROKER_URL}:
        store: Any = redis.Redis.from_url(address)
        readers = {
            b"string": store.get,
            b"hash": store.hgetall,
            b"set": store.smembers,
            b"list": lambda key, store=store: store.lrange(key, 0, -1),
            b"zset": lambda key, store=store: store.zrange(key, 0, -1),
        }
        for key in store.scan_iter():
            yield f"{key!r} {readers[store.type(key)](key)!r}"


def list_addresses(value: Any) -> Iterator[str]:
    """Yield the URLs in an answer's data."""
    if isinstance(value, str) and value.startswith(("http", "/")):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from list_addresses(each)


def find(canary: str, text: str) -> bool:
    """Tell whether a canary is in `text`, written in any way or as a hash that needs no key."""
    folded = canary.lower()
    hashes = [make(each.encode()).hexdigest() for make in (md5, sha1, sha256) for each in (canary, folded)]
    forms = [folded, quote(canary).lower(), quote_plus(canary).lower(), json.dumps(canary)[1:-1].lower(), *hashes]
    return any(form in text.lower() for form in forms)


@pytest.mark.parametrize("operation_id", POLICY)
def test_what_is_said_stays_where_it_belongs(
    world: World,
    operation_id: str,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Capture,
) -> None:
    caplog.set_level("DEBUG")
    before = Event.objects.latest("seq").seq
    with undoing():
        with django_capture_on_commit_callbacks(execute=True):
            answers = list(say_canaries(world, operation_id))
            hear()
        events = list(Event.objects.filter(seq__gt=before))
        rows = " ".join(json.dumps(event.payload, ensure_ascii=False) for event in events)
        told = " ".join(message.encode().decode() for event in events for message in fan_out(event))
        stored = " ".join(read_redis())
    addresses = " ".join(address for answer in answers for address in list_addresses(answer.body))
    headers = " ".join(f"{name}: {value}" for answer in answers for name, value in answer.headers.items())
    places = {"log": caplog.text, "Kafka": told, "Redis": stored, "URLs": addresses, "headers": headers, "rows": rows}

    found = {
        (where, canary)
        for where, text in places.items()
        for canary in (*CANARIES.values(), HOSTILE, "quernstone", "zylphora", "20201555555555")
        if find(canary, text) and not (where == "rows" and _is_kept(canary, text))
    }

    assert found == set()
    assert answers[0].status == POLICY[operation_id].status, answers[0].body


def _is_kept(canary: str, text: str) -> bool:
    """Tell whether all of a canary in a text is part of what may be kept there."""
    for kept in KEPT_IN_ROWS:
        text = text.replace(kept, "")
    return not find(canary, text)


def test_a_failed_sign_in_leaves_no_name_behind(world: World) -> None:
    for name in CANARIES.values():
        Caller().post("auth/token", {"username": name, "password": CANARIES["password"]})

    stored = " ".join(read_redis())

    assert stored
    assert [canary for canary in CANARIES.values() if find(canary, stored)] == []


def test_a_name_in_review_is_changed_in_silence(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    before = Event.objects.latest("seq").seq
    bob = Caller(make_token(world.bob.user, *Scope))

    assert bob.patch("clients/me", {name: CANARIES[name] for name in ("name", "email")}).status == 200

    events = Event.objects.filter(seq__gt=before)
    told = " ".join(f"{event.payload} {[message.encode() for message in fan_out(event)]}" for event in events)
    assert events
    assert [each for each in CANARIES.values() if find(each, told + caplog.text + " ".join(read_redis()))] == []
