"""Pages of the books. All of them are read-only, at every level and for everybody."""

from ledger.admin import pages

__all__ = ["pages"]
