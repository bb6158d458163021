"""Transfers between accounts of the bank in the API: making one, and reading all kinds."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import AccountReferenceField
from core.api.fields import MomentField
from core.api.operations import operation
from core.api.pagination import PageAnswer, PageQuery, get_page_request, render_page
from core.api.serializers import read_query
from core.scopes import Scope
from kyc.api import ClientView
from ledger.errors import InsufficientFundsError
from transfers import selectors
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.api.answers import MOVEMENT_REFUSALS, TransferAnswer, render_transfer
from transfers.api.bodies import TransferBody, find_accounts
from transfers.api.movements import MovementView, carry_out
from transfers.errors import SameAccountError, TransferNotFoundError
from transfers.orders import TransferOrder
from transfers.selectors import TransferFilter
from transfers.states import TransferKind, TransferStatus


class TransfersQuery(PageQuery):
    """Which transfers."""

    account = AccountReferenceField(required=False, help_text="One of the caller's accounts, by its id or number.")
    status = serializers.ChoiceField(choices=TransferStatus.choices, required=False)
    kind = serializers.ChoiceField(choices=TransferKind.choices, required=False)
    created_after = MomentField(required=False)
    created_before = MomentField(required=False)


class TransferPage(PageAnswer):
    """Transfers."""

    results = TransferAnswer(many=True)


class TransfersView(MovementView):
    """/transfers."""

    @operation(
        operation_id="transfer",
        summary="Transfer money",
        scope=Scope.TRANSFERS_WRITE,
        body=TransferBody,
        answers={201: TransferAnswer, 202: TransferAnswer},
        refusals=[*MOVEMENT_REFUSALS, SameAccountError, InsufficientFundsError, RejectedByAntifraudError],
        is_idempotent=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """Transfer money from one of the caller's own accounts to any account of this bank.

        Answered 202 and `in_review`, the money is held until staff decide; GET /transfers/{id} tells what became of it.
        """
        values = self.read_order(request, TransferBody)
        debtor_id, creditor_id = find_accounts(values.pop("debtor_account"), values.pop("creditor_account"))
        order = TransferOrder(
            kind=TransferKind.INTERNAL, debtor_account_id=debtor_id, creditor_account_id=creditor_id, **values
        )
        return carry_out(order)

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
        return Response(render_page(request, page, render_transfer))


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
        return Response(render_transfer(row))
