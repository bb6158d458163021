"""Gates in the database: a session that asks for it waits there, with all that it has written, until it may go on."""

from types import TracebackType
from typing import Self

from django.db import connection

from tests.events.broker import wait_until

BEFORE_NUMBER, BEFORE_COMMIT = 1, 2
"""The gates: before an event is numbered, and when all is written and numbered."""

_SPACE = 4_711  # of the advisory locks that are gates
_SECONDS = 30.0

GATES = f"""
CREATE FUNCTION proof_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lock_timeout', '0', true);
    PERFORM pg_advisory_xact_lock_shared({_SPACE}, tg_argv[0]::int);
    RETURN NULL;
END $$;
CREATE TRIGGER proof_gate_before_number BEFORE INSERT ON events_event
FOR EACH STATEMENT WHEN (current_setting('proof.gate', true) = '{BEFORE_NUMBER}')
EXECUTE FUNCTION proof_gate({BEFORE_NUMBER});
CREATE CONSTRAINT TRIGGER proof_gate_before_commit AFTER INSERT ON events_event DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (current_setting('proof.gate', true) = '{BEFORE_COMMIT}')
EXECUTE FUNCTION proof_gate({BEFORE_COMMIT});
"""


class Gate:
    """A gate that is shut until it is opened, at the end of the block at the latest."""

    def __init__(self, number: int) -> None:
        """Take the gate `number`."""
        self._number = number
        self._is_shut = False

    def __enter__(self) -> Self:
        _query(f"SELECT pg_advisory_lock({_SPACE}, {self._number})")
        self._is_shut = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.open()

    def await_waiting(self) -> None:
        """Wait until a session stands before the gate."""
        waiting = (
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            f" AND (classid, objid) = ({_SPACE}, {self._number})"
        )
        wait_until(lambda: _query(waiting), seconds=_SECONDS)

    def open(self) -> None:
        """Let it go on."""
        if self._is_shut:
            _query(f"SELECT pg_advisory_unlock({_SPACE}, {self._number})")
        self._is_shut = False


def ask_for_gate(number: int) -> None:
    """Let this session wait at the gate `number` from now on; at none, if 0."""
    _query(f"SELECT set_config('proof.gate', '{number}', false)")


def _query(sql: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()
