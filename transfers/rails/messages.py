"""Keeping what is said between the bank and the rail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from uuid import UUID

from django.db import transaction

from core.db import Statement, as_array
from core.ids import derive_uuid7, uuid7
from core.pii import index_parts
from transfers.payments.models import Submission
from transfers.rails.iso20022.documents import InvalidMessageError
from transfers.rails.iso20022.reports import Report, ReportedStatus, parse_report
from transfers.rails.models import Intake, RailMessage
from transfers.rails.states import Direction, IntakeStatus, MessageKind

_MAKE_INTAKES = Statement(
    """
    INSERT INTO rails_intake (message_id, status, why, attempts, due_at)
    SELECT id, 'waiting', '', 0, %s FROM rails_railmessage WHERE id = ANY(%s)
    RETURNING message_id
    """
)


def keep_sent(*, payment_id: UUID, message_id: str, body: bytes, now: datetime) -> None:
    """Keep a credit transfer, before it is sent for the first time."""
    RailMessage.objects.create(
        direction=Direction.OUT,
        kind=MessageKind.TRANSFER,
        message_id=message_id,
        digest=_digest(body),
        payment_id=payment_id,
        body=body.decode(),
        at=now,
    )


def find_sent(*, payment_id: UUID) -> bytes | None:
    """Return the credit transfer of a payment as it was kept, or None if none was made yet."""
    message = RailMessage.objects.filter(payment_id=payment_id, direction=Direction.OUT).first()
    return None if message is None else str(message.body).encode()


def keep_reply(*, payment_id: UUID, body: bytes, now: datetime) -> None:
    """Keep the status that the rail gave as an answer; it takes effect at once, so it is not to be taken in."""
    report = parse_report(content=body)
    message = _make_message(body, report, {report.uetr: payment_id}, message_id=uuid7(), now=now)
    with transaction.atomic():
        RailMessage.objects.bulk_create([message], ignore_conflicts=True)
        if RailMessage.objects.filter(pk=message.pk).exists():
            Intake.objects.create(message=message, due_at=now)
            Intake.objects.filter(pk=message.pk).update(status=IntakeStatus.TAKEN, ended_at=now)


def keep_received(*, bodies: Sequence[bytes], now: datetime) -> None:
    """Keep messages of the rail's outbox, in the caller's transaction, and have them taken in; what is known is passed.

    What cannot be read is kept, too, and needs attention.
    """
    reports = [_read(body) for body in bodies]
    uetrs = [report.uetr for report in reports if report is not None]
    payments = dict(Submission.objects.filter(uetr__any=uetrs).values_list("uetr", "payment_id"))
    messages = [
        _make_message(body, report, payments, message_id=_make_id(number, now), now=now)
        for number, (body, report) in enumerate(zip(bodies, reports, strict=True))
    ]
    RailMessage.objects.bulk_create(messages, ignore_conflicts=True)
    _MAKE_INTAKES.run(now, as_array([message.id for message in messages]))


def _make_id(number: int, now: datetime) -> UUID:
    """Return an id that sorts behind those of the messages that came before it in the rail's order."""
    return derive_uuid7(moment=now, sequence=number, name=token_hex())


def _make_message(
    body: bytes, report: Report | None, payments: Mapping[UUID, UUID], *, message_id: UUID, now: datetime
) -> RailMessage:
    return RailMessage(
        id=message_id,
        direction=Direction.IN,
        kind=_get_kind(report),
        message_id=report.message_id if report else "",
        digest=_digest(body),
        payment_id=payments.get(report.uetr) if report else None,
        body=body.decode(errors="backslashreplace").replace("\x00", "\\x00"),
        at=now,
    )


def _get_kind(report: Report | None) -> MessageKind:
    if report is None:
        return MessageKind.UNREADABLE
    return MessageKind.RETURN if report.status == ReportedStatus.RETURNED else MessageKind.STATUS


def _read(body: bytes) -> Report | None:
    try:
        return parse_report(content=body)
    except InvalidMessageError:
        return None


def _digest(body: bytes) -> bytes:
    """Return what tells one message from another; under a key, as it stands in clear beside what is encrypted."""
    return index_parts("rail message", body.decode(errors="backslashreplace"))
