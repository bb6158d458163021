"""The circuit breaker in front of the regulator: after several failed calls in a row nobody calls it for a while.

# Note [One row for all workers]
It stands in the database, since the reports do: without it there is nothing to send either, and Redis may be away. A
call that succeeds reads the row and writes nothing; a call that fails adds to it. When the pause is over, whoever moves
`open_until` on is the one to try, with a single report; if it dies at that, the next one tries when this is over.
"""

from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db import transaction

from core.db import Statement, Write, run_together
from reporting.regulatory.models import Circuit
from reporting.regulatory.states import Gate

FAILURES = 5
"""So many calls in a row must fail. Where one in ten does, that is once in 100,000 calls."""


class Permit(Enum):
    """Who may call."""

    ALL = "as many as there are"
    PROBE = "this one, to try"


_FAIL = Statement(
    f"""
    INSERT INTO regulatory_circuit AS circuit (id, failures) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET
        failures = circuit.failures + 1,
        open_until = CASE WHEN circuit.failures + 1 >= {FAILURES} THEN %s::timestamptz END,
        opened_at = CASE WHEN circuit.failures + 1 >= {FAILURES} THEN coalesce(circuit.opened_at, %s::timestamptz) END
    """  # noqa: S608 - built from constants
)


def get_pause() -> timedelta:
    """Return for how long an open circuit lets nobody call."""
    return timedelta(minutes=settings.REGULATOR_RETRY_MINUTES) / 10


def ask(*, now: datetime, lease: timedelta) -> Permit | None:
    """Return whether the caller may call the regulator now; a probe has to end within `lease`."""
    gate = get_circuit().get_gate(now=now)
    if gate is Gate.CLOSED:
        return Permit.ALL
    mine = Circuit.objects.filter(open_until__lte=now).update(open_until=now + lease)
    return Permit.PROBE if mine else None


def note_success() -> None:
    """Close the circuit."""
    Circuit.objects.exclude(failures=0).update(failures=0, open_until=None, opened_at=None)


def note_failure(*, now: datetime) -> None:
    """Count a call that failed; open the circuit if it was one too many."""
    with transaction.atomic():
        run_together(Write(_FAIL, (now + get_pause(), now)))


def get_circuit() -> Circuit:
    """Return the circuit as it is; one that has never failed has no row."""
    return Circuit.objects.first() or Circuit()
