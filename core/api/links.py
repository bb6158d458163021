"""Links in the OpenAPI document: what can be done with what an answer has made or shown.

They are derived from names. An answer XAnswer has an id, or an XPage has some: it leads to each call with {x_id} in its
path.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ANSWER = re.compile(r"(\w+?)(Answer|Page)")
_PLACES = {"Answer": "id", "Page": "results/0/id"}
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def add_links(document: dict[str, Any]) -> None:
    """Link each successful answer to the calls that take its id. To be called before answers are shared."""
    takers = list(_list_takers(document["paths"]))
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                source = _find_source(answer, document["components"]["schemas"]) if status < "300" else None
                links = source and dict(_make_links(operation["operationId"], *source, takers))
                if links:
                    answer["links"] = links


def _list_takers(paths: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each call with one id in its path: the id's name, and the call's."""
    for path, operations in paths.items():
        names = re.findall(r"{(\w+)}", path)
        if len(names) == 1:
            yield from ((names[0], operation["operationId"]) for operation in operations.values())


def _find_source(answer: Mapping[str, Any], components: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the name of the id that `answer` holds and where it is, or None."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    reference = schema.get("properties", {}).get("data", {}).get("$ref", "").rpartition("/")[2]
    match = _ANSWER.fullmatch(reference)
    if match is None or (match[2] == "Answer" and "id" not in components[reference]["properties"]):
        return None
    return f"{_WORD.sub('_', match[1]).lower()}_id", f"$response.body#/data/{_PLACES[match[2]]}"


def _make_links(
    source_call: str, id_name: str, place: str, takers: list[tuple[str, str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, call in takers:
        if name == id_name and call != source_call:
            yield call, {"operationId": call, "parameters": {name: place}}
