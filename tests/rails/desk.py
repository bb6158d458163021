"""What staff do about the rail, each act once."""

from datetime import datetime

from django.db import transaction

from core.models import User
from transfers.payments.models import Payment
from transfers.rails.messages import keep_received
from transfers.rails.models import Intake, RailMessage, ReconciliationBreak
from transfers.rails.services import resolve_break, take_in_again, try_now


def do_every_act(*, payment: Payment, staff: User, reason: str, now: datetime) -> None:
    """Have a held payment tried at once, a message taken in again, and a difference resolved."""
    try_now(payment_id=payment.pk, reason=reason, actor=staff, now=now)
    with transaction.atomic():
        keep_received(bodies=[b"<b>no message</b>"], now=now)
    message = RailMessage.objects.latest("pk")
    Intake.objects.filter(pk=message.pk).update(status="odd", ended_at=now)
    take_in_again(message_id=message.pk, reason=reason, actor=staff, now=now)
    difference = ReconciliationBreak.objects.create(
        subject=f"bank:{payment.pk}", kind="missing_at_rail", day=now.date(), currency="BRL", opened_at=now
    )
    resolve_break(break_id=difference.pk, reason=reason, actor=staff, now=now)
