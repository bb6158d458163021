"""docs/events.md: the catalogue as a page for readers of the topics."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from events.catalogue import CATALOGUE, Schema, Topic
from events.catalogue.accounts import AccountBalanceUpdated
from events.catalogue.schemas import Document, make_document
from events.groups import list_groups
from events.messages import make_message
from events.topics import TOPICS

PATH = Path(settings.BASE_DIR) / "docs" / "events.md"

_HEAD = """\
# Events

Generated from `events/catalogue` by `manage.py describe_events`; `make check` fails if it is not current.

Each message is a [CloudEvent 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) in JSON. It
arrives at least once; the `id` is the same each time. Messages of a topic with one key arrive in the order of
`sequence`.

| attribute | what it is |
|---|---|
| `id` | The message's id. |
| `source` | `/bank`. |
| `specversion` | `1.0`. |
| `type` | The topic, without the prefix of a cluster that several banks share. |
| `subject` | The message's key: the id of a client or an account, or what the topic says. |
| `time` | When it became true. |
| `sequence` | The event's number. Of two messages of a topic and key, the higher one is newer. |
| `datacontenttype` | `application/json`. |
| `dataschema` | Topic and version of `data`. |
| `traceparent` | The W3C trace context of the request behind it, where there was one. |
| `data` | What it tells, below. |

All fields are always there. Amounts are whole numbers of minor units, of up to 64 bits. What a reader does not know -
another attribute, field or value - it passes over: a new version of a topic only adds fields, and takes the place of
the one before. No message carries personal data: who needs more than ids asks the bank for it.
"""


def render_page() -> str:
    """Return the page."""
    topics = [line for topic in CATALOGUE.values() for line in _describe(topic)]
    return "\n".join([_HEAD, _render_message(), *_list_contents(), *topics])


def make_example(*, document: Document) -> Any:
    """Return a value that a JSON Schema describes, made of the examples in it."""
    if "examples" in document:
        return document["examples"][0]
    if "anyOf" in document:
        return make_example(document=document["anyOf"][0])
    return {name: make_example(document=field) for name, field in document["properties"].items()}


def _list_contents() -> Iterator[str]:
    yield "| topic | what it tells | consumer groups |"
    yield "|---|---|---|"
    for topic in CATALOGUE.values():
        yield f"| [{topic.name}](#{topic.name.replace('.', '')}) | {_summarise(topic)} | {_list_groups(topic)} |"
    yield ""


def _describe(topic: Topic) -> Iterator[str]:
    document = _make_newest(topic)
    yield from (f"## {topic.name}", "", document["description"], "")
    yield from (
        f"- Published: {_list_events(topic)}",
        f"- Key: {topic.key}.",
        f"- Consumer groups: {_list_groups(topic)}.",
    )
    yield from (f"- Schema: {_list_versions(topic)}.", "")
    yield from ("| field | type | meaning |", "|---|---|---|", *_list_fields(document), "")
    yield _render(make_example(document=document))


def _make_newest(topic: Topic) -> Document:
    return make_document(schema=Schema(topic.name, len(topic.versions)), data_type=topic.newest)


def _summarise(topic: Topic) -> str:
    said = " ".join((topic.newest.__doc__ or "").split())
    return f"{said} *Nobody publishes it yet.*" if topic.is_draft else said


def _list_events(topic: Topic) -> str:
    if topic.is_draft:
        return "nobody publishes it yet; until then it may change."
    events = [event for event, tellings in TOPICS.items() if any(telling.name == topic.name for telling in tellings)]
    return f"when the event {' or '.join(f'`{event}`' for event in events)} was committed."


def _list_groups(topic: Topic) -> str:
    readers = [group.name for group in list_groups() if topic.name in group.handlers]
    return ", ".join(readers) or "nobody yet"


def _list_versions(topic: Topic) -> str:
    files = [f"{topic.name}.v{version}.json" for version in range(len(topic.versions), 0, -1)]
    return ", ".join(f"[{name}](../events/schemas/{name})" for name in files)


def _list_fields(document: Document, *, at: str = "") -> Iterator[str]:
    for name, field in document["properties"].items():
        yield f"| `{at}{name}` | {_name_type(field)} | {field['description']} |"
        if "properties" in field:
            yield from _list_fields(field, at=f"{at}{name}.")


def _name_type(field: Document) -> str:
    if "anyOf" in field:
        return " or ".join(_name_type(each) for each in field["anyOf"])
    if field["type"] == "array":
        return f"array of {_name_type(field['items'])}"
    return str(field.get("format") or field.get("contentEncoding") or field["type"])


def _render_message() -> str:
    """Return a whole message as an example."""
    topic = CATALOGUE["account.balance.updated"]
    data = msgspec.convert(make_example(document=_make_newest(topic)), AccountBalanceUpdated)
    message = make_message(
        topic=topic.name,
        subject=data.account,
        sequence=1042,
        time=datetime(2026, 3, 2, 12, tzinfo=UTC),
        data=data,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return _render(json.loads(message.encode()))


def _render(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2)}\n```\n"
