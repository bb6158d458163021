"""Apache Kafka, one node in KRaft mode on loopback ports: a real broker, for tests and for those who want one.

Unlike the embedded broker it keeps its messages and its cluster's id over restarts and kills, in its folder.
"""

import base64
import subprocess
import uuid
from pathlib import Path

from bank.embedded.errors import CannotStartError
from bank.embedded.kafka_jars import fetch_jars, find_java
from bank.embedded.launch import tied_to_parent
from bank.embedded.ports import LOOPBACK, accepts_connections, choose_port
from bank.embedded.program import Program

HEAP = "256m"
PARTITIONS = 3
_QUICK_START = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"]
_WARNINGS = "-Dorg.apache.logging.log4j.level=WARN"


class ApacheKafka:
    """One broker, which is its own controller, with all that it keeps in one folder."""

    api_version = ""

    def __init__(self, root: Path, *, port: int, log: Path | None) -> None:
        """Describe the broker; `log` as for `Program`. Raises CannotStartError without Java or the jars."""
        self.root = root
        self._port = port
        self._log = log
        self._java = [str(find_java()), f"-Xmx{HEAP}", *_QUICK_START, "-cp", f"{fetch_jars()}/*", _WARNINGS]

    def address(self) -> str:
        """Return the address for KAFKA_BOOTSTRAP_SERVERS."""
        return f"{LOOPBACK}:{self._port}"

    def prepare(self) -> None:
        """Write the configuration; make a new cluster, with a new id, if the folder holds none."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._configure(controller_port=choose_port()))
        if not (self._data / "meta.properties").exists():
            self._make_cluster()

    def programs(self) -> list[Program]:
        """Return the broker to supervise."""
        command = tied_to_parent([*self._java, "kafka.Kafka", str(self._properties)])
        return [Program(name="kafka", command=command, log=self._log, is_ready=self._is_ready)]

    @property
    def _data(self) -> Path:
        return self.root / "data"

    @property
    def _properties(self) -> Path:
        return self.root / "server.properties"

    def _configure(self, *, controller_port: int) -> str:
        return (
            "process.roles=broker,controller\n"
            "node.id=1\n"
            f"listeners=PLAINTEXT://{LOOPBACK}:{self._port},CONTROLLER://{LOOPBACK}:{controller_port}\n"
            f"advertised.listeners=PLAINTEXT://{LOOPBACK}:{self._port}\n"
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            "controller.listener.names=CONTROLLER\n"
            f"controller.quorum.voters=1@{LOOPBACK}:{controller_port}\n"
            f"log.dirs={self._data}\n"
            f"num.partitions={PARTITIONS}\n"
            "offsets.topic.num.partitions=1\n"
            "offsets.topic.replication.factor=1\n"
            "transaction.state.log.num.partitions=1\n"
            "transaction.state.log.replication.factor=1\n"
            "transaction.state.log.min.isr=1\n"
            "group.initial.rebalance.delay.ms=0\n"
            # Together six days at most: fewer than INBOX_DAYS.
            "log.retention.hours=120\n"
            "log.roll.hours=24\n"
            # A broker that was killed is let in again when its old session is over; the default is 9 s.
            "broker.session.timeout.ms=3000\n"
            "broker.heartbeat.interval.ms=500\n"
        )

    def _make_cluster(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={_new_cluster_id()}"]
        made = subprocess.run(
            [*self._java, *tool, f"--config={self._properties}"], check=False, capture_output=True, text=True
        )
        if made.returncode:
            raise CannotStartError(f"Apache Kafka cannot use {self.root}:\n{made.stdout}{made.stderr}")

    async def _is_ready(self) -> bool:
        return await accepts_connections(self._port)


def _new_cluster_id() -> str:
    """Return 16 random bytes as Kafka writes them."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
