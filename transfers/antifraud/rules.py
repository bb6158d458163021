"""The rules: each looks at the facts of one order, which were gathered before, and says in words what it found.

A rule is a struct of its parameters, so that a version of the rules is JSON that is checked when it is read. Amounts
are whole units of a currency, by its code; "*" stands for all others, and where neither is named the rule says nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import msgspec
from django.utils.translation import gettext, gettext_noop
from msgspec import Meta

from core.errors import InvalidInputError
from core.money import format_amount, get_exponent
from transfers.antifraud.states import Decision, Mode

WINDOW = 1_000
"""How many of an account's latest orders are looked at: no count goes beyond it, whatever the account does."""

MINUTE_WINDOW = 10_000
"""How many orders of an account within a minute are counted: as many as a batch may have."""

Count = Annotated[int, Meta(ge=1, le=WINDOW)]
Hour = Annotated[int, Meta(ge=0, le=23)]
Amounts = Annotated[
    dict[Annotated[str, Meta(pattern=r"^([A-Z]{3}|\*)$")], Annotated[int, Meta(ge=1)]], Meta(min_length=1)
]


class Facts(msgspec.Struct, gc=False):
    """What the rules know of an order: it, and what went before it on its accounts. Amounts are minor units.

    Counts are of orders before this one, whatever became of them, and none goes further than a rule could ask: WINDOW
    at most or, of the last minute, MINUTE_WINDOW. What is known of a payer or a counterparty is that money moved.
    `habit_count` and `habit_sum` are of the debtor's latest completed transfers. What no rule could ask of this order
    is left at nothing.
    """

    amount: int
    currency: str
    hour: int
    sent_minute: int = 0
    sent_hour: int = 0
    sent_day: int = 0
    near_limit_day: int = 0
    recipients_day: int = 0
    payers_day: int = 0
    is_new_recipient_today: bool = False
    is_new_payer_today: bool = False
    is_known_recipient: bool = False
    has_recipient: bool = False
    habit_count: int = 0
    habit_sum: int = 0
    age_days: int = 0
    blocked: Sequence[str] = ()
    is_debtor_trusted: bool = False
    is_creditor_trusted: bool = False


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="code"):
    title: ClassVar[str]
    explanation: ClassVar[str]

    def find(self, facts: Facts) -> str | None:
        """Return what is suspicious, in words without personal data, or None."""
        raise NotImplementedError

    def count_needed(self, amount: int, currency: str) -> tuple[int, int]:
        """Return how many of the debtor's latest orders, of a day and of a minute, decide about such an order."""
        return 0, 0


def _reach(amounts: Mapping[str, int], currency: str) -> int | None:
    """Return the amount for a currency in minor units, or None if there is none."""
    units = amounts.get(currency) or amounts.get("*")
    return None if units is None else units * 10 ** get_exponent(currency)


class Listed(_Rule, frozen=True, tag="listed"):
    """A party stands on the list of the blocked."""

    title = gettext_noop("Blocked list")
    explanation = "The debtor or the creditor, or its client, stands on the bank's list of the blocked."

    def find(self, facts: Facts) -> str | None:
        """Name the side that is listed."""
        return f"on the list of the blocked: {', '.join(facts.blocked)}" if facts.blocked else None


class Velocity(_Rule, frozen=True, tag="velocity"):
    """Too many orders in a short time."""

    title = gettext_noop("Velocity")
    explanation = "More orders over an account within a minute, an hour or a day than it may give."
    per_minute: Annotated[int, Meta(ge=1, le=MINUTE_WINDOW)] | None = None
    per_hour: Count | None = None
    per_day: Count | None = None

    def find(self, facts: Facts) -> str | None:
        """Name the shortest time in which there were too many."""
        if facts.is_debtor_trusted:
            return None
        if self.per_minute is not None and facts.sent_minute >= self.per_minute:
            return f"more than {self.per_minute} orders within a minute"
        if self.per_hour is not None and facts.sent_hour >= self.per_hour:
            return f"more than {self.per_hour} orders within an hour"
        if self.per_day is not None and facts.sent_day >= self.per_day:
            return f"more than {self.per_day} orders within a day"
        return None

    def count_needed(self, amount: int, currency: str) -> tuple[int, int]:
        """Ask for as many as it allows."""
        return max(self.per_hour or 0, self.per_day or 0), self.per_minute or 0


