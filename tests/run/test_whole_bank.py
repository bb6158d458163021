"""`make run` from outside: it opens, heals, stops without a trace, and keeps its data."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bank.demo.people import ADMIN, BRUNO, CUSTOMERS, PARTNERS, STAFF
from bank.embedded.ports import LOOPBACK, choose_ports
from tests.run.processes import find_process, is_alive, list_processes, wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
OPEN_SECONDS = 180.0  # the machine may be busy with the other tests


class Run:
    """A bank started as `make run` starts it, in a session of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.output = folder.with_name(f"output-{port}")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bank.embedded", "run"],
                cwd=CHECKOUT,
                env=clean_environment() | {"BANK_DATA_DIR": str(folder), "PORT": str(port)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=heed_interrupts,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_open(self) -> None:
        wait_until(
            lambda: "The bank is open" in self.said or self.process.poll() is not None,
            what="the bank",
            seconds=OPEN_SECONDS,
        )
        assert self.process.poll() is None, self.said

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "bank.embedded", "manage", *arguments],
            cwd=CHECKOUT,
            env=clean_environment() | {"BANK_DATA_DIR": str(self.folder)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            left = "\n".join(list_processes(self.folder).values())
            raise AssertionError(f"The bank does not stop. It said:\n{self.said}\nIt left:\n{left}") from None


def heed_interrupts() -> None:
    """Undo what a shell does to what it runs in the background, perhaps these tests: it lets them ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def clean_environment() -> dict[str, str]:
    """Return our environment without what `exec` set for the tests, in which the bank under test has no part."""
    ours = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL", "KAFKA_BOOTSTRAP_SERVERS"}
    return {name: value for name, value in os.environ.items() if name not in ours}


@contextmanager
def running(folder: Path, port: int) -> Iterator[Run]:
    run = Run(folder, port)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        wait_until(lambda: not list_processes(folder), what="all processes to be gone")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def count_users(run: Run) -> int:
    script = "from core.models import User; print('users:', User.objects.count())"
    found = re.search(r"users: (\d+)", run.manage("shell", "--no-imports", "--command", script))
    assert found is not None
    return int(found[1])


def test_the_bank_opens_heals_stops_without_a_trace_and_keeps_its_data(folder: Path) -> None:
    port = choose_ports().valkey

    with running(folder, port) as run:
        run.wait_open()
        users = count_users(run)
        for words in (
            ("postgres", "-D"),
            ("valkey-server",),
            ("gunicorn",),
            ("celery", "worker", "--concurrency"),
            ("celery", "worker", "relay"),
            ("celery", "beat"),
            ("bank.embedded.broker",),
            ("consume_events",),
        ):
            kill_and_await_successor(run, *words)
        wait_until(run.is_ready, what="readiness after the kills")
        assert run.stop() == 0, run.said
        assert not list_processes(folder)

    assert users > 0
    assert f"http://{LOOPBACK}:{port}/admin/" in run.said
    assert {ADMIN, *STAFF, *PARTNERS, *(client.username for client in (*CUSTOMERS, BRUNO))} <= set(
        words_of_the_banner(run)
    )
    assert "postgres was ended by SIGKILL; starting it again" in run.said

    with running(folder, port) as again:
        again.wait_open()
        assert count_users(again) == users
        again.process.kill()  # not even then does anything stay behind


def test_a_bank_that_is_stopped_while_it_starts_leaves_no_process_behind(folder: Path) -> None:
    with running(folder, choose_ports().valkey) as run:
        wait_until(lambda: "Applying" in run.said, what="the migrations")

        assert run.stop(signal.SIGTERM) == 0, run.said
        assert not list_processes(folder)


def words_of_the_banner(run: Run) -> list[str]:
    return re.findall(r"[a-z_]+", run.said.partition("The bank is open")[2])


def test_the_readme_names_everybody_of_the_demo_bank() -> None:
    table = (CHECKOUT / "README.md").read_text().partition("## Test it")[0]

    assert {ADMIN, *STAFF, *PARTNERS, *(client.username for client in (*CUSTOMERS, BRUNO))} <= set(
        re.findall(r"`(\w+)`", table)
    )


def kill_and_await_successor(run: Run, *words: str) -> None:
    killed = find_process(run.folder, *words)
    assert killed is not None, list_processes(run.folder)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not is_alive(killed), what=f"{words} to die")
    wait_until(lambda: find_process(run.folder, *words), what=f"a successor of {words}")


def test_a_taken_port_is_named(folder: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken, running(folder, taken.getsockname()[1]) as run:
        assert run.process.wait(60) == 1

    assert f"Port {run.port} is taken by another program. Choose another with PORT" in run.said
    assert not folder.exists()


@pytest.mark.parametrize("verb", [["run"], ["manage", "check"]])
def test_a_data_folder_that_is_a_file_is_named(folder: Path, verb: list[str]) -> None:
    folder.touch()

    result = subprocess.run(
        [sys.executable, "-m", "bank.embedded", *verb],
        cwd=CHECKOUT,
        env=clean_environment() | {"BANK_DATA_DIR": str(folder), "PORT": str(choose_ports().valkey)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 1
    assert {
        "run": f"The data folder {folder} is a file. Set BANK_DATA_DIR to another.",
        "manage": f"There is no bank in {folder} yet.",
    }[verb[0]] in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_no_port_is_named(folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "bank.embedded", "run"],
        cwd=CHECKOUT,
        env=clean_environment() | {"BANK_DATA_DIR": str(folder), "PORT": "eighty"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 1
    assert "PORT must be a number from 1 to 65535, not 'eighty'." in result.stderr


def test_manage_without_a_bank_says_how_to_make_one(folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "bank.embedded", "manage", "check"],
        cwd=CHECKOUT,
        env=clean_environment() | {"BANK_DATA_DIR": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 1
    assert "Start it once with: make run" in result.stderr


def test_exec_passes_the_exit_code_on_and_leaves_nothing_behind(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "bank.embedded", "exec", "--", "sh", "-c", 'dirname "$PII_KEYSET_FILE"; exit 7'],
        cwd=CHECKOUT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 7
    assert Path(result.stdout.strip()).is_relative_to(tmp_path)
    assert not list(tmp_path.iterdir())
    assert not list_processes(tmp_path)
