"""The three engines together."""

import os
from dataclasses import dataclass
from typing import Protocol, Self

from bank.embedded.apache_kafka import ApacheKafka
from bank.embedded.broker import MockBroker
from bank.embedded.folder import DataFolder
from bank.embedded.keys import read_passwords
from bank.embedded.ports import EnginePorts
from bank.embedded.postgres import Postgres
from bank.embedded.program import Program
from bank.embedded.supervisor import Supervisor
from bank.embedded.valkey import Valkey


class Broker(Protocol):
    """Whatever speaks Kafka's protocol."""

    @property
    def api_version(self) -> str:
        """What KAFKA_API_VERSION has to be."""

    def address(self) -> str:
        """Return what KAFKA_BOOTSTRAP_SERVERS has to be."""

    def prepare(self) -> None:
        """Make ready for the start."""

    def programs(self) -> list[Program]:
        """Return what is to be supervised."""


@dataclass(frozen=True)
class OutsideBroker:
    """A broker that somebody else runs."""

    servers: str
    api_version: str

    def address(self) -> str:
        """Return its addresses."""
        return self.servers

    def prepare(self) -> None:
        """Do nothing: it is not ours."""

    def programs(self) -> list[Program]:
        """Return nothing, for the same reason."""
        return []


@dataclass(frozen=True)
class Engines:
    """PostgreSQL, Valkey and the broker of one data folder."""

    postgres: Postgres
    valkey: Valkey
    broker: Broker

    @classmethod
    def of(cls, folder: DataFolder, ports: EnginePorts, *, is_durable: bool, broker: Broker | None = None) -> Self:
        """Return the engines of `folder`, with the embedded broker unless another is given; none is started."""
        passwords = read_passwords(folder.secrets)
        return cls(
            Postgres(folder, port=ports.postgres, passwords=passwords, is_durable=is_durable),
            Valkey(folder, port=ports.valkey, password=passwords.valkey, is_durable=is_durable),
            broker or MockBroker(port=ports.broker, log=folder.logs / "broker.log"),
        )

    @classmethod
    def of_bank(cls, folder: DataFolder, ports: EnginePorts) -> Self:
        """Return the engines of the bank of `run`, which uses the Kafka that the environment names, if any."""
        return cls.of(folder, ports, is_durable=True, broker=_find_outside_broker())

    @classmethod
    def with_apache_kafka(cls, folder: DataFolder, ports: EnginePorts, *, is_durable: bool) -> Self:
        """Return the engines of `folder` with Apache Kafka. Raises CannotStartError without Java or its jars."""
        broker = ApacheKafka(folder.kafka, port=ports.broker, log=folder.logs / "kafka.log")
        return cls.of(folder, ports, is_durable=is_durable, broker=broker)

    async def start(self, supervisor: Supervisor) -> None:
        """Start all three under `supervisor`; return when they serve and the database is there."""
        for engine in (self.postgres, self.valkey, self.broker):
            engine.prepare()
        await supervisor.start(self.postgres.program(), self.valkey.program(), *self.broker.programs())
        await self.postgres.create_database()


def _find_outside_broker() -> OutsideBroker | None:
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    return OutsideBroker(servers, os.environ.get("KAFKA_API_VERSION", "")) if servers else None
