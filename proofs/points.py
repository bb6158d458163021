"""Points in the bank's processes at which a proof lets something happen once, in the very moment that matters.

The proof and the processes share a folder: a file with the name of a point is an order for whoever comes by first, and
one with the name of something counted has a byte for each.
"""

import os
import signal
import time
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from tests.events.broker import wait_until

FOLDER = "PROOF_FOLDER"
"""The environment variable that names the folder."""

SEND = "relay-before-it-sends"
MOVE = "relay-before-its-cursor-moves"
READS = "reads-of-the-relay"
TURNED_AWAY = "relays-turned-away"

LONGEST_WAIT_SECONDS = 180.0
_LOOK_SECONDS = 0.02
_REFUSED = "refused-balance"


class Order(StrEnum):
    """What happens to whoever comes by."""

    NOTHING = "nothing"
    KILL = "kill"
    HOLD = "hold"
    FAIL = "fail"


def name_amid_effects(group: str) -> str:
    """Return the point where a consumer has made effects and not committed them."""
    return f"{group}-amid-effects"


def name_before_offsets(group: str) -> str:
    """Return the point where a consumer has committed effects and not their offsets."""
    return f"{group}-before-offsets"


def name_known(group: str) -> str:
    """Return what counts the messages that a group knew already."""
    return f"known-to-{group}"


class Points:
    """The folder, as the proof sees it."""

    def __init__(self, folder: Path) -> None:
        """Share `folder` with all processes that are started from now on."""
        folder.mkdir()
        self._folder = folder
        os.environ[FOLDER] = str(folder)

    def arm(self, point: str, order: Order) -> None:
        """Give the order to whoever comes by `point` next."""
        _replace(self._folder / point, order)

    def await_reached(self, point: str) -> None:
        """Wait until somebody has."""
        wait_until((self._folder / f"{point}.reached").exists, seconds=LONGEST_WAIT_SECONDS)
        (self._folder / f"{point}.reached").unlink()

    def release(self, point: str) -> None:
        """Let go whoever is held at `point`."""
        (self._folder / f"{point}.released").touch()

    def count(self, name: str) -> int:
        """Return how often `name` was counted."""
        return _count(self._folder / name)

    def refuse_balance(self, account_id: UUID, version: int) -> None:
        """Let the group `balances` fail over this one balance."""
        _replace(self._folder / _REFUSED, f"{account_id} {version}")

    def accept_balances(self) -> None:
        """Let it fail no more."""
        (self._folder / _REFUSED).unlink()


def reach(point: str) -> Order:
    """Come by `point`: obey the order that waits there, if any, and return it."""
    path = _get_folder() / point
    try:
        order = Order(path.read_text())
        path.rename(path.with_name(f"{point}.reached"))
    except FileNotFoundError:  # no order, or somebody else was faster
        return Order.NOTHING
    if order == Order.KILL:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    if order == Order.HOLD:
        _await_released(path.with_name(f"{point}.released"))
    return order


def add_to_count(name: str, number: int = 1) -> None:
    """Count `number` more of `name`."""
    with (_get_folder() / name).open("ab") as file:
        file.write(b"." * number)


def is_refused(account_id: UUID, version: int) -> bool:
    """Tell whether the proof wants this balance to fail."""
    try:
        return (_get_folder() / _REFUSED).read_text() == f"{account_id} {version}"
    except FileNotFoundError:
        return False


def _await_released(released: Path) -> None:
    while not released.exists():
        time.sleep(_LOOK_SECONDS)
    released.unlink()


def _get_folder() -> Path:
    return Path(os.environ[FOLDER])


def _count(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _replace(path: Path, text: str) -> None:
    """Write a file that nobody sees half."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.rename(path)
