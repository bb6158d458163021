"""PostgreSQL as a child of ours: its cluster, its roles, and the command that runs it."""

import os
import shutil
import subprocess
from pathlib import Path
from signal import Signals

import psycopg
from psycopg import sql

from bank.embedded.binaries import POSTGRES_MAJOR, find_postgres
from bank.embedded.errors import CannotStartError
from bank.embedded.folder import DataFolder
from bank.embedded.keys import EnginePasswords
from bank.embedded.launch import as_server_user, command_line, end_process, server_user
from bank.embedded.ports import LOOPBACK
from bank.embedded.program import Program

DATABASE = "bank"
SUPERUSER = "postgres"
OWNER = "bank_owner"
APP = "bank_app"
IMPOSSIBLE_PID = 2**22  # Linux gives numbers below this one, macOS below 100,000

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a data folder's path may be longer than a socket's may be
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "track_commit_timestamp": "on",  # by which the lag from commit to consumer can be measured
    "jit": "off",  # its compile time is longer than any of our queries
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}  # survives kill -9 of the server, not a power cut


class Postgres:
    """One PostgreSQL server in a data folder. `is_durable`: False only for data that is thrown away."""

    def __init__(self, folder: DataFolder, *, port: int, passwords: EnginePasswords, is_durable: bool) -> None:
        self._folder = folder
        self._port = port
        self._passwords = passwords
        self._is_durable = is_durable
        self._binaries = find_postgres()

    def url(self, role: str, *, database: str = DATABASE) -> str:
        """Return the address of `database` for `role`."""
        passwords = self._passwords
        password = {SUPERUSER: passwords.superuser, OWNER: passwords.owner, APP: passwords.app}[role]
        return f"postgres://{role}:{password}@{LOOPBACK}:{self._port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none; take up one that was left behind."""
        if not self._folder.postgres.exists():
            self._make_cluster()
        self._require_same_major()
        self._end_survivor()
        _give_to_server_user(self._folder.postgres)

    def program(self) -> Program:
        """Return the server to supervise. SIGINT is PostgreSQL's fast shutdown."""
        settings = SETTINGS | {"port": str(self._port)} | ({} if self._is_durable else NOT_DURABLE)
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=self._as_server("postgres", "-D", str(self._folder.postgres), *options),
            log=self._folder.logs / "postgres.log",
            stop_signal=Signals.SIGINT,
            is_ready=self._is_ready,
        )

    async def create_database(self) -> None:
        """Create the roles and the database, where missing, with the folder's passwords."""
        connection = await psycopg.AsyncConnection.connect(self._superuser_url(), autocommit=True)
        async with connection:
            await _ensure_role(connection, OWNER, self._passwords.owner, "CREATEDB")
            await _ensure_role(connection, APP, self._passwords.app, "NOCREATEDB")
            await _ensure_database(connection)

    async def _is_ready(self) -> bool:
        try:
            connection = await psycopg.AsyncConnection.connect(self._superuser_url(), connect_timeout=2)
        except psycopg.OperationalError:
            return False
        await connection.close()
        return True

    def _superuser_url(self) -> str:
        return self.url(SUPERUSER, database="postgres")

    def _as_server(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._binaries / program), *arguments]
        return as_server_user(command, self._binaries, self._folder.postgres)

    def _make_cluster(self) -> None:
        """Run initdb beside the final place and move the result there: half a cluster is never met."""
        draft = self._folder.postgres.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password_file = self._folder.root / "postgres-password.new"
        password_file.touch(mode=0o600)
        password_file.write_text(self._passwords.superuser)
        _give_to_server_user(draft)
        _give_to_server_user(password_file)
        try:
            self._run_initdb(draft, password_file)
        finally:
            password_file.unlink()
        draft.rename(self._folder.postgres)

    def _run_initdb(self, draft: Path, password_file: Path) -> None:
        options = [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        where = ["-D", str(draft), "-U", SUPERUSER, f"--pwfile={password_file}"]
        durability = [] if self._is_durable else ["--no-sync"]
        command = self._as_server("initdb", *where, *options, "--locale=C", "--no-instructions", *durability)
        result = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
        if result.returncode:
            raise CannotStartError(f"PostgreSQL's initdb failed in {draft}:\n{result.stderr.strip()}")

    def _require_same_major(self) -> None:
        found = (self._folder.postgres / "PG_VERSION").read_text().strip()
        if found != str(POSTGRES_MAJOR):
            raise CannotStartError(
                f"The data in {self._folder.postgres} is of PostgreSQL {found}; this is {POSTGRES_MAJOR}."
            )

    # Note [A pid file left behind]: its process may be dead (PostgreSQL copes), still alive as its parent was
    # killed (we end it), or another program with the same number (PostgreSQL would refuse to start). The file
    # is never removed: it also names the shared memory by which PostgreSQL notices that old backends live.
    def _end_survivor(self) -> None:
        """Deal with a postmaster.pid; only the holder of the folder's lock may call this."""
        file = self._folder.postgres / "postmaster.pid"
        if not file.exists():
            return
        pid = int(file.read_text().splitlines()[0])
        if str(self._folder.postgres) in command_line(pid):
            end_process(pid, signal=Signals.SIGINT)
        elif command_line(pid):
            _, *rest = file.read_text().splitlines(keepends=True)
            file.write_text("".join([f"{IMPOSSIBLE_PID}\n", *rest]))


async def _ensure_role(connection: psycopg.AsyncConnection, role: str, password: str, option: str) -> None:
    """Create the role or bring it to what it shall be: it can sign in, and do nothing but `option`."""
    found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    verb = "ALTER" if await found.fetchone() else "CREATE"
    await connection.execute(
        sql.SQL("{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEROLE {option} PASSWORD {password}").format(
            verb=sql.SQL(verb),
            role=sql.Identifier(role),
            option=sql.SQL(option),
            password=sql.Literal(password),
        )
    )


async def _ensure_database(connection: psycopg.AsyncConnection) -> None:
    """Create the database; only its owner and the runtime role may connect, the latter to do nothing else."""
    found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
    names = {"database": sql.Identifier(DATABASE), "owner": sql.Identifier(OWNER), "app": sql.Identifier(APP)}
    if not await found.fetchone():
        await connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {owner}").format(**names))
    await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
    await connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {app}").format(**names))


def _give_to_server_user(path: Path) -> None:
    """As root, make the server's user own `path` and all below it."""
    user = server_user()
    if user is None or path.stat().st_uid == user.pw_uid:
        return
    for each in (path, *path.rglob("*")):
        os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)
