"""What calls that move money answer."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.response import Response

from core.api.fields import AmountOutField, CurrencyField, TextField
from core.api.jsend import render_refusal
from core.errors import BankError, InvalidAmountError
from core.money import format_amount
from ledger.errors import (
    AccountBlockedError,
    AccountBusyError,
    AccountInactiveError,
    AccountNotFoundError,
    BalanceLimitError,
    CurrencyMismatchError,
)
from transfers import selectors
from transfers.orders import STORED_FAILURES, Submission
from transfers.selectors import TransferRow
from transfers.states import TransferKind, TransferStatus

MOVEMENT_REFUSALS: list[type[BankError]] = [
    InvalidAmountError,
    AccountNotFoundError,
    CurrencyMismatchError,
    AccountBlockedError,
    AccountInactiveError,
    BalanceLimitError,
    AccountBusyError,
]


class TransferAnswer(serializers.Serializer[Any]):
    """A transfer. `balance_version` is the version that it gave the balance of the caller's account."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=TransferKind.choices)
    status = serializers.ChoiceField(choices=TransferStatus.choices)
    debtor_account = serializers.UUIDField(allow_null=True, help_text="None in a deposit.")
    creditor_account = serializers.UUIDField(allow_null=True, help_text="None in a withdrawal.")
    amount = AmountOutField()
    currency = CurrencyField()
    remittance_information = TextField(example="Invoice 2026-117")
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    failure_code = serializers.CharField(allow_null=True, help_text="Why it failed: a refusal's code.")
    balance_version = serializers.IntegerField(allow_null=True)


def render_transfer(row: TransferRow) -> dict[str, object]:
    """Return the values of a TransferAnswer."""
    return {
        "id": row["id"],
        "kind": row["kind"],
        "status": row["status"],
        "debtor_account": row["debtor_account_id"],
        "creditor_account": row["creditor_account_id"],
        "amount": format_amount(row["amount"], row["currency"]),
        "currency": row["currency"],
        "remittance_information": row["remittance_information"],
        "created_at": row["created_at"],
        "completed_at": row["completed_at"],
        "failure_code": row["failure_code"] or None,
        "balance_version": row["balance_version"],
    }


def answer_submission(submission: Submission) -> HttpResponse:
    """Return the transfer; one that failed is answered as the refusal that it stands for."""
    transfer = submission.transfer
    response: HttpResponse
    if transfer.status == TransferStatus.FAILED:
        response = render_refusal(STORED_FAILURES[transfer.failure_code](details={"transfer": transfer.id}))
    else:
        status = 202 if transfer.status == TransferStatus.IN_REVIEW else 201
        response = Response(render_transfer(selectors.get_ordered_row(transfer=transfer)), status=status)
    if submission.is_replayed:
        response["Idempotent-Replayed"] = "true"
    return response
