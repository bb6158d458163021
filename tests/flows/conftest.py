"""The bank of the flows: every process of it, on the broker that the tests run on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from bank import settings as bank_settings
from tests.events.conftest import _own_topics  # noqa: F401 - a fixture
from tests.events.processes import get_environment
from tests.faults.processes import Processes
from tests.flows.bank import Outside
from tests.notifications.mail_server import MailServer
from tests.run.server import Server
from tests.simulators.process import SimulatorProcess

GROUPS = ("accounts", "notifications", "regulatory", "balances", "analytics")


@pytest.fixture
def outside(
    _own_topics: None,  # noqa: F811
    transactional_db: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Outside]:
    """Run a bank, its rail, its regulator and its mail server."""
    settings.PASSWORD_HASHERS = bank_settings.PASSWORD_HASHERS  # the web server knows no quick ones
    regulator, rail, mail = SimulatorProcess("regulator", tmp_path), SimulatorProcess("rail", tmp_path), MailServer()
    rail.set_faults()
    for name, value in {
        "REGULATOR_URL": regulator.url,
        "REGULATOR_TOKEN_FILE": str(regulator.token_file),
        "RAIL_URL": rail.url,
        "RAIL_TOKEN_FILE": str(rail.token_file),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
    }.items():
        monkeypatch.setenv(name, value)
    processes = Processes(tmp_path, settings="bank.settings")
    processes.start_relay()
    processes.start_worker()
    processes.start_consumer(*GROUPS)
    own: dict[str, Any] = {name: value for name, value in get_environment().items() if os.environ.get(name) != value}
    server = Server(**own)
    yield Outside(f"http://localhost:{server.port}", rail=rail, regulator=regulator, mail=mail)
    server.stop()
    processes.kill_all()
    rail.kill()
    regulator.kill()
    mail.stop()
