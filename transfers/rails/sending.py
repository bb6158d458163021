"""Handing payments to the rail: a payment that is sent again is the same payment, and none that may be out comes back.

Note [What a lost reply means]
Before its first byte goes out, a payment is marked as perhaps sent, and its message is kept: both in one commit. From
then on each attempt first asks the rail what it knows of the payment by its UETR, and sends the very same message only
if that is nothing; a message that was still on its way is then the same payment to the rail. A payment comes back only
when the rail has refused it on record. Any other answer, and none, leaves it where it is, to be asked about again.
"""

import logging
import time
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.errors import BankError
from events.dead_letters import describe_error
from events.outages import OUTAGES
from transfers.payments.creditors import Creditor
from transfers.payments.errors import PaymentStepError
from transfers.payments.models import Payment
from transfers.payments.services import mark_submitted, return_payment
from transfers.payments.states import AttemptOutcome, SubmissionStatus
from transfers.payments.submissions import Turn, claim_submission, end_turn, mark_sending
from transfers.rails.http import get_rail
from transfers.rails.iso20022.reports import parse_status
from transfers.rails.iso20022.transfers import CreditTransfer, build_credit_transfer, make_message_id
from transfers.rails.messages import find_sent, keep_reply, keep_sent
from transfers.rails.pauses import is_rail_away, note_answer, note_failure
from transfers.rails.rail import Rail, RailError

logger = logging.getLogger(__name__)


class _Result(NamedTuple):
    """How an attempt ended."""

    outcome: AttemptOutcome
    error: str = ""


def send_due(*, seconds: float) -> bool:
    """Send what is due, for `seconds`; return whether more may be due. Without a rail, payments stay held."""
    rail = get_rail()
    if rail is None:
        return False
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_rail_away() or not _send_next(rail):
            return False
    return True


def _send_next(rail: Rail) -> bool:
    """Make an attempt at the payment that is due longest, and return whether there was one."""
    turn = claim_submission(now=timezone.now())
    if turn is None:
        return False
    try:
        result = _attempt(rail, turn)
    except RailError as error:
        end_turn(turn=turn, outcome=AttemptOutcome.PUT_OFF, error=str(error), now=timezone.now())
        if error.is_away:
            logger.warning("The rail does not take payment %s now: %s", turn.payment_id, error)
            note_failure()
        return True
    note_answer()
    end_turn(turn=turn, outcome=result.outcome, error=result.error, now=timezone.now())
    return True


def _attempt(rail: Rail, turn: Turn) -> _Result:
    """Talk to the rail, outside of any transaction, and note what it says. Raises RailError, unless it refuses."""
    try:
        reply = _ask_or_send(rail, turn)
    except RailError as error:
        if not error.permanent:
            raise
        return _give_back(turn, error)
    except OUTAGES:
        raise  # without a database nothing can be noted either; the attempt ends when its time is over
    except Exception as error:
        logger.exception("payment %s cannot be sent", turn.payment_id)
        return _Result(AttemptOutcome.PUT_OFF, describe_error(error))
    return _note_taken(turn, reply)


def _ask_or_send(rail: Rail, turn: Turn) -> bytes:
    """Return the rail's status of the payment, which is sent unless the rail knows it. Raises RailError."""
    if turn.status == SubmissionStatus.SENDING:
        known = rail.enquire(uetr=turn.uetr)
        if known is not None:
            return known
    return rail.submit(uetr=turn.uetr, message=_prepare(turn))


def _prepare(turn: Turn) -> bytes:
    """Mark the payment as perhaps sent and return its message, the same one each time. Raises RailError."""
    with transaction.atomic(durable=True):
        if not mark_sending(turn=turn):
            raise RailError("Somebody else is at it.")
        body = find_sent(payment_id=turn.payment_id)
        if body is None:
            body = _build(turn.payment_id, turn.uetr)
            message_id = make_message_id(payment_id=turn.payment_id)
            keep_sent(payment_id=turn.payment_id, message_id=message_id, body=body, now=timezone.now())
    return body


def _build(payment_id: UUID, uetr: UUID) -> bytes:
    payment = Payment.objects.select_related("client", "debtor_account").get(pk=payment_id)
    creditor = Creditor(
        name=payment.creditor_name,
        iban=payment.creditor_iban,
        bank=payment.creditor_bank,
        branch=payment.creditor_branch,
        account=payment.creditor_account,
    )
    order = CreditTransfer(
        payment_id=payment_id,
        uetr=uetr,
        amount=payment.amount,
        currency=payment.currency,
        debtor_name=payment.client.name,
        debtor_number=payment.debtor_account.number,
        debtor_bank=settings.BANK_CODE,
        creditor=creditor,
        remittance_information=payment.remittance_information,
        made_at=timezone.now(),
    )
    return build_credit_transfer(order=order)


def _note_taken(turn: Turn, reply: bytes) -> _Result:
    try:
        keep_reply(payment_id=turn.payment_id, body=reply, now=timezone.now())
        mark_submitted(payment_id=turn.payment_id, now=timezone.now())
    except PaymentStepError:
        return _Result(AttemptOutcome.TAKEN)  # a message about it was quicker than this reply
    except BankError as error:  # its account is busy: asked again, the rail says the same
        return _Result(AttemptOutcome.PUT_OFF, error.code)
    return _Result(AttemptOutcome.TAKEN)


def _give_back(turn: Turn, refusal: RailError) -> _Result:
    try:
        keep_reply(payment_id=turn.payment_id, body=refusal.reply, now=timezone.now())
        reason = parse_status(content=refusal.reply).reason
        return_payment(payment_id=turn.payment_id, reason=reason, now=timezone.now())
    except BankError as error:
        return _Result(AttemptOutcome.PUT_OFF, error.code)
    return _Result(AttemptOutcome.REFUSED, str(refusal))
