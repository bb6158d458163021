"""The JSON Schemas of the catalogue, and what may become of one that was published; see Note [Versions of messages]."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from events.catalogue import CATALOGUE, Schema, list_schemas
from events.catalogue.fields import MessageData

FOLDER = Path(__file__).resolve().parent.parent / "schemas"

Document = dict[str, Any]
"""A JSON Schema."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DRAFT = {"$comment": "A draft: nobody publishes it yet, so it may change."}
_PROSE = {"title", "description", "examples"}
"""What may be said better at any time; the rest of a schema is what readers build on."""


def make_document(*, schema: Schema, data_type: type[MessageData]) -> Document:
    """Return the JSON Schema of `data_type`, in one piece, without references."""
    [root], parts = msgspec.json.schema_components([data_type])
    draft = _DRAFT if CATALOGUE[schema.topic].is_draft else {}
    return {"$schema": _DIALECT, "$id": schema.uri, **draft, **_resolve(root, parts)}


def make_documents() -> dict[Schema, Document]:
    """Return the JSON Schemas of the catalogue as it is in the code."""
    return {schema: make_document(schema=schema, data_type=data_type) for schema, data_type in list_schemas()}


def read_documents() -> dict[Schema, Document]:
    """Return the JSON Schemas that stand in events/schemas: what was published."""
    return {_read_name(path): json.loads(path.read_text()) for path in FOLDER.glob("*.json")}


def get_path(*, schema: Schema) -> Path:
    """Return where the JSON Schema of a version stands."""
    return FOLDER / f"{schema.topic}.v{schema.version}.json"


def render_document(*, document: Document) -> str:
    """Return a JSON Schema as its file has it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def find_breaks(*, published: Mapping[Schema, Document], declared: Mapping[Schema, Document]) -> Iterator[str]:
    """Yield, as sentences, where `declared` does not keep what readers of the topics were promised.

    A published version is still there and unchanged but for prose, and a newer one only adds to it.
    """
    promised = {schema: document for schema, document in published.items() if not _DRAFT.items() <= document.items()}
    for schema, document in promised.items():
        if schema not in declared:
            yield f"{schema.topic}: version {schema.version} is published and may not go"
        elif _without_prose(document) != _without_prose(declared[schema]):
            yield f"{schema.topic}: version {schema.version} is published and may not change; add a version instead"
    for schema, document in declared.items():
        older = declared.get(schema._replace(version=schema.version - 1))
        if older is not None:
            for loss in _find_losses(_without_prose(older), _without_prose(document)):
                yield f"{schema.topic}: version {schema.version} may only add to the one before, but {loss}"


def _find_losses(old: Document, new: Document, *, at: str = "") -> Iterator[str]:
    """Yield what a reader of the object `old` misses in the object `new`."""
    for name, field in old["properties"].items():
        found = new["properties"].get(name)
        if found is None:
            yield f"{at}{name} is gone"
        elif field.get("type") == found.get("type") == "object" and "properties" in field:
            yield from _find_losses(field, found, at=f"{at}{name}.")
        elif field != found:
            yield f"{at}{name} has changed"
        elif name in old["required"] and name not in new["required"]:
            yield f"{at}{name} may be missing"


def _resolve(part: Any, parts: Mapping[str, Any]) -> Any:
    """Return `part` of a schema with the named `parts` in place of the references to them."""
    if isinstance(part, list):
        return [_resolve(each, parts) for each in part]
    if not isinstance(part, dict):
        return part
    named = _resolve(parts[part["$ref"].rpartition("/")[2]], parts) if "$ref" in part else {}
    return named | {name: _resolve(value, parts) for name, value in part.items() if name != "$ref"}


def _without_prose(part: Any) -> Any:
    """Return `part` of a schema without prose; a field may well be called description."""
    if isinstance(part, list):
        return [_without_prose(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: {field: _without_prose(each) for field, each in value.items()}
        if name == "properties"
        else _without_prose(value)
        for name, value in part.items()
        if name not in _PROSE
    }


def _read_name(path: Path) -> Schema:
    topic, _, version = path.stem.rpartition(".v")
    return Schema(topic, int(version))
