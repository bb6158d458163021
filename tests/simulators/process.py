"""A simulator as a process of its own, to be asked, switched, killed and started again."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from bank.embedded.launch import tied_to_parent
from bank.embedded.manage import MANAGE
from bank.embedded.ports import LOOPBACK, choose_port, is_free
from tests.run.processes import wait_until

TOKEN = "a-Token-of-the-regulator-4711"
TIMEOUT_SECONDS = 20.0


class SimulatorProcess:
    """`python -m simulators.NAME` on a port of its own, with its state in `folder`."""

    def __init__(self, name: str, folder: Path) -> None:
        """Start it, and return when it serves."""
        self.port = choose_port()
        self.state = folder / f"{name}.sqlite"
        self.token_file = folder / f"{name}-token"
        self.token_file.write_text(TOKEN)
        where = ["--port", str(self.port), "--state", str(self.state), "--token-file", str(self.token_file)]
        self._command = tied_to_parent([sys.executable, "-m", f"simulators.{name}", *where])
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it, and return when it serves."""
        self._process = subprocess.Popen(self._command, cwd=Path(MANAGE).parent, start_new_session=True)
        wait_until(lambda: not is_free(self.port), what="the simulator")

    def kill(self) -> None:
        """Kill it with -9."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Let it end in order and return its exit code."""
        self._process.terminate()
        return self._process.wait(TIMEOUT_SECONDS)

    def set_faults(self, **faults: float) -> None:
        """Set the switches; those that are not named are off."""
        self.ask("PUT", "/faults", faults)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what it answers, as JSON. Raises HTTPError, or another OSError if it does not answer."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback URL
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return json.loads(response.read())
