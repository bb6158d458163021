"""Reads of reversals."""

from uuid import UUID

from transfers.errors import TransferNotFoundError
from transfers.models import Transfer
from transfers.reversals.models import Reversal


def get_transfer(*, transfer_id: UUID) -> Transfer:
    """Return a transfer. Raises TransferNotFoundError."""
    transfer = Transfer.objects.filter(pk=transfer_id).first()
    if transfer is None:
        raise TransferNotFoundError
    return transfer


def find_reversal(*, transfer_id: UUID) -> Reversal | None:
    """Return the reversal of a transfer, or None."""
    return Reversal.objects.filter(pk=transfer_id).select_related("approval", "approval__requested_by").first()
