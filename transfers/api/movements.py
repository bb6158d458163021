"""Deposits and withdrawals in the API, and what every view that moves money has."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.balances import show_balances
from core.api.operations import operation
from core.api.serializers import Body, read_body, read_idempotency_key
from core.api.views import get_now, get_user
from core.scopes import Scope
from kyc.api import ClientView
from ledger.errors import InsufficientFundsError
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.api.answers import MOVEMENT_REFUSALS, TransferAnswer, answer_submission
from transfers.api.bodies import MovementBody
from transfers.orders import TransferOrder
from transfers.services import submit_transfer
from transfers.states import TransferKind


class MovementView(ClientView):
    """A view that moves money."""

    def read_order(self, request: Request, body: type[Body]) -> dict[str, Any]:
        """Return the body's values, and who gives the order under which key, as TransferOrder names them."""
        values = read_body(request, body)
        return values | {
            "idempotency_key": read_idempotency_key(request),
            "principal_id": get_user(request).pk,
            "client_id": self.get_client().id,
        }


def carry_out(order: TransferOrder) -> HttpResponse:
    """Submit `order`, let its parties read their new balances at once, and return the answer."""
    submission = submit_transfer(order=order, now=get_now())
    show_balances(balances=submission.balances, as_of=submission.transfer.created_at)
    return answer_submission(submission)


class DepositsView(MovementView):
    """/accounts/{id}/deposits."""

    @operation(
        operation_id="deposit",
        summary="Pay cash in",
        scope=Scope.TRANSFERS_WRITE,
        body=MovementBody,
        answers={201: TransferAnswer},
        refusals=MOVEMENT_REFUSALS,
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
        return carry_out(order)


class WithdrawalsView(MovementView):
    """/accounts/{id}/withdrawals."""

    @operation(
        operation_id="withdraw",
        summary="Draw cash",
        scope=Scope.TRANSFERS_WRITE,
        body=MovementBody,
        answers={201: TransferAnswer, 202: TransferAnswer},
        refusals=[*MOVEMENT_REFUSALS, InsufficientFundsError, RejectedByAntifraudError],
        is_idempotent=True,
    )
    def post(self, request: Request, account_id: UUID) -> HttpResponse:
        """Draw cash from one of the caller's own accounts: 202 while staff look at it, with the money held."""
        order = TransferOrder(
            kind=TransferKind.WITHDRAWAL,
            debtor_account_id=account_id,
            creditor_account_id=None,
            **self.read_order(request, MovementBody),
        )
        return carry_out(order)
