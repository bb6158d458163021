"""`manage`: manage.py against the bank of `run`, whether that bank runs now or not."""

import sys
from pathlib import Path

from bank.embedded.console import Screen
from bank.embedded.engines import Engines
from bank.embedded.environment import as_owner, bank_environment
from bank.embedded.errors import CannotStartError
from bank.embedded.folder import DataFolder
from bank.embedded.ports import EnginePorts, keep_ports, read_ports
from bank.embedded.simulators import Simulators
from bank.embedded.supervisor import Supervisor
from bank.embedded.throwaway import run_command

MANAGE = str(Path(__file__).resolve().parents[2] / "manage.py")
COMMANDS_OF_THE_OWNER = {"migrate"}


async def manage(arguments: list[str], folder: DataFolder, *, port: int) -> int:
    """Run manage.py with `arguments`; return its exit code."""
    ports = read_ports(folder)
    if ports is None:
        raise CannotStartError(f"There is no bank in {folder.root} yet. Start it once with: make run")
    if folder.is_locked():
        return await _run_manage(arguments, folder, ports, port)
    with folder.lock(holder={}):
        return await _with_engines(arguments, folder, port)


async def _with_engines(arguments: list[str], folder: DataFolder, port: int) -> int:
    """Start the engines for as long as the command takes."""
    supervisor = Supervisor(Screen())
    ports = keep_ports(folder)
    try:
        await Engines.of_bank(folder, ports).start(supervisor)
        return await supervisor.watch(_run_manage(arguments, folder, ports, port))
    finally:
        await supervisor.stop()


async def _run_manage(arguments: list[str], folder: DataFolder, ports: EnginePorts, port: int) -> int:
    engines = Engines.of_bank(folder, ports)
    environment = bank_environment(folder, engines, port=port) | Simulators(folder, ports).environment()
    if arguments[0] in COMMANDS_OF_THE_OWNER:
        environment = as_owner(environment)
    return await run_command([sys.executable, MANAGE, *arguments], environment)
