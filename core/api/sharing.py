"""What the answers of several calls have in common stands in the OpenAPI document once, under a name."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

_MAX_CODES_IN_NAME = 2


def share_answers(document: dict[str, Any]) -> None:
    """Name the schemas of all JSON answers; name what is refused alike by several calls, and the header fields."""
    document["components"] |= {"responses": {}, "headers": {}}
    for operation, status, answer in _list_answers(document):
        _share_headers(document, answer)
        content = answer["content"].get("application/json")
        if content:
            answer["description"] = answer["description"] or _describe(document, content["schema"])
            _share_schema(document, content, name=_name_schema(operation, status, content["schema"]))
    _share_refusals(document)


def _list_answers(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                yield operation, status, answer


def _share_headers(document: dict[str, Any], answer: dict[str, Any]) -> None:
    for name, header in answer.get("headers", {}).items():
        known = f"{name}-always" if header.get("required") else name
        document["components"]["headers"].setdefault(known, header)
        answer["headers"][name] = {"$ref": f"#/components/headers/{known}"}


def _describe(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return what is said of the data of a success."""
    reference = schema["properties"]["data"].get("$ref", "").rpartition("/")[2]
    said: str = document["components"]["schemas"].get(reference, {}).get("description", "Done.")
    return said


def _name_schema(operation: dict[str, Any], status: str, schema: dict[str, Any]) -> str:
    call = _camelize(operation["operationId"])
    if status < "400":
        data = schema["properties"]["data"].get("$ref", call).rpartition("/")[2]
        return f"{data.removesuffix('Answer')}Success"
    codes = _list_codes(schema)
    if len(codes) > _MAX_CODES_IN_NAME:
        return f"{call}Refused{status}"
    return f"Refused{'Or'.join(map(_camelize, codes))}"


def _list_codes(schema: dict[str, Any]) -> list[str]:
    """Return the codes that a refusal of a call may have."""
    told = schema["allOf"][1]["properties"]
    codes: list[str] = (told["code"] if "code" in told else told["data"]["properties"]["code"])["enum"]
    return codes


def _camelize(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _share_schema(document: dict[str, Any], content: dict[str, Any], *, name: str) -> None:
    document["components"]["schemas"][name] = content["schema"]
    content["schema"] = {"$ref": f"#/components/schemas/{name}"}


def _share_refusals(document: dict[str, Any]) -> None:
    """Name each refusal that several calls describe with the same words."""
    counts = Counter(_get_name(answer) for _, status, answer in _list_answers(document) if status >= "400")
    for operation, status, answer in list(_list_answers(document)):
        if status < "400" or counts[name := _get_name(answer)] == 1:
            continue
        if document["components"]["responses"].setdefault(name, answer) == answer:
            operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}


def _get_name(answer: dict[str, Any]) -> str:
    reference: str = answer["content"]["application/json"]["schema"]["$ref"]
    return reference.rpartition("/")[2]
