"""Bugs to be planted in what carries payments, each of which the proof has to find."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils import timezone

from proofs.hooks import Replace
from transfers.payments.services import complete_payment, return_payment
from transfers.payments.states import AttemptOutcome
from transfers.rails import sending
from transfers.rails.rail import RailError


class Bug(NamedTuple):
    """What it replaces by what, and which violation it brings about."""

    where: str
    replace: Replace
    violation: str


def _take_silence_for_refusal(attempt: Callable[..., Any]) -> object:
    def attempt_or_give_back(rail: object, turn: Any) -> Any:
        try:
            return attempt(rail, turn)
        except RailError:
            return_payment(payment_id=turn.payment_id, reason="no_reply", now=timezone.now())
            return sending._Result(AttemptOutcome.REFUSED)

    return attempt_or_give_back


def _take_taken_for_settled(mark_submitted: Callable[..., object]) -> object:
    def mark_and_complete(**values: Any) -> object:
        mark_submitted(**values)
        return complete_payment(**values)

    return mark_and_complete


def _forget_to_release(_: object) -> object:
    def keep(**values: object) -> None:
        """Leave the hold as it is."""

    return keep


BUGS = {
    "sender: takes silence for a refusal": Bug(
        "transfers.rails.sending._attempt", _take_silence_for_refusal, "given back here, paid there"
    ),
    "sender: takes what the rail has taken for settled": Bug(
        "transfers.rails.sending.mark_submitted", _take_taken_for_settled, "completed here, not paid there"
    ),
    "payments: a refused one keeps its hold": Bug(
        "transfers.payments.services.release_hold", _forget_to_release, "other money than the payments' states say"
    ),
}
