"""Payments to other banks: ordering one, and what the rail then reports of it.

Note [A payment's money]
An order holds its amount on the debtor's account. What antifraud is not sure about waits there until staff decide
(reviews.py); all else is queued for the rail at once. The rail takes it from there: `mark_submitted` when it has sent
the payment, `complete_payment` when the other bank has the money, `return_payment` when it does not get it. Without a
rail a payment stays held. Each of the three opens its own transaction, repeats without effect, and is refused where the
table of states does not lead. All take the debtor's account lock first, so the payment's row needs none.

A blocked account lets no money move: what the rail reports of its payments is refused as account_blocked until it is
freed, and to be reported again; only a hold can be released meanwhile. A closed account never gets money back: what
returns after its payment was completed is put into suspense, for staff to find its owner.
"""

import re
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.db import run_together
from core.errors import IdempotencyKeyReusedError, InvalidInputError
from core.idempotency import Claim, claim_keys, find_made, keys_in_use, release_keys
from core.ids import uuid7
from events.services import record_events
from ledger.batch import EntryDraft, Line
from ledger.chart import SETTLEMENT, SUSPENSE
from ledger.errors import AccountBlockedError, AccountInactiveError, AccountNotFoundError, CurrencyMismatchError
from ledger.holds import capture_hold, place_hold, release_hold
from ledger.locks import LockedBalance, lock_balances_after
from ledger.services import get_internal_account_id, post_entries, reverse_entry
from ledger.states import Side
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.antifraud.models import Review
from transfers.antifraud.records import write_payment_review
from transfers.antifraud.states import Decision
from transfers.payments.events import Outcome, payment_changed
from transfers.payments.judging import judge_payment
from transfers.payments.models import Payment
from transfers.payments.orders import OrderedPayment, PaymentOrder
from transfers.payments.states import KEPT, PaymentStatus
from transfers.payments.steps import lock_payment, require_step, take_step
from transfers.payments.submissions import queue_submission

_BEGINS = {Decision.ACCEPT: PaymentStatus.HELD, Decision.REVIEW: PaymentStatus.IN_REVIEW}
_FAILURE_CODE = re.compile(r"[a-z0-9_]{1,32}")


def order_payment(*, order: PaymentOrder, now: datetime) -> OrderedPayment:
    """Make a payment and hold its amount, in one transaction.

    Raises, leaving nothing behind and the key free, also where funds are short: IdempotencyKeyReusedError,
    IdempotencyKeyInUseError, AccountNotFoundError, CurrencyMismatchError, AccountBlockedError, AccountInactiveError,
    InsufficientFundsError, AccountBusyError. RejectedByAntifraudError leaves the key free, and what was found.
    """
    claim = Claim(order.principal_id, order.idempotency_key, order.hash(), uuid7())
    with transaction.atomic(durable=True):
        with keys_in_use():
            balances, claimed = lock_balances_after(
                claim_keys(claims=[claim], now=now), account_ids=[order.debtor_account_id]
            )
        first = None if claimed else _find_first(claim)
        if first is not None:
            return OrderedPayment(first, is_replayed=True, first_status=_get_first_status(first))
        debtor = _check_account(order, balances.get(order.debtor_account_id))
        verdict = judge_payment(order=order, payment_id=claim.resource_id, debtor=debtor, now=now)
        if verdict.decision is not Decision.REJECT:
            status = _BEGINS[verdict.decision]
            payment = _make(order, payment_id=claim.resource_id, status=status, now=now)
            return OrderedPayment(payment, is_replayed=False, first_status=status)
        release_keys(claims=[claim])
    raise RejectedByAntifraudError  # once it is committed what was found


def _find_first(claim: Claim) -> Payment | None:
    """Return the payment that the key made before, or None if it is new: an unknown account hides that it was claimed.

    Raises IdempotencyKeyReusedError if it stands for something else, and IdempotencyKeyInUseError.
    """
    payment_id = find_made(claim=claim)
    if payment_id is None:
        return None
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise IdempotencyKeyReusedError
    return payment


def _check_account(order: PaymentOrder, balance: LockedBalance | None) -> LockedBalance:
    """Return the account that pays. Raises what is refused before antifraud is asked, in the contract's order."""
    if balance is None or balance.holder_id != order.client_id:
        raise AccountNotFoundError
    if balance.currency != order.currency:
        raise CurrencyMismatchError
    if balance.closed_at is not None:
        raise AccountInactiveError  # blocked, too, it is refused as inactive, as `place_hold` does
    if balance.refuses_debits:
        raise AccountBlockedError
    return balance


def _get_first_status(payment: Payment) -> PaymentStatus:
    """Return how a payment began, whatever became of it."""
    began_in_review = Review.objects.filter(payment=payment).exists()
    return PaymentStatus.IN_REVIEW if began_in_review else PaymentStatus.HELD


