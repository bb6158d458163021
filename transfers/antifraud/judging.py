"""Judging orders: facts from the histories of their accounts, what the rules find in them, and the record of that."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from core.db import Query, Row, Statement, Write, as_rows, columns_of, rows_of
from transfers.antifraud.histories import DAY, HOUR, MINUTE, History, Read, Side, ask_histories, read_rows
from transfers.antifraud.rule_sets import ActiveRules, expect_active_rules, note_active_rules
from transfers.antifraud.rules import Facts, Finding, RuleBook, decide
from transfers.antifraud.states import Decision, Mode


class Movement(NamedTuple):
    """What is judged: money that leaves an account, for another one or (None) for somewhere else.

    `amount` is in minor units. Cash that is paid in leaves no account: it is not judged, but remembered.
    """

    debtor_account_id: UUID | None
    creditor_account_id: UUID | None
    amount: int
    currency: str


class Verdict(NamedTuple):
    """What the rules make of an order."""

    decision: Decision
    findings: Sequence[Finding] = ()
    facts: Facts | None = None

    @property
    def codes(self) -> list[str]:
        """The rules that led to the decision."""
        return [finding.rule for finding in self.findings if finding.mode == Mode.ACTIVE]


ACCEPTED = Verdict(Decision.ACCEPT)
"""The verdict where nothing was found."""


class _NewJudgement(Row):
    id: UUID
    rule_set_id: UUID
    decision: str
    findings: object
    facts: object
    judged_at: datetime


_INSERT = Statement(
    f"""
    INSERT INTO antifraud_judgement ({columns_of(_NewJudgement)})
    SELECT judgement.* FROM {rows_of(_NewJudgement)} judgement
    """  # noqa: S608 - built from constants
)


class Judge:
    """Judges orders one by one; each that is remembered counts for those that follow."""

    def __init__(self, *, rules: ActiveRules, histories: Mapping[UUID, History], now: datetime) -> None:
        """Judge by `rules` over the histories of all accounts that will be named, as of `now`."""
        self._rules = rules
        self._histories = histories
        self._now = now
        self._hour = timezone.localtime(now).hour
        self._new: list[_NewJudgement] = []

    def judge(self, movement: Movement) -> Verdict:
        """Return what becomes of an order over accounts that exist; nothing is remembered of it yet."""
        if movement.debtor_account_id is None:
            return ACCEPTED
        facts = self._gather(movement, self._histories[movement.debtor_account_id])
        findings = self._rules.book.judge(facts)
        return Verdict(decide(findings), findings, facts) if findings else ACCEPTED

    def remember(self, movement: Movement, *, is_completed: bool) -> None:
        """Let an order that left a transfer count for those that follow."""
        low, high = self._rules.book.get_band(movement.currency)
        is_near = low <= movement.amount < high
        debtor_id, creditor_id = movement.debtor_account_id, movement.creditor_account_id
        if debtor_id is None:
            creditor = self._histories.get(creditor_id) if creditor_id else None
            if creditor is not None and is_near:
                creditor.near_limit += 1
            return
        self._histories[debtor_id].send(creditor_id, movement.amount, is_near=is_near, is_completed=is_completed)
        if creditor_id is not None:
            self._histories[creditor_id].payers.add(debtor_id)

    def remember_elsewhere(self, movement: Movement, *, at: datetime) -> None:
        """Let an order of the last day that made no transfer, but a payment, count for those that follow."""
        if movement.debtor_account_id is None or not timedelta() <= (age := self._now - at) < DAY:
            return
        low, high = self._rules.book.get_band(movement.currency)
        history = self._histories[movement.debtor_account_id]
        history.sent_day += 1
        history.sent_hour += age < HOUR
        history.sent_minute += age < MINUTE
        history.near_limit += low <= movement.amount < high

    def record(self, verdict: Verdict, *, subject_id: UUID) -> None:
        """Have what was found about an order kept, under the id of what it made; where nothing was, nothing is."""
        if verdict.findings:
            self._new.append(
                _NewJudgement(
                    subject_id, self._rules.id, verdict.decision.value, verdict.findings, verdict.facts, self._now
                )
            )

    def take_writes(self) -> list[Write]:
        """Return the writes of what was recorded since the last call."""
        new, self._new = self._new, []
        return [Write(_INSERT, (as_rows(new),))] if new else []

    def _gather(self, movement: Movement, debtor: History) -> Facts:
        creditor_id = movement.creditor_account_id
        creditor = None if creditor_id is None else self._histories[creditor_id]
        sides = (("debtor", debtor), ("creditor", creditor))
        return Facts(
            amount=movement.amount,
            currency=movement.currency,
            hour=self._hour,
            sent_minute=debtor.sent_minute,
            sent_hour=debtor.sent_hour,
            sent_day=debtor.sent_day,
            near_limit_day=debtor.near_limit,
            recipients_day=len(debtor.recipients),
            payers_day=len(creditor.payers) if creditor else 0,
            is_new_recipient_today=creditor_id is not None and creditor_id not in debtor.recipients,
            is_new_payer_today=creditor is not None and movement.debtor_account_id not in creditor.payers,
            is_known_recipient=creditor_id in debtor.known,
            has_recipient=creditor_id is not None,
            habit_count=debtor.habit_count,
            habit_sum=debtor.habit_sum,
            age_days=(self._now - debtor.opened_at).days,
            blocked=[name for name, history in sides if history and history.blocked],
            is_debtor_trusted=debtor.trusted,
            is_creditor_trusted=creditor is not None and creditor.trusted,
        )


class Inquiry(NamedTuple):
    """What has to be read before movements are judged, by the rules that are expected to be in force."""

    movements: Sequence[Movement]
    rules: ActiveRules
    sides: Sequence[Side]
    now: datetime

    @property
    def query(self) -> Query:
        """What went before on the accounts: to be run once they are locked, in a statement of its own."""
        return ask_histories(sides=self.sides, now=self.now)


def inquire(*, movements: Sequence[Movement], now: datetime) -> Inquiry:
    """Return what is to be read about `movements`, in one query however many there are; nothing if none is judged."""
    rules = expect_active_rules()
    is_judged = any(movement.debtor_account_id is not None for movement in movements)
    return Inquiry(movements, rules, list_sides(book=rules.book, movements=movements) if is_judged else (), now)


def make_judge(*, inquiry: Inquiry, rows: list[tuple[Any, ...]]) -> Judge:
    """Return the judge who knows what the query of `inquiry` has found, in this transaction.

    Asks once more if other rules have come into force: what is read depends on them.
    """
    read = read_rows(rows=rows)
    if read.rule_set_id is None or read.rule_set_id == inquiry.rules.id:
        return Judge(rules=inquiry.rules, histories=_name_histories(inquiry.sides, read), now=inquiry.now)
    rules = note_active_rules(rule_set_id=read.rule_set_id)
    anew = inquiry._replace(rules=rules, sides=list_sides(book=rules.book, movements=inquiry.movements))
    return Judge(rules=rules, histories=_name_histories(anew.sides, read_rows(rows=anew.query.run())), now=inquiry.now)


def prepare_judge(*, movements: Sequence[Movement], now: datetime) -> Judge:
    """Read what went before on the accounts of `movements`, which this transaction has locked; return their judge."""
    inquiry = inquire(movements=movements, now=now)
    rows = inquiry.query.run() if inquiry.sides else []
    return make_judge(inquiry=inquiry, rows=rows)


def _name_histories(sides: Sequence[Side], read: Read) -> dict[UUID, History]:
    places = enumerate(sides)
    return {side.account_id: read.histories[place] for place, side in places if place in read.histories}


def list_sides(*, book: RuleBook, movements: Iterable[Movement]) -> list[Side]:
    """Return each account of `movements` once, with what of its history the rules could need."""
    sides: dict[UUID, Side] = {}
    needs_payers = book.needs_payers()
    for debtor_id, creditor_id, amount, currency in movements:
        low, high = band = book.get_band(currency)
        if debtor_id is not None:
            sent, minute = book.count_needed(amount, currency)
            habit = book.needs_habit(amount, currency)
            _add(sides, Side(debtor_id, sent, minute, habit=habit, received=low <= amount < high, near=band))
        if creditor_id is not None:
            received = needs_payers and debtor_id is not None
            _add(sides, Side(creditor_id, sent=0, minute=0, habit=False, received=received, near=band))
    return list(sides.values())


def _add(sides: dict[UUID, Side], side: Side) -> None:
    """Have an account read for what any of its orders needs."""
    known = sides.get(side.account_id)
    if known is not None:
        side = side._replace(
            sent=max(known.sent, side.sent),
            minute=max(known.minute, side.minute),
            habit=known.habit or side.habit,
            received=known.received or side.received,
        )
    sides[side.account_id] = side
