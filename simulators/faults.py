"""What goes wrong at a simulator, and how often."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum, auto
from typing import Self, get_type_hints


class Fate(Enum):
    """What becomes of a request."""

    SERVED = auto()
    DELAYED = auto()
    ANSWERED_503 = auto()
    HUNG_UP = auto()
    REPLY_LOST = auto()


class FaultsError(ValueError):
    """Switches that make no sense; says which."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The switches. A request meets one fault at most, so the rates of a request add up; each is from 0 to 1.

    A simulator with faults of its own adds them in a subclass: `..._rate` is a float, all else a whole number.
    """

    error_rate: float = 0.0  # answered 503, nothing is done
    hang_up_rate: float = 0.0  # the connection is closed, nothing is done
    lose_reply_rate: float = 0.0  # all is done, then the connection is closed without a reply
    delay_rate: float = 0.0  # done and answered, but only after delay_ms
    delay_ms: int = 1_000
    seed: int = 1

    def __post_init__(self) -> None:
        """Raise FaultsError for a value that its switch cannot have."""
        for name, kind in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
                raise FaultsError(f"{name} must be a number.")
            if not 0 <= value <= (1 if kind is float else 2**31):
                raise FaultsError(f"{name} is out of range.")
        if self._get_sum() > 1 + 1e-9:
            raise FaultsError("The rates of a request's faults add up to more than 1.")

    @classmethod
    def read(cls, values: object) -> Self:
        """Return the switches that a JSON object sets, the others off. Raises FaultsError."""
        if not isinstance(values, Mapping):
            raise FaultsError("Send a JSON object.")
        unknown = values.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise FaultsError(f"No such switch: {', '.join(sorted(map(str, unknown)))}.")
        return cls(**values)

    def _get_sum(self) -> float:
        return self.error_rate + self.hang_up_rate + self.lose_reply_rate + self.delay_rate


class Dice:
    """Throws what becomes of each request; the same seed throws the same again."""

    def __init__(self, faults: Faults) -> None:
        """Throw as `faults` say."""
        self._random = random.Random(faults.seed)  # noqa: S311 - dice
        self._shares = (
            (Fate.ANSWERED_503, faults.error_rate),
            (Fate.HUNG_UP, faults.hang_up_rate),
            (Fate.REPLY_LOST, faults.lose_reply_rate),
            (Fate.DELAYED, faults.delay_rate),
        )

    def throw(self) -> Fate:
        """Return the fate of the next request."""
        thrown = self._random.random()
        for fate, share in self._shares:
            if thrown < share:
                return fate
            thrown -= share
        return Fate.SERVED

    def happens(self, rate: float) -> bool:
        """Throw for something that happens with `rate`."""
        return self._random.random() < rate
