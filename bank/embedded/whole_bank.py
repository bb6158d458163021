"""`run`: the whole bank in the foreground - engines, migrations, demo data, web, worker, beat and consumers."""

import asyncio
import hashlib
import os
import sys
import time
import urllib.request
from itertools import chain
from pathlib import Path

from django.conf import settings

from bank.embedded.console import Screen
from bank.embedded.engines import Engines
from bank.embedded.environment import as_owner, bank_environment
from bank.embedded.folder import DataFolder
from bank.embedded.foreground import until_told_to_stop
from bank.embedded.launch import tied_to_parent
from bank.embedded.manage import MANAGE
from bank.embedded.ports import LOOPBACK, keep_ports, require_free
from bank.embedded.program import Program, run_to_end
from bank.embedded.simulators import Simulators
from bank.embedded.supervisor import Supervisor

WEB_WORKERS = 2
WEB_THREADS = 8
WORKER_PROCESSES = 2
READYZ_SECONDS = 2.0
RELAY_QUEUE = ["--queues", "relay", "--pool", "solo"]
BALANCES = "balances"  # has a process to itself, since customers wait for what it does
_CELERY_AS_ROOT = "You're running the worker with superuser privileges"  # the whole demo does, if its user is root


async def run_whole_bank(folder: DataFolder, *, port: int) -> int:
    """Run the bank until SIGINT or SIGTERM; then stop all of it, in order, and return 0."""
    if not folder.root.exists():
        require_free(port, variable="PORT", target="run")  # before anything is made
    folder.create()
    with folder.lock(holder={"url": _url(port)}):
        require_free(port, variable="PORT", target="run")
        await _Bank(folder, port).run_until_told_to_stop()
    return 0


