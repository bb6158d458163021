"""All errors that a caller can tell apart, each by its contract."""

import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from django.http import HttpResponse

from core.api.jsend import render_refusal
from core.errors import BankError, RateLimitedError

for _app in ("events", "approvals", "ledger", "kyc", "accounts", "transfers"):
    import_module(f"{_app}.errors")
import_module("core.api.errors")
import_module("core.sessions")


def walk(base: type[BankError] = BankError) -> Iterator[type[BankError]]:
    """Yield all errors below `base`."""
    for error in base.__subclasses__():
        yield error
        yield from walk(error)


ERRORS = sorted(set(walk()), key=lambda error: error.__name__)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_says_what_happened(error: type[BankError]) -> None:
    assert error.__name__.endswith("Error")
    assert error.__doc__
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert 400 <= error.http_status < 600
    assert error.message.endswith(".")


def test_a_code_has_one_status_and_one_retry() -> None:
    meanings: dict[str, set[tuple[int, bool]]] = {}
    for error in ERRORS:
        meanings.setdefault(error.code, set()).add((error.http_status, error.retryable))

    assert {code: found for code, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_answer_says_when_to_come_back_if_that_helps(error: type[BankError]) -> None:
    response = render_refusal(_make(error))

    assert isinstance(response, HttpResponse)
    assert response.status_code == error.http_status
    assert ("Retry-After" in response.headers) is error.retryable


def _make(error: type[BankError]) -> BankError:
    return error(retry_after_seconds=1) if error is RateLimitedError else error()
