"""The events of antifraud: ids and codes. What was found, in words, stays with the judgement."""

from datetime import datetime
from uuid import UUID

from core.models import User
from events.services import NewEvent
from ledger.locks import LockedBalance
from transfers.antifraud.judging import Verdict
from transfers.antifraud.models import Activation, Listing, Review


def fraud_suspected(*, subject_id: UUID, debtor: LockedBalance, verdict: Verdict, now: datetime) -> NewEvent:
    """Tell staff of an order that was rejected, or that waits for them, under the id of what it made or was to make."""
    payload = {
        "account": debtor.id,
        "client": debtor.holder_id,
        "decision": verdict.decision.value,
        "rules": verdict.codes,
    }
    return NewEvent(type="fraud.suspected", key=subject_id, payload=payload, occurred_at=now)


def review_ended(*, review: Review, now: datetime) -> NewEvent:
    """Tell how a review ended, and who of the staff decided it, if anybody did."""
    payload = {"status": review.status, "actor": review.decided_by_id, "reason": review.reason}
    return NewEvent(type="fraud.reviewed", key=review.pk, payload=payload, occurred_at=now)


def rules_activated(*, activation: Activation) -> NewEvent:
    """Tell which version of the rules is in force, and by which approval."""
    payload = {"rule_set": activation.rule_set_id, "approval": activation.approval_id}
    occurred_at = activation.activated_at
    return NewEvent(type="fraud.rules_activated", key=activation.rule_set_id, payload=payload, occurred_at=occurred_at)


def listing_changed(*, listing: Listing, actor: User, now: datetime) -> NewEvent:
    """Tell that an account or a client came on a list, or was taken off it."""
    kind = "fraud.listed" if listing.lifted_at is None else "fraud.unlisted"
    payload = {"listing": listing.id, "effect": listing.effect, "actor": actor.pk}
    return NewEvent(type=kind, key=listing.party_id, payload=payload, occurred_at=now)
