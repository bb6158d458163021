"""The same messages as the relay's, sent by a bare producer of the same library with the same settings.

    python -m benchmarks.producer EVENTS

Sends what the first EVENTS events tell, encoded beforehand, and prints how many messages that were and how many seconds
it took until Kafka had acknowledged all of it.
"""

import sys
import time

import django

django.setup()

from kafka import KafkaProducer

from events.kafka import get_connection_options, get_delivery_options, name_topic
from events.models import Event
from events.topics import fan_out


def main() -> None:
    """Encode, connect, send."""
    count = int(sys.argv[1])
    messages = [
        (name_topic(message.type), str(message.subject).encode(), message.encode())
        for event in Event.objects.order_by("seq")[:count]
        for message in fan_out(event)
    ]
    producer = KafkaProducer(**get_connection_options(), **get_delivery_options())
    for topic in {topic for topic, _, _ in messages}:
        producer.partitions_for(topic)
    began = time.monotonic()
    futures = [producer.send(topic, key=key, value=value) for topic, key, value in messages]
    producer.flush()
    taken = time.monotonic() - began
    assert all(future.succeeded() for future in futures)
    print(len(messages), taken, flush=True)


if __name__ == "__main__":
    main()
