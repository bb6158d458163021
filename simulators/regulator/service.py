"""What the regulator answers."""

import hashlib
import json
import re
import sqlite3
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from uuid import UUID

from simulators.faults import Faults
from simulators.page import Figures
from simulators.regulator.register import (
    Accepted,
    Total,
    count_all,
    count_repeat,
    find_report,
    find_summary,
    keep_refusal,
    keep_report,
    keep_summary,
    list_latest,
    sum_day,
)
from simulators.server import Answer, Request, Simulator

MAX_REPORTS = 100
_SHOWN = 20
_SUMMARY = re.compile(r"/v1/summaries/(\d{4}-\d{2}-\d{2})/(\d{1,4})")
_FIELDS = {"id", "day", "completed_at", "kind", "debtor_account", "creditor_account", "amount", "currency"}
_KINDS = ("deposit", "withdrawal", "internal")


@dataclass(frozen=True, kw_only=True)
class RegulatorFaults(Faults):
    """What may also become of a single report in a call that is answered.

    Whether one is refused depends on its id and the seed alone, so it stays refused until the switches change.
    """

    refuse_rate: float = 0.0  # refused for good: "rejected_by_rule"
    later_rate: float = 0.0  # not taken this time


class Regulator(Simulator[RegulatorFaults]):
    """The regulator's interface."""

    title = "Regulator"

    def answer(self, request: Request) -> Answer:
        """Answer a call of a bank."""
        if request.method == "POST" and request.path == "/v1/reports":
            return self._take_reports(request.body)
        if request.method == "PUT" and (named := _SUMMARY.fullmatch(request.path)):
            return self._take_summary(named[1], int(named[2]), request.body)
        return _refuse(HTTPStatus.NOT_FOUND, "no_such_call")

    def make_figures(self) -> Figures:
        """Return what came."""
        with self.state.transaction() as database:
            return Figures(
                numbers=count_all(database),
                headings=("Number", "Report", "Day", "Kind", "Currency", "Amount", "Repeats"),
                rows=list_latest(database, limit=_SHOWN),
            )

    def _take_reports(self, body: bytes) -> Answer:
        reports = _read(body, "reports")
        if reports is None:
            return _refuse(HTTPStatus.BAD_REQUEST, "malformed")
        if len(reports) > MAX_REPORTS:
            return _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_reports")
        with self.state.transaction() as database:
            return Answer(HTTPStatus.OK, {"reports": [self._take(database, report) for report in reports]})

    def _take(self, database: sqlite3.Connection, sent: dict[str, object]) -> dict[str, object]:
        """Return what is answered about one report."""
        report = _read_report(sent)
        if report is None:
            return {"id": sent.get("id"), "outcome": "refused", "code": "malformed"}
        if known := find_report(database, report.id):
            return _answer_again(database, report, *known)
        if self.happens(self.faults.later_rate):
            return {"id": report.id, "outcome": "later"}
        if _share_of(f"{self.faults.seed} {report.id}") < self.faults.refuse_rate:
            keep_refusal(database, report.id, "rejected_by_rule")
            return {"id": report.id, "outcome": "refused", "code": "rejected_by_rule"}
        return _accept(report.id, keep_report(database, report))

    def _take_summary(self, day: str, version: int, body: bytes) -> Answer:
        totals = _read(body, "totals")
        stated = None if totals is None else _read_totals(totals)
        if stated is None or not _is_day(day):
            return _refuse(HTTPStatus.BAD_REQUEST, "malformed")
        digest = _digest(totals)
        with self.state.transaction() as database:
            if known := find_summary(database, day, version):
                number, first = known
                return _answer_summary(number) if first == digest else _refuse(HTTPStatus.CONFLICT, "contradicts")
            if sum_day(database, day) != stated:
                return _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "totals_differ")
            return _answer_summary(keep_summary(database, day, version, digest))


def _answer_again(database: sqlite3.Connection, report: Accepted, number: int, digest: str) -> dict[str, object]:
    if digest != report.digest:
        return {"id": report.id, "outcome": "refused", "code": "contradicts"}
    count_repeat(database, report.id)
    return _accept(report.id, number)


def _accept(report_id: str, number: int) -> dict[str, object]:
    return {"id": report_id, "outcome": "accepted", "acknowledgement": f"R-{number:010}"}


def _answer_summary(number: int) -> Answer:
    return Answer(HTTPStatus.OK, {"outcome": "accepted", "acknowledgement": f"S-{number:010}"})


def _refuse(status: HTTPStatus, code: str) -> Answer:
    return Answer(status, {"code": code})


def _read(body: bytes, name: str) -> list[dict[str, object]] | None:
    """Return the list of objects that `body` has under `name`, or None."""
    try:
        items = json.loads(body)[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return items if isinstance(items, list) and all(isinstance(item, dict) for item in items) else None


def _read_report(sent: dict[str, object]) -> Accepted | None:
    """Return a report, or None if it is malformed."""
    if sent.keys() != _FIELDS or sent["kind"] not in _KINDS or not _is_id(sent["id"]) or not _is_day(sent["day"]):
        return None
    amount = _read_amount(sent["amount"])
    if amount is None or amount <= 0 or not re.fullmatch("[A-Z]{3}", str(sent["currency"])):
        return None
    texts = {name: str(sent[name]) for name in ("id", "day", "kind", "currency", "amount")}
    return Accepted(digest=_digest(sent), **texts)


def _read_totals(totals: list[dict[str, object]]) -> dict[tuple[str, str], Total] | None:
    """Return what a summary says was reported, by currency and kind, without zeros; None if it is malformed."""
    stated = {}
    for total in totals:
        reports, amount = total.get("reported"), _read_amount(total.get("reported_amount"))
        if not isinstance(reports, int) or amount is None:
            return None
        if reports:
            stated[str(total.get("currency")), str(total.get("kind"))] = Total(reports, amount)
    return stated


def _read_amount(value: object) -> Decimal | None:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,4})?", value):
        return None
    return Decimal(value)


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _share_of(text: str) -> float:
    """Return a number from 0 to 1 that belongs to `text`."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