class Habit(_Rule, frozen=True, tag="habit"):
    """An amount that is far from what is usual on the account."""

    title = gettext_noop("Amount against habit")
    explanation = "The amount is many times the average of the account's latest transfers, and not small."
    times: Annotated[int, Meta(ge=2)]
    from_amount: Amounts
    from_count: Annotated[int, Meta(ge=1, le=100)] = 10

    def find(self, facts: Facts) -> str | None:
        """Name the average."""
        least = _reach(self.from_amount, facts.currency)
        if least is None or facts.amount < least or facts.habit_count < self.from_count:
            return None
        if facts.amount * facts.habit_count <= self.times * facts.habit_sum:
            return None
        average = format_amount(facts.habit_sum // facts.habit_count, facts.currency)
        return f"more than {self.times} times the average of {average} {facts.currency}"


class NewCounterparty(_Rule, frozen=True, tag="new_counterparty"):
    """Much money to somebody new."""

    title = gettext_noop("New counterparty")
    explanation = "A large amount to an account that was not among the latest that the debtor has paid."
    from_amount: Amounts

    def find(self, facts: Facts) -> str | None:
        """Name the amount from which it matters."""
        least = _reach(self.from_amount, facts.currency)
        if not facts.has_recipient or facts.is_known_recipient or least is None or facts.amount < least:
            return None
        return f"{format_amount(least, facts.currency)} {facts.currency} or more to a new counterparty"


class Night(_Rule, frozen=True, tag="night"):
    """Much money at night."""

    title = gettext_noop("Night limit")
    explanation = "A large amount between two hours of the night, in the bank's time zone."
    from_amount: Amounts
    from_hour: Hour = 22
    to_hour: Hour = 6

    def find(self, facts: Facts) -> str | None:
        """Name the limit."""
        least = _reach(self.from_amount, facts.currency)
        if least is None or facts.amount < least or not self._is_night(facts.hour):
            return None
        hours = f"{self.from_hour:02}:00 and {self.to_hour:02}:00"
        return f"{format_amount(least, facts.currency)} {facts.currency} or more between {hours}"

    def _is_night(self, hour: int) -> bool:
        if self.from_hour <= self.to_hour:
            return self.from_hour <= hour < self.to_hour
        return hour >= self.from_hour or hour < self.to_hour


class Structuring(_Rule, frozen=True, tag="structuring"):
    """A large sum in pieces that stay just below a limit."""

    title = gettext_noop("Structuring")
    explanation = "Several amounts a little below a limit within a day: sent, or paid in as cash."
    limit: Amounts
    within_percent: Annotated[int, Meta(ge=1, le=50)] = 10
    times: Count = 3

    def find(self, facts: Facts) -> str | None:
        """Name the limit."""
        low, high = self.get_band(facts.currency)
        if not low <= facts.amount < high or facts.near_limit_day + 1 < self.times:
            return None
        return (
            f"{self.times} or more amounts just below {format_amount(high, facts.currency)} {facts.currency} in a day"
        )

    def get_band(self, currency: str) -> tuple[int, int]:
        """Return from and up to which amount, in minor units, one is just below the limit; (0, 0) if none is."""
        high = _reach(self.limit, currency)
        return (0, 0) if high is None else (high - high * self.within_percent // 100, high)

    def count_needed(self, amount: int, currency: str) -> tuple[int, int]:
        """Ask for the day's, if this one is just below the limit."""
        low, high = self.get_band(currency)
        return (WINDOW, 0) if low <= amount < high else (0, 0)


class FanOut(_Rule, frozen=True, tag="fan_out"):
    """Money to many accounts."""

    title = gettext_noop("Fan-out")
    explanation = "Money to more different accounts within a day than usual people pay."
    per_day: Count

    def find(self, facts: Facts) -> str | None:
        """Name the limit."""
        if facts.is_debtor_trusted or facts.recipients_day + facts.is_new_recipient_today <= self.per_day:
            return None
        return f"money to more than {self.per_day} accounts within a day"

    def count_needed(self, amount: int, currency: str) -> tuple[int, int]:
        """Ask for the day's, as many may go to one account."""
        return WINDOW, 0


class FanIn(_Rule, frozen=True, tag="fan_in"):
    """Money from many accounts."""

    title = gettext_noop("Fan-in")
    explanation = "The creditor gets money from more different accounts within a day than usual people do."
    per_day: Count

    def find(self, facts: Facts) -> str | None:
        """Name the limit."""
        if facts.is_creditor_trusted or facts.payers_day + facts.is_new_payer_today <= self.per_day:
            return None
        return f"money from more than {self.per_day} accounts within a day"


class YoungAccount(_Rule, frozen=True, tag="young_account"):
    """Much money from an account that was just opened."""

    title = gettext_noop("Age of the account")
    explanation = "A large amount from an account that was opened a short time ago."
    days: Annotated[int, Meta(ge=1, le=3650)]
    from_amount: Amounts

    def find(self, facts: Facts) -> str | None:
        """Name the age."""
        least = _reach(self.from_amount, facts.currency)
        if least is None or facts.amount < least or facts.age_days >= self.days:
            return None
        amount = format_amount(least, facts.currency)
        return f"{amount} {facts.currency} or more from an account of less than {self.days} days"


Rule = Listed | Velocity | Habit | NewCounterparty | Night | Structuring | FanOut | FanIn | YoungAccount
RULES: tuple[type[_Rule], ...] = (
    Listed,
    Velocity,
    Habit,
    NewCounterparty,
    Night,
    Structuring,
    FanOut,
    FanIn,
    YoungAccount,
)


class RuleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of a version: its parameters, what it leads to, and whether that counts."""

    rule: Rule
    action: Literal["review", "reject"]
    mode: Literal["active", "shadow", "off"]


class Finding(msgspec.Struct, frozen=True):
    """What a rule found."""

    rule: str
    action: str
    mode: str
    text: str


class RuleBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a version, in the order in which they are asked."""

    rules: tuple[RuleEntry, ...]

    def judge(self, facts: Facts) -> list[Finding]:
        """Return what the rules find that are not off, in their order."""
        findings = []
        for entry in self.rules:
            if entry.mode != "off" and (text := entry.rule.find(facts)):
                findings.append(Finding(get_code(type(entry.rule)), entry.action, entry.mode, text))
        return findings

    def count_needed(self, amount: int, currency: str) -> tuple[int, int]:
        """Return how many of a debtor's latest orders of a day a rule could ask about, and of the last minute if more.

        The second is 0 where the first are enough.
        """
        sent = minute = 0
        for entry in self.rules:
            if entry.mode != "off":
                day, short = entry.rule.count_needed(amount, currency)
                sent, minute = max(sent, day), max(minute, short)
        return (sent, minute) if minute > WINDOW else (max(sent, minute), 0)

    def needs_habit(self, amount: int, currency: str) -> bool:
        """Tell whether a rule could ask what is usual on the account, or who is known."""
        for entry in self.rules:
            if entry.mode != "off" and isinstance(entry.rule, Habit | NewCounterparty):
                least = _reach(entry.rule.from_amount, currency)
                if least is not None and amount >= least:
                    return True
        return False

    def needs_payers(self) -> bool:
        """Tell whether a rule could ask who has paid the creditor."""
        return any(entry.mode != "off" and isinstance(entry.rule, FanIn) for entry in self.rules)

    def get_band(self, currency: str) -> tuple[int, int]:
        """Return which amounts count as just below a limit, in minor units; (0, 0) if none does."""
        structuring = (entry.rule for entry in self.rules if isinstance(entry.rule, Structuring))
        rule = next(structuring, None)
        return rule.get_band(currency) if rule else (0, 0)


def get_code(rule: type[_Rule]) -> str:
    """Return the code by which a rule is known."""
    return str(rule.__struct_config__.tag)


def decide(findings: Sequence[Finding]) -> Decision:
    """Return the strongest of what was found by rules that count."""
    actions = {finding.action for finding in findings if finding.mode == Mode.ACTIVE}
    if Decision.REJECT in actions:
        return Decision.REJECT
    return Decision.REVIEW if Decision.REVIEW in actions else Decision.ACCEPT


def read_rules(*, definition: object) -> RuleBook:
    """Return the rules that a JSON document describes. Raises InvalidInputError, which says where it is wrong."""
    try:
        book = msgspec.convert(definition, RuleBook)
    except msgspec.ValidationError as error:
        raise InvalidInputError(errors={"definition": [str(error)]}) from error
    if sum(isinstance(entry.rule, Structuring) for entry in book.rules) > 1:  # the facts are of one limit
        raise InvalidInputError(errors={"definition": [gettext("The rule structuring stands once at most.")]})
    for entry in book.rules:
        for currency in _list_currencies(entry.rule):
            get_exponent(currency)
    return book


def _list_currencies(rule: Rule) -> set[str]:
    amounts = (value for value in msgspec.structs.asdict(rule).values() if isinstance(value, dict))
    return {currency for named in amounts for currency in named if currency != "*"}
