"""The regulator's interface, over HTTP: what is sent, and what its answers mean.

Reports go up to a hundred in a call and are answered one by one; the id of each is the key by which the regulator knows
it again. The host is the one of REGULATOR_URL: no redirect is followed, no proxy of the environment asked.
"""

import re
import time
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import msgspec
from django.conf import settings

from reporting.regulatory.states import Outcome

MAX_REPORTS = 100
CONNECT_SECONDS = 3.0
_MAX_BYTES = 1024 * 1024
_ABOUT_CONTENT = frozenset({400, 409, 413, 422})
"""What a call is answered that will never be taken as it is. Other refusals are about us, such as a wrong token."""
_CODE = re.compile(r"[a-z0-9_]{1,64}")


class ReportBody(msgspec.Struct, frozen=True):
    """A report as it is sent. `amount` is a decimal string, `day` the bank's."""

    id: UUID
    day: date
    completed_at: datetime
    kind: str
    debtor_account: UUID | None
    creditor_account: UUID | None
    amount: str
    currency: str


class Verdict(msgspec.Struct, frozen=True):
    """What became of something that was sent."""

    outcome: Outcome
    http_status: int | None = None
    code: str = ""
    acknowledgement: str = ""


class RegulatorAwayError(Exception):
    """The call failed: whatever else is sent now would fail as well. `verdict` says of what it held."""

    def __init__(self, verdict: Verdict) -> None:
        """Keep the verdict."""
        self.verdict = verdict
        super().__init__(verdict.code)


class ContentRefusedError(Exception):
    """The call was refused for what it held."""

    def __init__(self, verdict: Verdict) -> None:
        """Keep the verdict."""
        self.verdict = verdict
        super().__init__(verdict.code)


class _Answered(msgspec.Struct):
    outcome: str
    id: UUID | None = None
    acknowledgement: str = ""
    code: str = ""


class _AnsweredReports(msgspec.Struct):
    reports: list[_Answered]


class _Refusal(msgspec.Struct):
    code: str = ""


def send_reports(*, reports: Sequence[ReportBody]) -> dict[UUID, Verdict]:
    """Send up to MAX_REPORTS and return the verdicts by id. Raises RegulatorAwayError or ContentRefusedError."""
    status, answer = _call("POST", "/v1/reports", {"reports": reports}, _AnsweredReports)
    answered = {each.id: _judge(each, status) for each in answer.reports}
    return {report.id: answered.get(report.id, Verdict(Outcome.UNKNOWN, status, "not_answered")) for report in reports}


def send_summary(*, day: date, version: int, totals: object) -> Verdict:
    """Send the summary of a day and return the verdict. Raises RegulatorAwayError or ContentRefusedError."""
    status, answer = _call("PUT", f"/v1/summaries/{day:%Y-%m-%d}/{version}", {"totals": totals}, _Answered)
    return _judge(answer, status)


def _judge(answered: _Answered, status: int) -> Verdict:
    code = clean_code(code=answered.code)
    if answered.outcome == "accepted" and 0 < len(answered.acknowledgement) <= 64:
        return Verdict(Outcome.ACKNOWLEDGED, status, code, answered.acknowledgement)
    if answered.outcome == "refused":
        return Verdict(Outcome.REFUSED, status, code or "refused")
    return Verdict(Outcome.PUT_OFF, status, code or clean_code(code=answered.outcome))


def _call(method: str, path: str, body: object, answer_type: type[Any]) -> tuple[int, Any]:
    """Return the status and the answer of a call that was taken. Raises as its callers do."""
    try:
        status, content = _exchange(method, path, msgspec.json.encode(body))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise RegulatorAwayError(Verdict(Outcome.PUT_OFF, None, "unreachable")) from error
    except httpx.HTTPError as error:  # it may have been taken
        raise RegulatorAwayError(Verdict(Outcome.UNKNOWN, None, "no_reply")) from error
    if status in _ABOUT_CONTENT:
        raise ContentRefusedError(Verdict(Outcome.REFUSED, status, _read_code(content) or f"http_{status}"))
    if status != httpx.codes.OK:
        raise RegulatorAwayError(Verdict(Outcome.PUT_OFF, status, _read_code(content) or f"http_{status}"))
    try:
        return status, msgspec.json.decode(content, type=answer_type)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RegulatorAwayError(Verdict(Outcome.UNKNOWN, status, "unreadable_answer")) from error


def _exchange(method: str, path: str, content: bytes) -> tuple[int, bytes]:
    """Return status and body, within twice the timeout however slowly the body trickles in. Raises httpx.HTTPError."""
    deadline = time.monotonic() + 2 * settings.REGULATOR_TIMEOUT_SECONDS
    body = bytearray()
    with _client(settings.REGULATOR_URL).stream(method, path, content=content, headers=_make_headers()) as response:
        for part in response.iter_bytes():
            body += part
            if len(body) > _MAX_BYTES or time.monotonic() > deadline:
                raise httpx.ReadError("The answer is too long.")
    return response.status_code, bytes(body)


@cache
def _client(url: str) -> httpx.Client:
    """Return this process's connections, which stay open between calls."""
    timeout = httpx.Timeout(settings.REGULATOR_TIMEOUT_SECONDS, connect=CONNECT_SECONDS)
    return httpx.Client(base_url=url, timeout=timeout, follow_redirects=False, trust_env=False)


def _make_headers() -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": f"Bearer {settings.REGULATOR_TOKEN}"}


def _read_code(content: bytes) -> str:
    try:
        return clean_code(code=msgspec.json.decode(content, type=_Refusal).code)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def clean_code(*, code: str) -> str:
    """Return a code that may be kept for ever; anything else might be anybody's data."""
    return code if _CODE.fullmatch(code) else "other" if code else ""
