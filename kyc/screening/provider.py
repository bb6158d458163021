"""The port to whoever knows whom the bank may not serve: the list that ships, or a service of another firm's."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, Protocol, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from kyc.screening.matching import Match, Subject


class Found(NamedTuple):
    """What a screening found, and in which list (a row of SanctionsList)."""

    list_id: UUID
    matches: Sequence[Match]


class ScreeningProvider(Protocol):
    """Finds out who a client may be. It is asked under the client's lock, so it answers in well under a second."""

    def screen(self, *, subject: Subject, threshold: int) -> Found:
        """Return whoever on the list in force scores `threshold` or more, the likeliest first. Raises NoListError."""
        ...


@cache
def get_provider() -> ScreeningProvider:
    """Return the provider that SCREENING_PROVIDER names."""
    return cast("ScreeningProvider", import_string(settings.SCREENING_PROVIDER)())
