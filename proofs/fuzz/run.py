"""Schemathesis: examples, coverage, fuzzing and sequences of calls along the document's links."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from tests.api.caller import get_document

_SEND = WSGITransport.send
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


_TAKEN = ["2xx", 404, 409, 422]
"""What a well-formed request may be answered: the bank may have reasons of its own, but none of form."""


def run_phases(*, examples: int, seed: int) -> list[str]:
    """Run all phases and return what they found, each finding once."""
    schema = schemathesis.openapi.from_dict(get_document(), config=_configure(examples=examples, seed=seed))
    schema.app = get_wsgi_application()
    found: dict[tuple[str, str], str] = {}
    with patch.object(WSGITransport, "send", _send_in_process):
        for event in from_schema(schema).execute():
            for key, text in _list_findings(event):
                found.setdefault(key, text)
    return list(found.values())


def _send_in_process(self: WSGITransport, case: Any, *, session: Any = None, **options: Any) -> Any:
    """Send as the transport does, without the options of a socket, over which it falls in its control requests."""
    for name in ("max_redirects", "verify", "cert", "proxies"):
        options.pop(name, None)
    return _SEND(self, case, session=session, **options)


def _configure(*, examples: int, seed: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "base-url": "http://localhost",
            "generation": {"max-examples": examples, "mode": "all", "database": "none", "no-shrink": True},
            "output": {"sanitization": {"enabled": False}},
            "checks": {"enabled": False}
            | {name: {"enabled": True} for name in _CHECKS}
            | {"positive_data_acceptance": {"enabled": True, "expected-statuses": _TAKEN}},
        }
    )


def _list_findings(event: events.EngineEvent) -> Iterator[tuple[tuple[str, str], str]]:
    if isinstance(event, events.NonFatalError):
        yield (event.label, str(event.value)), f"error at {event.label}: {event.value}"
    if isinstance(event, events.ScenarioFinished):
        for nodes in event.recorder.checks.values():
            yield from (_describe(node) for node in nodes if node.status == Status.FAILURE)


def _describe(node: Any) -> tuple[tuple[str, str], str]:
    info = node.failure_info
    failure = info.failure
    return (failure.operation, f"{node.name} {failure.title}"), (
        f"{node.name} at {failure.operation}: {failure.title}\n{failure.message}\n{info.code_sample}"
    )
