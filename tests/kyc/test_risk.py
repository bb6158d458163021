"""The rules of risk: which facts make a client risky, and how much."""

import pytest

from kyc.risk import RULES, RiskFacts, assess_risk
from kyc.states import RiskLevel

HARMLESS = RiskFacts(
    document_type="cpf",
    hits_open=0,
    hits_confirmed=0,
    hits_cleared=0,
    strongest_cleared=0,
    identity_days=10,
    address_days=10,
    selfie_days=10,
    expired_documents=0,
)


def assess(**facts: object) -> tuple[str, list[str]]:
    """Return the level and the reasons of a harmless client but for `facts`."""
    kept = {name: getattr(HARMLESS, name) for name in HARMLESS.__struct_fields__}
    risk = assess_risk(facts=RiskFacts(**(kept | facts)))
    return risk.level, list(risk.reasons)


@pytest.mark.parametrize(
    ("facts", "level", "reasons"),
    [
        ({}, RiskLevel.LOW, []),
        ({"document_type": "cnpj"}, RiskLevel.LOW, ["company"]),
        ({"address_days": 91}, RiskLevel.LOW, ["old_address"]),
        ({"address_days": 90}, RiskLevel.LOW, []),
        ({"identity_days": 1826}, RiskLevel.LOW, ["old_identity"]),
        ({"identity_days": None, "selfie_days": None}, RiskLevel.MEDIUM, ["no_identity", "no_selfie"]),
        ({"document_type": "passport"}, RiskLevel.MEDIUM, ["foreign_document"]),
        ({"expired_documents": 1}, RiskLevel.MEDIUM, ["expired_document"]),
        ({"hits_cleared": 1, "strongest_cleared": 94}, RiskLevel.MEDIUM, ["hit_cleared"]),
        ({"hits_cleared": 1, "strongest_cleared": 95}, RiskLevel.MEDIUM, ["strong_hit_cleared"]),
        (
            {"document_type": "passport", "hits_cleared": 1, "strongest_cleared": 95},
            RiskLevel.HIGH,
            ["strong_hit_cleared", "foreign_document"],
        ),
        ({"hits_open": 1}, RiskLevel.HIGH, ["hits_open"]),
        ({"hits_confirmed": 1}, RiskLevel.HIGH, ["listed"]),
    ],
)
def test_a_risk_follows_from_facts(facts: dict[str, object], level: RiskLevel, reasons: list[str]) -> None:
    assert assess(**facts) == (level, reasons)


def test_rules_are_told_the_weightiest_first_and_once() -> None:
    weights = [rule.weight for rule in RULES]

    assert weights == sorted(weights, reverse=True)
    assert len({rule.code for rule in RULES}) == len(RULES)
