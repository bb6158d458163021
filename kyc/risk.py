"""How much the bank risks by serving a client: rules over facts, each with a name and a weight. No state, no I/O."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from kyc.states import DocumentType, RiskLevel

HIGH = 6
MEDIUM = 2
"""The weights from which on a risk is high, or medium."""

STRONG_SCORE = 95
ADDRESS_DAYS = 90
IDENTITY_DAYS = 5 * 365


class RiskFacts(msgspec.Struct, frozen=True):
    """What is known of a client; kept with the case, and without personal data.

    Ages are days since the newest document of a kind came, None if none has.
    """

    document_type: str
    hits_open: int
    hits_confirmed: int
    hits_cleared: int
    strongest_cleared: int
    """The highest score of a hit that is somebody else, 0 if there is none."""
    identity_days: int | None
    address_days: int | None
    selfie_days: int | None
    expired_documents: int


class Rule(NamedTuple):
    """Something that makes a client riskier."""

    code: str
    sentence: str
    weight: int
    applies: Callable[[RiskFacts], bool]


class Risk(NamedTuple):
    """A level, and the codes of the rules that make it, the weightiest first."""

    level: RiskLevel
    reasons: Sequence[str]


RULES = (
    Rule("listed", "The client is on a sanctions list", 10, lambda facts: facts.hits_confirmed > 0),
    Rule("hits_open", "Nobody has said yet whether a hit is the client", 6, lambda facts: facts.hits_open > 0),
    Rule(
        "strong_hit_cleared",
        f"A hit of {STRONG_SCORE} or more was found to be somebody else",
        4,
        lambda facts: facts.strongest_cleared >= STRONG_SCORE,
    ),
    Rule(
        "hit_cleared",
        "A hit was found to be somebody else",
        2,
        lambda facts: 0 < facts.strongest_cleared < STRONG_SCORE,
    ),
    Rule(
        "foreign_document",
        "A passport, whose number nobody here can check",
        2,
        lambda facts: facts.document_type == DocumentType.PASSPORT,
    ),
    Rule("expired_document", "A document has expired", 2, lambda facts: facts.expired_documents > 0),
    Rule("company", "A company: who owns it is not known", 1, lambda facts: facts.document_type == DocumentType.CNPJ),
    Rule("no_identity", "No identity document was sent", 1, lambda facts: facts.identity_days is None),
    Rule("no_address", "No proof of address was sent", 1, lambda facts: facts.address_days is None),
    Rule("no_selfie", "No selfie was sent", 1, lambda facts: facts.selfie_days is None),
    Rule(
        "old_identity",
        "The identity document came more than five years ago",
        1,
        lambda facts: (facts.identity_days or 0) > IDENTITY_DAYS,
    ),
    Rule(
        "old_address",
        f"The proof of address came more than {ADDRESS_DAYS} days ago",
        1,
        lambda facts: (facts.address_days or 0) > ADDRESS_DAYS,
    ),
)
"""The weightiest first."""

SENTENCES = {rule.code: rule.sentence for rule in RULES}


def assess_risk(*, facts: RiskFacts) -> Risk:
    """Return the risk that follows from `facts`."""
    rules = [rule for rule in RULES if rule.applies(facts)]
    weight = sum(rule.weight for rule in rules)
    level = RiskLevel.HIGH if weight >= HIGH else RiskLevel.MEDIUM if weight >= MEDIUM else RiskLevel.LOW
    return Risk(level, [rule.code for rule in rules])
