"""What stands in the API's paths."""

from uuid import UUID


class IdConverter:
    """An id as bodies and queries take it too: also in capitals, as RFC 9562 allows, and without hyphens."""

    regex = "[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"

    def to_python(self, value: str) -> UUID:
        """Return the id."""
        return UUID(value)

    def to_url(self, value: UUID) -> str:
        """Return the form in which the bank itself writes it."""
        return str(value)
