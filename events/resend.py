"""A new Kafka cluster in the old one's place is empty: what consumers had not yet taken in is sent to it again.

That happens when a cluster is lost or exchanged, and at each start of the embedded broker, which forgets all.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from events.groups import list_groups
from events.messages import Message
from events.models import Event, InboxMessage, KafkaCluster
from events.reader import Reader


def meet_cluster(*, reader: Reader, cluster_id: str, now: datetime) -> KafkaCluster:
    """Return the cluster's row; if it is not the one published to so far, rewind `reader` by INBOX_DAYS."""
    known = KafkaCluster.objects.order_by("id").last()
    if known is not None and known.cluster_id == cluster_id:
        return known
    with transaction.atomic():
        cluster = KafkaCluster.objects.create(cluster_id=cluster_id, met_at=now, resend_until=reader.seq)
        reader.rewind(seq=_get_last_seq_before(now - timedelta(days=settings.INBOX_DAYS)))
    return cluster


def omit_taken_in(messages: Sequence[Message]) -> list[Message]:
    """Return those of `messages` that some group reads and has not taken in."""
    missing = set()
    for group in list_groups():
        ids = {message.id for message in messages if message.type in group.handlers}
        taken_in = InboxMessage.objects.filter(group=group.name, message_id__in=ids)
        missing |= ids.difference(taken_in.values_list("message_id", flat=True))
    return [message for message in messages if message.id in missing]


def _get_last_seq_before(moment: datetime) -> int:
    """Return where the events since `moment` begin: what was taken in since then, the inbox still knows."""
    older = Event.objects.filter(occurred_at__lt=moment).order_by("-seq").values_list("seq", flat=True)
    return older.first() or 0  # searched from the end, past no more than what is to be read again