def _make(order: PaymentOrder, *, payment_id: UUID, status: PaymentStatus, now: datetime) -> Payment:
    """Hold the funds, and send the payment on its way: to the rail, or to staff."""
    hold = place_hold(account_id=order.debtor_account_id, amount=order.amount, reference=payment_id, now=now)
    creditor = order.creditor
    payment = Payment.objects.create(
        id=payment_id,
        client_id=order.client_id,
        debtor_account_id=order.debtor_account_id,
        status=status,
        amount=order.amount,
        currency=order.currency,
        creditor_name=creditor.name,
        creditor_iban=creditor.iban,
        creditor_bank=creditor.bank,
        creditor_branch=creditor.branch,
        creditor_account=creditor.account,
        remittance_information=order.remittance_information,
        initiated_by_id=order.principal_id,
        hold=hold,
        created_at=now,
    )
    record_events(events=[payment_changed(payment=payment, outcome=Outcome.NONE, now=now)])
    if status == PaymentStatus.HELD:
        queue_submission(payment=payment, now=now)
    else:
        run_together(*write_payment_review(payment=payment, held_version=hold.account.version))
    return payment


def mark_submitted(*, payment_id: UUID, now: datetime) -> Payment:
    """Note that the rail has sent a payment. Raises PaymentNotFoundError, PaymentStepError or AccountBusyError."""
    with transaction.atomic(durable=True):
        payment, _ = lock_payment(payment_id)
        if payment.status == PaymentStatus.SUBMITTED:
            return payment
        require_step(payment, PaymentStatus.SUBMITTED)
        payment.submitted_at = now
        return take_step(payment, PaymentStatus.SUBMITTED, changed=["submitted_at"], outcome=Outcome.NONE, now=now)


def complete_payment(*, payment_id: UUID, now: datetime) -> Payment:
    """Book a payment that has reached the other bank: the held money goes to the settlement account.

    Raises PaymentNotFoundError, PaymentStepError, AccountBlockedError or AccountBusyError.
    """
    with transaction.atomic(durable=True):
        payment, _ = lock_payment(payment_id, SETTLEMENT)
        if payment.status == PaymentStatus.COMPLETED:
            return payment
        require_step(payment, PaymentStatus.COMPLETED)
        settlement_id = get_internal_account_id(line=SETTLEMENT, currency=payment.currency)
        payment.settlement_id = capture_hold(
            hold_id=payment.hold_id, credit_account_id=settlement_id, code="payment", now=now
        )
        payment.completed_at = now
        changed = ["settlement_id", "completed_at"]
        return take_step(payment, PaymentStatus.COMPLETED, changed=changed, outcome=Outcome.SETTLED, now=now)


def return_payment(*, payment_id: UUID, reason: str, now: datetime) -> Payment:
    """Give a payment's money back: release its hold or, if it was completed, reverse its entry.

    `reason` is a code of up to 32 small letters, digits and underscores; a repetition keeps the first one. Raises
    InvalidInputError, PaymentNotFoundError, AccountBusyError and, for a completed one, AccountBlockedError.
    """
    if not _FAILURE_CODE.fullmatch(reason):
        raise InvalidInputError(errors={"reason": ["Give a code of 1 to 32 small letters, digits or underscores."]})
    with transaction.atomic(durable=True):
        payment, account = lock_payment(payment_id, SETTLEMENT, SUSPENSE)
        if payment.status == PaymentStatus.RETURNED:
            return payment
        require_step(payment, PaymentStatus.RETURNED)
        outcome = Outcome.RETURNED
        if payment.settlement_id is None:
            release_hold(hold_id=payment.hold_id, now=now)
        elif account.closed_at is None:
            payment.return_entry_id = reverse_entry(entry_id=payment.settlement_id, now=now)
        else:
            payment.return_entry_id, outcome = _keep_in_suspense(payment, now=now), Outcome.KEPT
        payment.returned_at, payment.failure_code = now, reason
        changed = ["return_entry_id", "returned_at", "failure_code"]
        return take_step(payment, PaymentStatus.RETURNED, changed=changed, outcome=outcome, now=now)


def _keep_in_suspense(payment: Payment, *, now: datetime) -> UUID:
    """Book what came back for a closed account as the bank's debt to somebody; return the entry's id."""
    settlement_id = get_internal_account_id(line=SETTLEMENT, currency=payment.currency)
    suspense_id = get_internal_account_id(line=SUSPENSE, currency=payment.currency)
    lines = [Line(settlement_id, Side.DEBIT, payment.amount), Line(suspense_id, Side.CREDIT, payment.amount)]
    return post_entries(drafts=[EntryDraft(code=KEPT, lines=lines, reference=payment.id)], now=now)[0]
