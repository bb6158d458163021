"""Transfers in the API: deposits, withdrawals and internal transfers, and reading them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import AccountReferenceField
from accounts.balances import show_balances
from accounts.selectors import find_account_ids
from core.api.fields import AmountOutField, CurrencyField, MomentField, TextField
from core.api.jsend import render_refusal
from core.api.operations import operation
from core.api.pagination import PageAnswer, PageQuery, get_page_request, render_page
from core.api.serializers import MoneyBody, read_body, read_idempotency_key, read_query
from core.api.views import get_now, get_user
from core.errors import BankError, InvalidAmountError
from core.money import format_amount
from core.scopes import Scope
from core.text import clean_line
from kyc.api import ClientView
from ledger.errors import (
    AccountBlockedError,
    AccountBusyError,
    AccountInactiveError,
    AccountNotFoundError,
    BalanceLimitError,
    CurrencyMismatchError,
    InsufficientFundsError,
)
from transfers import selectors
from transfers.errors import SameAccountError, TransferNotFoundError
from transfers.orders import STORED_FAILURES, Submission, TransferOrder
from transfers.selectors import TransferFilter, TransferRow
from transfers.services import submit_transfer
from transfers.states import TransferKind, TransferStatus

MAX_REMITTANCE_LENGTH = 140

_ACCOUNT_EXAMPLE = "018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e"

_NO_ACCOUNT = UUID(int=0)

_MOVEMENT_REFUSALS: list[type[BankError]] = [
    InvalidAmountError,
    AccountNotFoundError,
    CurrencyMismatchError,
    AccountBlockedError,
    AccountInactiveError,
    BalanceLimitError,
    AccountBusyError,
]


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

    debtor_account = AccountReferenceField(example=_ACCOUNT_EXAMPLE)
    creditor_account = AccountReferenceField(example="123456789012")


class TransfersQuery(PageQuery):
    """Which transfers."""

    account = AccountReferenceField(required=False, help_text="One of the caller's accounts, by its id or number.")
    status = serializers.ChoiceField(choices=TransferStatus.choices, required=False)
    kind = serializers.ChoiceField(choices=TransferKind.choices, required=False)
    created_after = MomentField(required=False)
    created_before = MomentField(required=False)


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


class TransferPage(PageAnswer):
    """Transfers."""

    results = TransferAnswer(many=True)


def _render_transfer(row: TransferRow) -> dict[str, object]:
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


class MovementView(ClientView):
    """A view that moves money."""

    def read_order(self, request: Request, body: type[MovementBody]) -> dict[str, Any]:
        """Return the body's values, and who gives the order under which key, as TransferOrder names them."""
        values = read_body(request, body)
        return values | {
            "idempotency_key": read_idempotency_key(request),
            "principal_id": get_user(request).pk,
            "client_id": self.get_client().id,
        }


def _carry_out(order: TransferOrder) -> HttpResponse:
    """Submit `order`, let its parties read their new balances at once, and return the answer."""
    submission = submit_transfer(order=order, now=get_now())
    show_balances(balances=submission.balances, as_of=submission.transfer.created_at)
    return _answer(submission)


def _answer(submission: Submission) -> HttpResponse:
    """Return the transfer; one that failed is answered as the refusal that it stands for."""
    transfer = submission.transfer
    response: HttpResponse
    if transfer.status == TransferStatus.FAILED:
        response = render_refusal(STORED_FAILURES[transfer.failure_code](details={"transfer": transfer.id}))
    else:
        status = 202 if transfer.status == TransferStatus.IN_REVIEW else 201
        response = Response(_render_transfer(selectors.get_ordered_row(transfer=transfer)), status=status)
    if submission.is_replayed:
        response["Idempotent-Replayed"] = "true"
    return response


class DepositsView(MovementView):
    """/accounts/{id}/deposits."""

    @operation(
        operation_id="deposit",
        summary="Pay cash in",
        scope=Scope.TRANSFERS_WRITE,
        body=MovementBody,
        answers={201: TransferAnswer},
        refusals=_MOVEMENT_REFUSALS,
        is_idempotent=True,
    )
    def post(self, request: Request, account_id: UUID) -> HttpResponse:
        """Pay cash into one of the caller's own accounts."""
        order = TransferOrder(
            kind=TransferKind.DEPOSIT,
            debtor_account_id=None,
            creditor_account_id=account_id,
            **self.read_order(request, MovementBody),
        )
        return _carry_out(order)


class WithdrawalsView(MovementView):
    """/accounts/{id}/withdrawals."""

    @operation(
        operation_id="withdraw",
        summary="Draw cash",
        scope=Scope.TRANSFERS_WRITE,
        body=MovementBody,
        answers={201: TransferAnswer},
        refusals=[*_MOVEMENT_REFUSALS, InsufficientFundsError],
        is_idempotent=True,
    )
    def post(self, request: Request, account_id: UUID) -> HttpResponse:
        """Draw cash from one of the caller's own accounts."""
        order = TransferOrder(
            kind=TransferKind.WITHDRAWAL,
            debtor_account_id=account_id,
            creditor_account_id=None,
            **self.read_order(request, MovementBody),
        )
        return _carry_out(order)


class TransfersView(MovementView):
    """/transfers."""

    @operation(
        operation_id="transfer",
        summary="Transfer money",
        scope=Scope.TRANSFERS_WRITE,
        body=TransferBody,
        answers={201: TransferAnswer, 202: TransferAnswer},
        refusals=[*_MOVEMENT_REFUSALS, SameAccountError, InsufficientFundsError],
        is_idempotent=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """Transfer money from one of the caller's own accounts to any account of this bank."""
        values = self.read_order(request, TransferBody)
        debtor_id, creditor_id = _find_accounts(values.pop("debtor_account"), values.pop("creditor_account"))
        order = TransferOrder(
            kind=TransferKind.INTERNAL, debtor_account_id=debtor_id, creditor_account_id=creditor_id, **values
        )
        return _carry_out(order)

    @operation(
        operation_id="list_transfers",
        summary="List my transfers",
        scope=Scope.TRANSFERS_READ,
        query=TransfersQuery,
        answers={200: TransferPage},
    )
    def get(self, request: Request) -> Response:
        """Return the transfers of the caller's accounts, the newest first; incoming ones once they are completed."""
        values = read_query(request, TransfersQuery)
        page = selectors.list_transfers(
            client_id=self.get_client().id, wanted=_get_filter(values), page=get_page_request(values)
        )
        return Response(render_page(request, page, _render_transfer))


def _find_accounts(*references: UUID | str) -> list[UUID]:
    """Return the ids of the accounts that are named by id or number.

    A number that no account has comes out as an id that no account has: the order under it is then refused like any
    other over an unknown account, after its idempotency key was looked at.
    """
    numbers = {reference for reference in references if isinstance(reference, str)}
    found = find_account_ids(numbers=numbers) if numbers else {}
    return [found.get(each, _NO_ACCOUNT) if isinstance(each, str) else each for each in references]


def _get_filter(values: dict[str, Any]) -> TransferFilter:
    return TransferFilter(**{name: values.get(name) for name in TransferFilter._fields})


class TransferView(ClientView):
    """/transfers/{id}."""

    @operation(
        operation_id="show_transfer",
        summary="Show a transfer",
        scope=Scope.TRANSFERS_READ,
        answers={200: TransferAnswer},
        refusals=[TransferNotFoundError],
    )
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Return a transfer from or to one of the caller's accounts."""
        row = selectors.get_transfer(transfer_id=transfer_id, client_id=self.get_client().id)
        return Response(_render_transfer(row))
