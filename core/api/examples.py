"""Examples in the OpenAPI document, put together from those of the fields, so that none can grow stale."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_BY_FORMAT = {
    "uuid": "018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e",
    "date": "2026-03-02",
    "date-time": "2026-03-02T12:00:00Z",
}
_BY_TYPE = {"boolean": True, "string": "text", "null": None}


def make_example(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """Return an example of what `schema` describes: its own if it has one, else one made of its parts."""
    if "$ref" in schema:
        return make_example(components[schema["$ref"].rpartition("/")[2]], components)
    for own in ("example", "const"):
        if own in schema:
            return schema[own]
    for several in ("examples", "enum"):
        if several in schema:
            return schema[several][0]
    for parts in ("oneOf", "anyOf", "allOf"):
        if parts in schema:
            return make_example(_choose(schema[parts]), components)
    return _make_by_type(schema, components)


def _choose(parts: list[Schema]) -> Schema:
    """Return the first part that says more than null."""
    return next((part for part in parts if part.get("type") != "null"), parts[0])


def _make_by_type(schema: Schema, components: Mapping[str, Schema]) -> Any:
    kind = _choose_type(schema)
    if kind == "object":
        return _make_object(schema, components)
    if kind == "array":
        return [make_example(schema["items"], components)]
    if kind in ("integer", "number"):
        return schema.get("default", max(schema.get("minimum", 1), 1))
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(kind))


def _choose_type(schema: Schema) -> str:
    """Return the first type that is allowed, but of an address that may be missing, none: the only page has none."""
    kinds = schema.get("type", "object")
    if isinstance(kinds, str):
        return kinds
    return "null" if schema.get("format") == "uri" else str(kinds[0])


def _make_object(schema: Schema, components: Mapping[str, Schema]) -> dict[str, Any]:
    made = {name: make_example(part, components) for name, part in schema.get("properties", {}).items()}
    more = schema.get("additionalProperties")
    return made | {"name": make_example(more, components)} if isinstance(more, Mapping) else made


def add_examples(document: dict[str, Any]) -> None:
    """Give each JSON body and each successful JSON answer of the document an example, unless it has one."""
    components = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = [answer for status, answer in operation["responses"].items() if status < "300"]
            for said in [operation.get("requestBody", {}), *answers]:
                content = said.get("content", {}).get("application/json")
                if content and not content.keys() & {"example", "examples"}:
                    content["example"] = make_example(content["schema"], components)
