"""How a transfer is shown on any page."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.cells import NOTHING, Tone, show_amount, show_status
from ledger.errors import InsufficientFundsError
from transfers.models import Transfer
from transfers.orders import STORED_FAILURES
from transfers.states import TransferStatus

_TONES = {
    TransferStatus.COMPLETED: Tone.GOOD,
    TransferStatus.IN_REVIEW: Tone.WAITING,
    TransferStatus.FAILED: Tone.BAD,
}
_REMEDIES = {
    InsufficientFundsError.code: _("Its client can pay in and order it again, under another idempotency key."),
}


def show_transfer_status(transfer: Transfer) -> str:
    """Return how far it is."""
    return show_status(transfer.status, transfer.get_status_display(), _TONES)


def show_transfer_amount(transfer: Transfer) -> str:
    """Return what it moves."""
    return show_amount(transfer.amount, transfer.currency)


def explain_failure(code: str) -> str:
    """Return why a transfer failed, in words."""
    error = STORED_FAILURES.get(code)
    return gettext(error.message) if error else code or NOTHING


def say_what_to_do(code: str) -> str:
    """Return what can be done about a transfer that failed."""
    return str(_REMEDIES.get(code, _("It stays failed; it can only be ordered again, under another idempotency key.")))
