"""`kafka`: Apache Kafka in the foreground, on a port and in a folder that stay, for a bank that shall use it."""

import asyncio

from bank.embedded.apache_kafka import ApacheKafka
from bank.embedded.console import Screen
from bank.embedded.foreground import until_told_to_stop
from bank.embedded.kafka_jars import KAFKA_FOLDER
from bank.embedded.ports import require_free
from bank.embedded.supervisor import Supervisor


async def run_apache_kafka(*, port: int) -> int:
    """Run the broker until SIGINT or SIGTERM; then stop it and return 0."""
    screen = Screen()
    supervisor = Supervisor(screen)
    require_free(port, variable="KAFKA_PORT", target="kafka")
    kafka = ApacheKafka(KAFKA_FOLDER / f"data-{port}", port=port, log=None)
    try:
        await supervisor.watch(until_told_to_stop(_open(kafka, supervisor, screen)))
    finally:
        screen.say("Stopping Apache Kafka ...")
        await supervisor.stop()
    return 0


async def _open(kafka: ApacheKafka, supervisor: Supervisor, screen: Screen) -> None:
    screen.say("Starting Apache Kafka ...")
    kafka.prepare()
    await supervisor.start(*kafka.programs())
    rows = [
        ("Address", kafka.address()),
        ("Use it", f"make run KAFKA_BOOTSTRAP_SERVERS={kafka.address()}"),
        ("Elsewhere", f"KAFKA_BOOTSTRAP_SERVERS={kafka.address()}, and KAFKA_API_VERSION empty"),
        ("Data", str(kafka.root)),
        ("Stop", "Ctrl-C (its messages are kept)"),
    ]
    screen.block("Apache Kafka is open", rows)
    await asyncio.Event().wait()
