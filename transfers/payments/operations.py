"""The operation of payments that needs two people: booking money out of suspense."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from approvals.models import Approval
from approvals.operations import Effect, MoneyLine, Operation, Said, operation
from core.money import format_amount
from ledger.chart import SUSPENSE
from ledger.models import LedgerAccount
from ledger.services import get_internal_account_id
from transfers.payments.payouts import get_kept_payment, get_recipient, pay_out
from transfers.payments.states import PAY_OUT

_SENTENCE = gettext_noop(
    "%(amount)s of payment %(payment)s go to another account of its client; the statement shows it."
)


class PayoutOrder(msgspec.Struct, frozen=True):
    """Of which payment the money goes to which account."""

    payment_id: UUID
    account_id: UUID


@operation
class PayOut(Operation):
    """Give a client the money that came back for an account which was closed by then."""

    name = PAY_OUT
    title = _("Pay out of suspense")
    explanation = _(
        "The money of the payment leaves suspense for another account of the same client's. It is refused if that "
        "account is blocked for credits, inactive or of another currency."
    )
    view_permission = "payments.view_payment"
    request_permission = "payments.request_payout"
    approve_permission = "payments.approve_payout"
    payload = PayoutOrder

    def get_subject(self, payload: PayoutOrder) -> str:
        """Return the payment's id."""
        return str(payload.payment_id)

    def describe(self, payload: PayoutOrder) -> Effect:
        """Tell what would be booked. Raises what `get_kept_payment` and `get_recipient` raise."""
        payment = get_kept_payment(payment_id=payload.payment_id)
        recipient = get_recipient(payment=payment, account_id=payload.account_id)
        suspense = LedgerAccount.objects.get(pk=get_internal_account_id(line=SUSPENSE, currency=payment.currency))
        amount = f"{format_amount(payment.amount, payment.currency)} {payment.currency}"
        return Effect(
            sentences=(Said(_SENTENCE, {"amount": amount, "payment": str(payment.pk)}),),
            lines=(
                MoneyLine(suspense.pk, str(suspense), payment.currency, debit=payment.amount),
                MoneyLine(recipient.pk, str(recipient), payment.currency, credit=payment.amount),
            ),
            amount=payment.amount,
            currency=payment.currency,
        )

    def perform(self, *, payload: PayoutOrder, approval: Approval, now: datetime) -> None:
        """Book it."""
        pay_out(payment_id=payload.payment_id, account_id=payload.account_id, approval=approval, now=now)
