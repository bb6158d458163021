"""What the rail answers."""

import re
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus

from simulators.faults import Faults
from simulators.page import Figures
from simulators.rail.ledger import (
    Plan,
    carry_out_due,
    count_all,
    find_payment,
    find_reply,
    list_bookings,
    list_latest,
    list_messages,
    take_payment,
)
from simulators.rail.messages import MessageError, Payment, read_transfer, write_statement, write_status
from simulators.server import Answer, Request, Simulator

_PAGE = 100
_SHOWN = 20
_NOT_FOUND = Answer(HTTPStatus.NOT_FOUND, {"code": "not_found"})


@dataclass(frozen=True, kw_only=True)
class RailFaults(Faults):
    """What else may happen to a payment; each meets one of the first three at most."""

    refuse_rate: float = 0.0  # refused in the reply
    reject_rate: float = 0.0  # taken, and rejected later
    return_rate: float = 0.0  # settled, and sent back later
    overtake_rate: float = 0.0  # of what is sent back: the return comes before the status that says it was settled
    duplicate_rate: float = 0.0  # the status that says it was settled comes twice
    settle_ms: int = 0  # how long settling takes
    return_ms: int = 0  # how long after that it is sent back: days, compressed


class RailSimulator(Simulator[RailFaults]):
    """The interface of the package's docstring."""

    title = "Payment rail"

    def answer(self, request: Request) -> Answer:
        """Answer as the interface says."""
        with self.state.transaction() as database:
            carry_out_due(database, now=time.time())
            match request.method, request.path.strip("/").split("/"):
                case "PUT", ["payments", uetr]:
                    return self._take(database, uetr, request.body)
                case "GET", ["payments", uetr]:
                    return _show(database, uetr)
                case "GET", ["messages", outbox, position] if re.fullmatch("[0-9]{1,18}", position):
                    return _list_messages(database, outbox, int(position))
                case "GET", ["statements", day, currency]:
                    return _state(database, day, currency)
        return _NOT_FOUND

    def make_figures(self) -> Figures:
        """Return what a person sees."""
        with self.state.transaction() as database:
            carry_out_due(database, now=time.time())
            rows = list_latest(database, limit=_SHOWN)
            return Figures(count_all(database), ("UETR", "Amount", "Currency", "State", "Repeats"), rows)

    def _take(self, database: sqlite3.Connection, uetr: str, body: bytes) -> Answer:
        try:
            payment = read_transfer(body)
            known = find_reply(database, payment)
        except MessageError as error:
            return Answer(HTTPStatus.BAD_REQUEST, {"code": "bad_message", "message": str(error)})
        except KeyError:
            return Answer(HTTPStatus.CONFLICT, {"code": "another_payment"})
        if payment.uetr != uetr:
            return Answer(HTTPStatus.BAD_REQUEST, {"code": "another_uetr"})
        return _answer(*known) if known else self._take_new(database, payment)

    def _take_new(self, database: sqlite3.Connection, payment: Payment) -> Answer:
        plan, now = self._make_plan(), time.time()
        at = datetime.fromtimestamp(now, UTC)
        if plan.state == "refused":
            reply = write_status(payment, "RJCT", reason="AC01", at=at)
        else:
            reply = write_status(payment, "ACTC", at=at)
        take_payment(database, payment, reply, plan, now=now)
        return _answer(plan.state, reply)

    def _make_plan(self) -> Plan:
        """Return what shall become of a payment."""
        faults = self.faults
        settles, returns = faults.settle_ms / 1000, (faults.settle_ms + faults.return_ms) / 1000
        if self.happens(faults.refuse_rate):
            return Plan("refused")
        if self.happens(faults.reject_rate):
            return Plan("accepted", [(settles, "reject")])
        if not self.happens(faults.return_rate):
            told = ["tell settled", "repeat"] if self.happens(faults.duplicate_rate) else ["tell settled"]
            return Plan("accepted", [(settles, "settle"), *((settles, act) for act in told)])
        if self.happens(faults.overtake_rate):
            return Plan("accepted", [(settles, "settle"), (returns, "send back"), (returns, "tell settled")])
        return Plan("accepted", [(settles, "settle"), (settles, "tell settled"), (returns, "send back")])


def _answer(state: str, reply: str) -> Answer:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if state == "refused" else HTTPStatus.OK
    return Answer(status, {"message": reply})


def _show(database: sqlite3.Connection, uetr: str) -> Answer:
    found = find_payment(database, uetr)
    if found is None:
        return Answer(HTTPStatus.NOT_FOUND, {"unknown": "payment"})
    payment, state = found
    codes = {"accepted": "ACTC", "refused": "RJCT", "rejected": "RJCT"}
    status = codes.get(state, "ACSC")
    reason = {"refused": "AC01", "rejected": "AC04"}.get(state, "")
    return Answer(HTTPStatus.OK, {"message": write_status(payment, status, reason=reason, at=datetime.now(tz=UTC))})


def _list_messages(database: sqlite3.Connection, outbox: str, after: int) -> Answer:
    name, rows = list_messages(database, outbox, after=after, limit=_PAGE)
    page = rows[:_PAGE]
    position = page[-1][0] if page else after if outbox == name else 0
    messages = [body for _, body in page]
    return Answer(
        HTTPStatus.OK, {"outbox": name, "position": position, "messages": messages, "is_more": len(rows) > _PAGE}
    )


def _state(database: sqlite3.Connection, day: str, currency: str) -> Answer:
    try:
        of_day = date.fromisoformat(day)
    except ValueError:
        return _NOT_FOUND
    if not re.fullmatch("[A-Z]{3}", currency):
        return _NOT_FOUND
    opening, bookings = list_bookings(database, of_day, currency)
    message = write_statement(of_day, currency, opening=opening, bookings=bookings, now=datetime.now(tz=UTC))
    return Answer(HTTPStatus.OK, {"message": message})
