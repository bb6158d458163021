"""What stands in for the systems outside the bank while it runs on one machine (see the package `simulators`)."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from bank.embedded.folder import DataFolder
from bank.embedded.launch import tied_to_parent
from bank.embedded.ports import LOOPBACK, EnginePorts, accepts_connections
from bank.embedded.program import Program

ONE_IN_TEN = {"error_rate": 0.04, "lose_reply_rate": 0.03, "hang_up_rate": 0.03}
"""What a new simulator begins with, so that its bank has something to retry."""

FATES = {"reject_rate": 0.05, "return_rate": 0.05, "settle_ms": 3_000, "return_ms": 60_000}
"""What becomes of payments on a new rail; a return takes a minute in place of days."""


@dataclass(frozen=True)
class Simulators:
    """The simulators of one data folder."""

    folder: DataFolder
    ports: EnginePorts

    @property
    def regulator_url(self) -> str:
        """Where the regulator is, for the bank and for people."""
        return f"http://{LOOPBACK}:{self.ports.regulator}"

    @property
    def rail_url(self) -> str:
        """Where the rail is, for the bank and for people."""
        return f"http://{LOOPBACK}:{self.ports.rail}"

    def environment(self) -> dict[str, str]:
        """Return what the bank is told of them, besides its secrets."""
        return {
            "REGULATOR_URL": self.regulator_url,
            "REGULATOR_RETRY_MINUTES": "1",
            "RAIL_URL": self.rail_url,
        }

    def programs(self) -> list[Program]:
        """Return what is to be supervised."""
        return [
            self._program("regulator", port=self.ports.regulator, faults=ONE_IN_TEN),
            self._program("rail", port=self.ports.rail, faults=ONE_IN_TEN | FATES),
        ]

    def _program(self, name: str, *, port: int, faults: Mapping[str, float]) -> Program:
        token = self.folder.secrets / f"{name.upper()}_TOKEN"
        where = ["--port", str(port), "--state", str(self.folder.simulators / f"{name}.sqlite")]
        how = ["--token-file", str(token), "--faults", json.dumps(faults)]
        return Program(
            name=name,
            command=tied_to_parent([sys.executable, "-m", f"simulators.{name}", *where, *how]),
            is_ready=partial(accepts_connections, port),
        )
