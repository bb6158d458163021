"""Dead letters: put aside what fails again and again or cannot be sent, and let staff replay or discard it."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import OperationalError, transaction
from django.utils.translation import gettext

from core.db import is_lock_timeout, require_transaction
from core.models import User
from core.text import clean_line
from events.errors import DeadLetterBusyError, DeadLetterHandledError, DeadLetterNotFoundError, ReplayFailedError
from events.groups import Record, get_group
from events.kafka import drop_publisher, get_publisher, require_broker, unname_topic
from events.messages import Message, decode_message
from events.models import DeadLetter, Event
from events.outages import is_outage
from events.services import NewEvent, record_events
from events.states import DeadLetterState
from events.topics import fan_out

RELAY = "relay"
"""Stands for the group where the relay could not send a message."""

_LONGEST_ERROR = 4_000


def bury_record(*, group: str, record: Record, error: Exception, attempts: int, now: datetime) -> DeadLetter:
    """Put a Kafka record aside for staff, and tell it on `dlq.<topic>`, in the caller's transaction."""
    require_transaction()
    letter = DeadLetter.objects.create(
        group=group,
        topic=unname_topic(record.topic),
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        error=describe_error(error),
        buried_at=now,
        attempts=attempts,
    )
    # On Kafka only the kind of error, since what it says may name a person.
    message = {"subject": _find_subject(record), "error": type(error).__name__, "value": _encode(record.value)}
    record_events(events=[_tell("message.buried", letter, now, **message)])
    return letter


def park(*, letters: Sequence[DeadLetter]) -> None:
    """Put aside what the relay could not send; what is parked already stays as it is."""
    DeadLetter.objects.bulk_create(letters, ignore_conflicts=True)


def describe_error(error: Exception) -> str:
    """Return an error as PostgreSQL can store it, in text and in JSON."""
    text = repr(error).encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
    return text[:_LONGEST_ERROR]


def replay_dead_letter(*, letter_id: UUID, reason: str, actor: User, now: datetime) -> DeadLetter:
    """Let the group take the message in again, or the relay send it again: once, in one commit with the letter's state.

    Raises InvalidInputError, DeadLetterNotFoundError, DeadLetterHandledError, DeadLetterBusyError, and
    ReplayFailedError if the message fails again; then the letter waits on, with the new error.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        letter = _lock_waiting(letter_id=letter_id)
        failure = _find_failure(letter)
        if failure is None:
            _close(letter, DeadLetterState.REPLAYED, reason=reason, actor=actor, now=now)
        else:
            letter.attempts += 1
            letter.last_error = describe_error(failure)
            letter.save(update_fields=["attempts", "last_error"])
    if failure is not None:
        raise ReplayFailedError(f"{gettext(ReplayFailedError.message)} {letter.last_error}") from failure
    return letter


def discard_dead_letter(*, letter_id: UUID, reason: str, actor: User, now: datetime) -> DeadLetter:
    """Decide that the message shall never take effect.

    Raises InvalidInputError, DeadLetterNotFoundError, DeadLetterHandledError or DeadLetterBusyError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        letter = _lock_waiting(letter_id=letter_id)
        _close(letter, DeadLetterState.DISCARDED, reason=reason, actor=actor, now=now)
    return letter


class Parked(NamedTuple):
    """What the relay has put aside of some events, and staff have discarded or are to decide about."""

    events: frozenset[int]
    """The numbers of those that could not be told at all."""
    messages: frozenset[tuple[int, str, bytes]]
    """The number, topic and key of each message that could not be sent."""

    def tell_rest(self, event: Event) -> Iterator[Message]:
        """Yield the messages that tell `event`, but for what is put aside. Raises what `fan_out` does."""
        if event.seq in self.events:
            return
        for message in fan_out(event):
            if (event.seq, message.type, str(message.subject).encode()) not in self.messages:
                yield message


def find_parked(*, events: Sequence[Event]) -> Parked:
    """Return what of `events` only staff may let go out, or take effect, again."""
    letters = DeadLetter.objects.filter(group=RELAY, event_seq__in=[event.seq for event in events])
    unreplayed = letters.exclude(state=DeadLetterState.REPLAYED)
    untold = unreplayed.filter(value=None).values_list("event_seq", flat=True)
    unsent = unreplayed.exclude(value=None).values_list("event_seq", "topic", "key")
    return Parked(
        events=frozenset(seq for seq in untold if seq),
        messages=frozenset((seq, topic, bytes(key)) for seq, topic, key in unsent if seq and key),
    )


def list_unreplayed_messages(*, group: str) -> list[UUID]:
    """Return the ids of the messages that the group has put aside: staff have discarded them, or are to decide."""
    letters = DeadLetter.objects.filter(group=group).exclude(state=DeadLetterState.REPLAYED)
    found = [_find_message(bytes(value or b"")) for value in letters.values_list("value", flat=True)]
    return [message.id for message in found if message is not None]


def _find_message(value: bytes | None) -> Message | None:
    try:
        return decode_message(value)
    except msgspec.DecodeError:
        return None


def _find_subject(record: Record) -> UUID | None:
    message = _find_message(record.value)
    return None if message is None else message.subject


def _encode(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _lock_waiting(*, letter_id: UUID) -> DeadLetter:
    try:
        letter = DeadLetter.objects.select_for_update(no_key=True).filter(pk=letter_id).first()
    except OperationalError as error:
        if is_lock_timeout(error, model=DeadLetter):
            raise DeadLetterBusyError from error
        raise
    if letter is None:
        raise DeadLetterNotFoundError
    if letter.state != DeadLetterState.WAITING:
        raise DeadLetterHandledError
    return letter


def _find_failure(letter: DeadLetter) -> Exception | None:
    """Do what could not be done and return None, or the reason why it failed again without any effect."""
    try:
        with transaction.atomic():
            _send_again(letter) if letter.group == RELAY else _take_in_again(letter)
    except Exception as error:
        if is_outage(error):
            raise
        return error
    return None


def _take_in_again(letter: DeadLetter) -> None:
    """Call the handler. The inbox has known the message since it was buried, so Kafka cannot bring it a second time."""
    message = decode_message(bytes(letter.value or b""))
    get_group(name=letter.group).handlers[letter.topic]([message])


def _send_again(letter: DeadLetter) -> None:
    """Publish the messages anew from their event, since a mended release may tell it otherwise."""
    require_broker()
    messages = fan_out(Event.objects.get(seq=letter.event_seq or 0))
    parked = [message for message in messages if letter.value is None or _is_in(letter, message.type, message.subject)]
    try:
        get_publisher().publish(parked)
    except Exception:
        drop_publisher()
        raise


def _is_in(letter: DeadLetter, topic: str, subject: UUID) -> bool:
    return topic == letter.topic and str(subject).encode() == bytes(letter.key or b"")


def _close(letter: DeadLetter, state: DeadLetterState, *, reason: str, actor: User, now: datetime) -> None:
    letter.state = state
    letter.handled_by = actor
    letter.handled_at = now
    letter.reason = reason
    letter.save(update_fields=["state", "handled_by", "handled_at", "reason"])
    record_events(events=[_tell(f"message.{state}", letter, now, actor=actor.pk, reason=reason)])


def _tell(event_type: str, letter: DeadLetter, now: datetime, **facts: object) -> NewEvent:
    place = {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset}
    payload = {"dead_letter": letter.pk, "group": letter.group, **place, **facts}
    return NewEvent(type=event_type, key=letter.pk, payload=payload, occurred_at=now)