class _Bank:
    """The programs of one data folder and how they come up."""

    def __init__(self, folder: DataFolder, port: int) -> None:
        self._folder = folder
        self._port = port
        self._screen = Screen()
        self._supervisor = Supervisor(self._screen)
        ports = keep_ports(folder)
        self._engines = Engines.of_bank(folder, ports)
        self._simulators = Simulators(folder, ports)
        self._environment = bank_environment(folder, self._engines, port=port) | self._simulators.environment()

    async def run_until_told_to_stop(self) -> None:
        """Open the bank and keep it open; in the end, however that comes, leave no process behind."""
        try:
            await self._supervisor.watch(until_told_to_stop(self._open()))
        finally:
            self._screen.say("Stopping the bank ...")
            await self._supervisor.stop()
            self._screen.say("Stopped. All data is kept.")

    async def _open(self) -> None:
        began = time.monotonic()
        self._screen.say("Opening the bank: the first time takes up to a minute, later ones take seconds.")
        self._screen.say("Starting the engines ...")
        await self._engines.start(self._supervisor)
        self._screen.say("Migrating the database and seeding the demo bank ...")
        await self._manage("migrate", environment=as_owner(self._environment), arguments=["--noinput"])
        await self._manage("seed_demo", environment=self._environment)
        await self._collect_static_files()
        self._screen.say("Starting web, worker, beat, consumers and simulators ...")
        await self._supervisor.start(*self._simulators.programs(), *self._programs())
        self._greet(seconds=time.monotonic() - began)
        await asyncio.Event().wait()

    async def _manage(self, command: str, *, environment: dict[str, str], arguments: list[str] | None = None) -> None:
        """Run a command of manage.py to its end; raise CannotStartError unless it succeeds."""
        program = Program(
            name=command,
            command=tied_to_parent([sys.executable, MANAGE, command, *(arguments or [])]),
            environment=environment,
        )
        await run_to_end(program, self._screen)

    async def _collect_static_files(self) -> None:
        """Collect the static files unless those collected last are still the right ones."""
        stamp = self._folder.static / ".fingerprint"
        fingerprint = _fingerprint_of_static_files()
        if stamp.exists() and stamp.read_text() == fingerprint:
            return
        self._screen.say("Collecting the static files ...")
        arguments = ["--noinput", "--clear", "--verbosity=0"]
        await self._manage("collectstatic", environment=self._environment, arguments=arguments)
        stamp.write_text(fingerprint)

    def _programs(self) -> list[Program]:
        python = sys.executable
        consume = [python, MANAGE, "consume_events"]
        celery = [python, "-W", f"ignore:{_CELERY_AS_ROOT}", "-m", "celery", "--quiet", "-A", "bank"]
        schedule = str(self._folder.beat_schedule)
        pool = ["--concurrency", str(WORKER_PROCESSES)]
        quiet = ["--without-gossip", "--without-mingle"]
        return [
            self._web(),
            self._program("worker", *celery, "worker", "--loglevel", "WARNING", *pool, *quiet),
            self._program("relay", *celery, "worker", "--loglevel", "WARNING", *RELAY_QUEUE, *quiet),
            self._program("beat", *celery, "beat", "--loglevel", "WARNING", "--schedule", schedule, "--pidfile="),
            self._program("balances", *consume, "--group", BALANCES),
            self._program("consumers", *consume, *chain.from_iterable(("--group", name) for name in self._others())),
        ]

    def _others(self) -> list[str]:
        """Return the groups besides balances; the settings name them, and need their variables to be read."""
        os.environ.update(self._environment)
        return [name for name in settings.CONSUMER_GROUPS if name != BALANCES]

    def _web(self) -> Program:
        gunicorn = [sys.executable, "-m", "gunicorn", "bank.wsgi", "--bind", f"{LOOPBACK}:{self._port}"]
        threads = ["--worker-class", "bank.server.Worker", "--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS)]
        manners = ["--log-level", "warning", "--graceful-timeout", "5", "--no-control-socket"]
        return Program(
            name="web",
            command=tied_to_parent([*gunicorn, *threads, *manners]),
            environment=self._environment,
            is_ready=self._is_ready,
        )

    def _program(self, name: str, *command: str) -> Program:
        return Program(name=name, command=tied_to_parent(list(command)), environment=self._environment)

    async def _is_ready(self) -> bool:
        return await asyncio.to_thread(_answers, f"{_url(self._port)}/readyz")

    def _greet(self, *, seconds: float) -> None:
        url = _url(self._port)
        rows = [
            ("Admin", f"{url}/admin/"),
            ("API docs", f"{url}/api/docs/"),
            ("Readiness", f"{url}/readyz"),
            ("Customers", "alice, carla; bruno and bob began in review, mallory with a blocked account"),
            ("Staff", "teller, kyc_analyst, kyc_approver, ops_maker, ops_checker, auditor, administrator"),
            ("Emergencies", "admin, who may do everything"),
            ("System", "partner, which may inactivate clients through the API"),
            ("Password", "demo-Bank-2026 (for all of them)"),
            (
                "Regulator",
                f"{self._simulators.regulator_url} (a simulator; one call in ten fails until you say otherwise)",
            ),
            ("Payment rail", f"{self._simulators.rail_url} (a simulator, too)"),
            ("Kafka", self._engines.broker.address()),
            ("Data", str(self._folder.root)),
            ("E-mail", f"as files in {self._folder.mail}"),
            ("Logs", f"here; the engines' in {self._folder.logs}"),
            ("Stop", "Ctrl-C (all data is kept; make run starts it again)"),
        ]
        self._screen.block(f"The bank is open, after {seconds:.0f} s", rows)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=READYZ_SECONDS) as response:  # noqa: S310 - our own loopback URL
            return bool(response.status == 200)
    except OSError:  # also what urllib raises for an answer that is not 2xx
        return False


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _fingerprint_of_static_files() -> str:
    """Return a digest that changes when a package with static files or one of our own static files changes."""
    checkout = Path(MANAGE).parent
    own = sorted(path for path in checkout.glob("[!.]*/static/**/*") if path.is_file())
    parts = [(checkout / "requirements.txt").read_bytes()]
    parts += [f"{path} {path.stat().st_mtime_ns}".encode() for path in own]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()
