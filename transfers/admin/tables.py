"""Transfers as a table on other pages."""

from collections.abc import Iterable

from django.utils.translation import gettext

from accounts.admin import show_account
from core.admin.cells import link_to, show_moment
from core.admin.tables import Amount, Link, Table
from core.language import Words
from transfers.admin.cells import show_transfer_amount, show_transfer_status
from transfers.models import Transfer


def make_transfers(
    transfers: Iterable[Transfer], *, empty: str, title: Words = "", more: tuple[Link, ...] = ()
) -> Table:
    """Return `transfers`, which come with their accounts; `empty` stands in place of none."""
    return Table(
        title=title or gettext("Transfers"),
        headings=(
            gettext("Transfer"),
            gettext("Kind"),
            gettext("From"),
            gettext("To"),
            Amount(gettext("Amount")),
            gettext("Status"),
            gettext("Ordered"),
            gettext("Remittance"),
        ),
        rows=[
            (
                link_to(Transfer, transfer.pk),
                transfer.get_kind_display(),
                show_account(transfer.debtor_account),
                show_account(transfer.creditor_account),
                show_transfer_amount(transfer),
                show_transfer_status(transfer),
                show_moment(transfer.created_at),
                transfer.remittance_information,
            )
            for transfer in transfers
        ],
        empty=empty,
        more=more,
    )
