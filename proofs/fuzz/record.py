"""What was asked and answered: by call and status, with the ids that came back and the faults."""

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from proofs.fuzz.document import Call, find_call, list_calls, list_links

_KEPT_IDS = 50


class Record:
    """Counts of all that was answered."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)
        self.codes: dict[str, Counter[str]] = defaultdict(Counter)
        self.faults: list[str] = []
        self.ids: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_KEPT_IDS))

    def add(self, *, method: str, path: str, status: int, body: Any) -> None:
        """Note an answer; `body` is None where it is no JSON."""
        call = find_call(method, path)
        self.statuses[call.name if call else ""][status] += 1
        if status >= 500:
            self.faults.append(f"{status} {method} {path}: {str(body)[:300]}")
        if call and status < 300 and body is not None:
            self._keep_ids(call, status, body)
        if call and status >= 400 and isinstance(body, dict):
            self.codes[call.name][str(body.get("code") or body.get("data", {}).get("code"))] += 1

    def _keep_ids(self, call: Call, status: int, body: Any) -> None:
        for name, steps in list_links(call, status):
            found = _follow(body, steps)
            if isinstance(found, str):
                self.ids[name].append(found)

    def list_unreached(self) -> list[str]:
        """Return the calls that were never answered with a success."""
        return [call.name for call in list_calls() if not any(status < 300 for status in self.statuses[call.name])]

    def count(self, hundreds: int) -> int:
        """Return how many answers had a status of so many hundreds."""
        return sum(n for counts in self.statuses.values() for status, n in counts.items() if status // 100 == hundreds)


def _follow(body: Any, steps: list[str]) -> Any:
    """Return what is at `steps` in the body, or None."""
    for step in steps:
        try:
            body = body[int(step)] if isinstance(body, list) else body[step]
        except (LookupError, ValueError):
            return None
    return body


RECORD = Record()


class RecordingMiddleware:
    """Puts each answer of this process into RECORD."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Run the request."""
        response = self.get_response(request)
        body = None if response.streaming else _read_json(response)
        RECORD.add(method=request.method or "", path=request.path, status=response.status_code, body=body)
        return response


def _read_json(response: HttpResponse) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None
