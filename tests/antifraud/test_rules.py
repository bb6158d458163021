"""Each rule over facts: what it finds, and the last case in which it does not."""

from typing import Any

import pytest

from core.errors import InvalidInputError
from tests.antifraud.rulebook import rule
from transfers.antifraud.defaults import FIRST_RULES
from transfers.antifraud.rules import RULES, WINDOW, Facts, decide, get_code, read_rules
from transfers.antifraud.states import Decision

THOUSAND = {"*": 1_000}
AMOUNT = 1_000_00


def judge(entry: dict[str, Any], **facts: Any) -> list[str]:
    """Return what a rule finds, in words."""
    book = read_rules(definition={"rules": [entry]})
    terms = {"amount": AMOUNT, "currency": "BRL", "hour": 12, **facts}
    return [finding.text for finding in book.judge(Facts(**terms))]


CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("listed", {}, {"blocked": ["debtor"]}, {}),
    ("velocity", {"per_minute": 10}, {"sent_minute": 10}, {"sent_minute": 9}),
    ("velocity", {"per_minute": 10}, {"sent_minute": 10}, {"sent_minute": 10, "is_debtor_trusted": True}),
    ("velocity", {"per_hour": 10}, {"sent_hour": 10}, {"sent_hour": 9, "sent_day": 99}),
    ("velocity", {"per_day": 10}, {"sent_day": 10}, {"sent_day": 9}),
    (
        "habit",
        {"times": 5, "from_amount": THOUSAND},
        {"habit_count": 10, "habit_sum": 10 * 199_99},
        {"habit_count": 10, "habit_sum": 10 * 200_00},
    ),
    (
        "habit",
        {"times": 5, "from_amount": THOUSAND},
        {"habit_count": 10, "habit_sum": 100},
        {"habit_count": 10, "habit_sum": 100, "amount": AMOUNT - 1},
    ),
    (
        "habit",
        {"times": 5, "from_amount": THOUSAND},
        {"habit_count": 10, "habit_sum": 100},
        {"habit_count": 9, "habit_sum": 90},
    ),
    ("new_counterparty", {"from_amount": THOUSAND}, {"has_recipient": True}, {"has_recipient": False}),
    (
        "new_counterparty",
        {"from_amount": THOUSAND},
        {"has_recipient": True},
        {"has_recipient": True, "is_known_recipient": True},
    ),
    (
        "new_counterparty",
        {"from_amount": THOUSAND},
        {"has_recipient": True},
        {"has_recipient": True, "amount": AMOUNT - 1},
    ),
    ("night", {"from_amount": THOUSAND}, {"hour": 22}, {"hour": 21}),
    ("night", {"from_amount": THOUSAND}, {"hour": 5}, {"hour": 6}),
    ("night", {"from_amount": THOUSAND, "from_hour": 1, "to_hour": 4}, {"hour": 3}, {"hour": 4}),
    ("night", {"from_amount": THOUSAND}, {"hour": 23}, {"hour": 23, "amount": AMOUNT - 1}),
    (
        "structuring",
        {"limit": THOUSAND},
        {"amount": AMOUNT - 1, "near_limit_day": 2},
        {"amount": AMOUNT - 1, "near_limit_day": 1},
    ),
    ("structuring", {"limit": THOUSAND}, {"amount": 900_00, "near_limit_day": 2}, {"near_limit_day": 2}),
    (
        "structuring",
        {"limit": THOUSAND},
        {"amount": 900_00, "near_limit_day": 2},
        {"amount": 899_99, "near_limit_day": 2},
    ),
    (
        "fan_out",
        {"per_day": 5},
        {"recipients_day": 5, "is_new_recipient_today": True},
        {"recipients_day": 5, "is_new_recipient_today": False},
    ),
    ("fan_in", {"per_day": 5}, {"payers_day": 5, "is_new_payer_today": True}, {"payers_day": 5}),
    (
        "fan_in",
        {"per_day": 5},
        {"payers_day": 6},
        {"payers_day": 6, "is_creditor_trusted": True},
    ),
    ("young_account", {"days": 7, "from_amount": THOUSAND}, {"age_days": 6}, {"age_days": 7}),
    ("young_account", {"days": 7, "from_amount": THOUSAND}, {"age_days": 6}, {"age_days": 6, "amount": AMOUNT - 1}),
]


@pytest.mark.parametrize(("code", "parameters", "found", "passed"), CASES)
def test_a_rule_finds_what_is_beyond_its_limit_and_nothing_at_it(
    code: str, parameters: dict[str, Any], found: dict[str, Any], passed: dict[str, Any]
) -> None:
    assert len(judge(rule(code, **parameters), **found)) == 1
    assert judge(rule(code, **parameters), **passed) == []


def test_every_rule_has_its_cases() -> None:
    assert {code for code, *_ in CASES} == {get_code(kind) for kind in RULES}


def test_an_amount_is_of_the_currency_that_is_named_and_else_of_all() -> None:
    entry = rule("night", from_amount={"*": 1_000, "JPY": 50_000})

    assert judge(entry, hour=23, currency="JPY", amount=49_999) == []
    assert judge(entry, hour=23, currency="JPY", amount=50_000)
    assert judge(entry, hour=23, currency="KWD", amount=999_999) == []
    assert judge(entry, hour=23, currency="KWD", amount=1_000_000)


def test_a_rule_says_nothing_of_a_currency_that_it_does_not_name() -> None:
    assert judge(rule("night", from_amount={"JPY": 1}), hour=23, amount=10**12) == []


@pytest.mark.parametrize(
    ("modes", "decision"),
    [
        ([], Decision.ACCEPT),
        ([("review", "shadow"), ("reject", "shadow")], Decision.ACCEPT),
        ([("review", "off")], Decision.ACCEPT),
        ([("review", "active"), ("reject", "shadow")], Decision.REVIEW),
        ([("review", "active"), ("reject", "active")], Decision.REJECT),
    ],
)
def test_the_strongest_finding_that_counts_decides(modes: list[tuple[str, str]], decision: Decision) -> None:
    entries = [rule("listed", action=action, mode=mode) for action, mode in modes]
    book = read_rules(definition={"rules": entries})

    findings = book.judge(Facts(amount=1, currency="BRL", hour=12, blocked=["debtor"]))

    assert decide(findings) == decision
    assert [(each.action, each.mode) for each in findings] == [each for each in modes if each[1] != "off"]


@pytest.mark.parametrize(
    "entry",
    [
        rule("unheard_of"),
        rule("velocity", per_minute=0),
        rule("velocity", per_hour=WINDOW + 1),
        rule("velocity", per_minute="10"),
        rule("velocity", per_minute=10, per_year=10),
        rule("night"),
        rule("night", from_amount={}),
        rule("night", from_amount={"brl": 1}),
        rule("night", from_amount={"XXQ": 1}),
        rule("night", from_amount={"BRL": 1}, from_hour=24),
        rule("listed", action="accept"),
        rule("listed", mode="maybe"),
        {"rule": {"code": "listed"}, "action": "reject"},
    ],
)
def test_refuses_rules_that_are_not_well_formed(entry: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        read_rules(definition={"rules": [entry]})


def test_refuses_a_second_limit_for_structuring() -> None:
    entry = rule("structuring", limit=THOUSAND)

    with pytest.raises(InvalidInputError):
        read_rules(definition={"rules": [entry, entry]})


def test_the_rules_that_a_bank_begins_with_use_every_rule() -> None:
    book = read_rules(definition=FIRST_RULES)

    assert {type(entry.rule) for entry in book.rules} == set(RULES)
    assert "off" not in {entry.mode for entry in book.rules}
