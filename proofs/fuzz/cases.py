"""From what schemathesis makes up to what the bank is asked: positive parts get values that mean something."""

import json
from itertools import count
from typing import Any

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData

from proofs.fuzz.bank import KEEP, Bank
from tests.api.caller import get_document

_keys = count()
_meant: set[str] = set()
"""Cases that were well-formed before they got values: a form with a real file looks as if it were not."""


def hook_up(bank: Bank, *, seed: int) -> None:
    """Let schemathesis call as people of `bank` do."""

    @schemathesis.hook
    def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
        _make_meaningful(bank, case, seed)

    @schemathesis.hook
    def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
        if isinstance(failure, AcceptedNegativeData):
            return case.id not in _meant
        return not (isinstance(failure, RejectedPositiveData) and _is_about_odd_text(case, response))

    @schemathesis.auth(refresh_interval=None, retry_on=[])
    class _Tokens:
        def get(self, case: Case[Any], context: Any) -> str | None:
            return bank.get_token(case.operation.definition.raw)

        def set(self, case: Case[Any], data: str | None, context: Any) -> None:
            if data is not None:
                case.headers["Authorization"] = f"Bearer {data}"


def _make_meaningful(bank: Bank, case: Case[Any], seed: int) -> None:
    if all(_is_positive(case, location) for location in ParameterLocation):
        _meant.add(case.id)
    if _is_positive(case, ParameterLocation.PATH) and not _is_led(case):
        case.path_parameters = {name: bank.choose_id(name) for name in case.path_parameters}
    if _is_positive(case, ParameterLocation.QUERY) and case.query:
        case.query = _fill_query(bank, case)
    if _is_positive(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        definition = case.operation.definition.raw["requestBody"]["content"][case.media_type]["schema"]
        case.body = bank.fill_body(case.body, definition, get_document()["components"]["schemas"])
    if _is_positive(case, ParameterLocation.HEADER) and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"fuzz-{seed}-{next(_keys)}"


def _is_positive(case: Case[Any], location: ParameterLocation) -> bool:
    return case.meta is None or not case.meta.is_negative_at(location)


def _is_led(case: Case[Any]) -> bool:
    """Tell whether a link of the document gave the ids in the path - but a client's end is nobody's next step."""
    is_stateful = case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL
    return is_stateful and "client_id" not in case.path_parameters


def _is_about_odd_text(case: Case[Any], response: Response) -> bool:
    """Tell whether only texts are at fault that no line may hold: which characters these are, no schema can say.

    A body with NUL in it is refused as a whole, before its fields are looked at.
    """
    if response.status_code != 400:
        return False
    at_fault = response.json()["data"].get("errors", {})
    if not at_fault:
        return "\\u0000" in json.dumps(case.body, default=str)
    texts = [_follow(case.body, field.split(".")) for field in at_fault]
    return bool(texts) and all(isinstance(text, str) and not (text.isprintable() and text.strip()) for text in texts)


def _follow(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _fill_query(bank: Bank, case: Case[Any]) -> dict[str, Any]:
    schemas = {each["name"]: each["schema"] for each in case.operation.definition.raw.get("parameters", [])}
    chosen = {name: bank.choose_query(name, schemas.get(name, {})) for name in case.query}
    filled = {name: case.query[name] if value is KEEP else value for name, value in chosen.items() if value is not None}
    if filled.keys() >= {"at", "min_version"}:  # which contradict each other
        del filled["at"]
    return filled
