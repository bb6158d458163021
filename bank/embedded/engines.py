"""The three engines together."""

from dataclasses import dataclass
from typing import Self

from bank.embedded.broker import Broker
from bank.embedded.folder import DataFolder
from bank.embedded.keys import read_passwords
from bank.embedded.ports import EnginePorts
from bank.embedded.postgres import Postgres
from bank.embedded.supervisor import Supervisor
from bank.embedded.valkey import Valkey


@dataclass(frozen=True)
class Engines:
    """PostgreSQL, Valkey and the broker of one data folder."""

    postgres: Postgres
    valkey: Valkey
    broker: Broker

    @classmethod
    def of(cls, folder: DataFolder, ports: EnginePorts, *, is_durable: bool) -> Self:
        """Return the engines of `folder`; none is started."""
        passwords = read_passwords(folder.secrets)
        return cls(
            Postgres(folder, port=ports.postgres, passwords=passwords, is_durable=is_durable),
            Valkey(folder, port=ports.valkey, password=passwords.valkey),
            Broker(folder, port=ports.broker),
        )

    async def start(self, supervisor: Supervisor) -> None:
        """Start all three under `supervisor`; return when they serve and the database is there."""
        self.postgres.prepare()
        self.valkey.prepare()
        await supervisor.start(self.postgres.program(), self.valkey.program(), self.broker.program())
        await self.postgres.create_database()
