"""Django's description of this app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts app; has the agreement of its blocks with the books proven together with them."""

    name = "accounts"

    def ready(self) -> None:
        """Register what `verify_ledger` proves of accounts, and what needs two people."""
        from accounts import operations  # noqa: F401 - registers them
        from accounts.verification import BLOCKS
        from ledger.verification import register_section

        register_section(BLOCKS)
