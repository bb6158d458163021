"""What calls that move money take, and the accounts that they name."""

from uuid import UUID, uuid5

from accounts.api import AccountReferenceField
from accounts.selectors import find_account_ids
from core.api.fields import TextField
from core.api.serializers import MoneyBody
from core.text import clean_line

MAX_REMITTANCE_LENGTH = 140

ACCOUNT_EXAMPLE = "018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e"

_UNKNOWN_NUMBERS = UUID("0b8f3b0c-6c1f-7a52-8d0e-4f1f7c9a2e35")
"""The name space of the ids that stand for numbers which no account has."""


class MovementBody(MoneyBody):
    """Money that comes or goes."""

    remittance_information = TextField(
        max_length=MAX_REMITTANCE_LENGTH,
        required=False,
        allow_blank=True,
        allow_null=True,
        example="Invoice 2026-117",
    )

    def validate_remittance_information(self, text: str | None) -> str:
        """Return the text as it is kept. Raises InvalidInputError for what no line may hold."""
        return clean_line(text, field="remittance_information", max_length=MAX_REMITTANCE_LENGTH) if text else ""


class TransferBody(MovementBody):
    """Money that moves between two accounts, each given by its id or its number."""

    debtor_account = AccountReferenceField(example=ACCOUNT_EXAMPLE)
    creditor_account = AccountReferenceField(example="123456789012")


def find_accounts(*references: UUID | str) -> list[UUID]:
    """Return the ids of the accounts that are named by id or number.

    A number that no account has comes out as an id of its own that no account has: the order under it is then refused
    like any other over an unknown account, after its idempotency key was looked at.
    """
    numbers = {reference for reference in references if isinstance(reference, str)}
    found = find_account_ids(numbers=numbers) if numbers else {}
    return [found.get(each) or uuid5(_UNKNOWN_NUMBERS, each) if isinstance(each, str) else each for each in references]
