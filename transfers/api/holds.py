"""Holds in the API: funds that customers reserve on their own accounts."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import AccountReferenceField
from accounts.balances import show_balances
from core.api.fields import AmountField, AmountOutField, CurrencyField, MomentField
from core.api.jsend import render_refusal
from core.api.operations import operation
from core.api.pagination import PageAnswer, PageQuery, get_page_request, render_page
from core.api.serializers import Body, MoneyBody, read_body, read_idempotency_key, read_query
from core.api.views import get_now, get_user
from core.errors import InvalidAmountError
from core.money import format_amount, parse_amount
from core.scopes import Scope
from kyc.api import ClientView
from ledger.errors import (
    AccountBlockedError,
    AccountBusyError,
    AccountInactiveError,
    AccountNotFoundError,
    CurrencyMismatchError,
    HoldExceededError,
    HoldExpiredError,
    HoldNotOpenError,
    InsufficientFundsError,
)
from ledger.states import HoldStatus
from transfers import holds, selectors
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.api.answers import MOVEMENT_REFUSALS
from transfers.api.bodies import ACCOUNT_EXAMPLE, find_accounts
from transfers.errors import CustomerHoldNotFoundError, SameAccountError
from transfers.holds import CaptureOrder, HoldOrder, HoldOutcome
from transfers.orders import STORED_FAILURES
from transfers.selectors import HoldFilter, HoldRow


class HoldBody(MoneyBody):
    """Funds to be reserved, until a moment if one is given."""

    account = AccountReferenceField(example=ACCOUNT_EXAMPLE)
    expires_at = MomentField(required=False, allow_null=True)


class CaptureBody(Body):
    """Where the held funds go: as much as `amount` says in the hold's currency, or all of them."""

    amount = AmountField(required=False)
    creditor_account = AccountReferenceField(example="123456789012")


class HoldsQuery(PageQuery):
    """Which holds."""

    account = AccountReferenceField(required=False, help_text="One of the caller's accounts, by its id or number.")
    status = serializers.ChoiceField(choices=HoldStatus.choices, required=False)


class HoldAnswer(serializers.Serializer[Any]):
    """Funds that are, or were, reserved."""

    id = serializers.UUIDField()
    account = serializers.UUIDField()
    amount = AmountOutField()
    currency = CurrencyField()
    status = serializers.ChoiceField(choices=HoldStatus.choices)
    captured_amount = AmountOutField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="From then on it cannot be captured.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    transfer = serializers.UUIDField(allow_null=True, help_text="The transfer that moved the captured funds.")


class HoldPage(PageAnswer):
    """Holds."""

    results = HoldAnswer(many=True)


def _render_hold(row: HoldRow) -> dict[str, object]:
    return {
        "id": row["id"],
        "account": row["account_id"],
        "amount": format_amount(row["amount"], row["currency"]),
        "currency": row["currency"],
        "status": row["status"],
        "captured_amount": format_amount(row["captured_amount"], row["currency"]),
        "expires_at": row["expires_at"],
        "created_at": row["created_at"],
        "ended_at": row["ended_at"],
        "transfer": row["transfer_id"],
    }


def _answer(outcome: HoldOutcome, *, status: int) -> HttpResponse:
    """Let the accounts' holders read their new balances at once, and return the hold."""
    show_balances(balances=outcome.balances, as_of=get_now())
    response: HttpResponse
    if outcome.failure_code:
        response = render_refusal(STORED_FAILURES[outcome.failure_code]())
    else:
        response = Response(_render_hold(outcome.hold), status=status)
    if outcome.is_replayed:
        response["Idempotent-Replayed"] = "true"
    return response


class HoldsView(ClientView):
    """/holds."""

    @operation(
        operation_id="place_hold",
        summary="Reserve money",
        scope=Scope.TRANSFERS_WRITE,
        body=HoldBody,
        answers={201: HoldAnswer},
        refusals=[
            InvalidAmountError,
            AccountNotFoundError,
            CurrencyMismatchError,
            AccountBlockedError,
            AccountInactiveError,
            InsufficientFundsError,
            AccountBusyError,
        ],
        is_idempotent=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """Reserve money of one of the caller's own accounts, to capture or release it later."""
        values = read_body(request, HoldBody)
        [account_id] = find_accounts(values["account"])
        order = HoldOrder(
            account_id=account_id,
            amount=values["amount"],
            currency=values["currency"],
            expires_at=values.get("expires_at"),
            principal_id=get_user(request).pk,
            idempotency_key=read_idempotency_key(request),
            client_id=self.get_client().id,
        )
        return _answer(holds.place_hold(order=order, now=get_now()), status=201)

    @operation(
        operation_id="list_holds",
        summary="List my holds",
        scope=Scope.TRANSFERS_READ,
        query=HoldsQuery,
        answers={200: HoldPage},
    )
    def get(self, request: Request) -> Response:
        """Return the holds that the caller placed, the newest first."""
        values = read_query(request, HoldsQuery)
        wanted = HoldFilter(account=values.get("account"), status=values.get("status"))
        page = selectors.list_holds(client_id=self.get_client().id, wanted=wanted, page=get_page_request(values))
        return Response(render_page(request, page, _render_hold))


class HoldView(ClientView):
    """/holds/{id}."""

    @operation(
        operation_id="show_hold",
        summary="Show a hold",
        scope=Scope.TRANSFERS_READ,
        answers={200: HoldAnswer},
        refusals=[CustomerHoldNotFoundError],
    )
    def get(self, request: Request, hold_id: UUID) -> Response:
        """Return a hold that the caller placed."""
        return Response(_render_hold(selectors.get_hold(hold_id=hold_id, client_id=self.get_client().id)))


class CaptureView(ClientView):
    """/holds/{id}/capture."""

    @operation(
        operation_id="capture_hold",
        summary="Pay from a hold",
        scope=Scope.TRANSFERS_WRITE,
        body=CaptureBody,
        answers={200: HoldAnswer},
        refusals=[
            CustomerHoldNotFoundError,
            HoldNotOpenError,
            HoldExpiredError,
            HoldExceededError,
            *MOVEMENT_REFUSALS,
            SameAccountError,
            RejectedByAntifraudError,
        ],
        is_idempotent=True,
    )
    def post(self, request: Request, hold_id: UUID) -> HttpResponse:
        """Transfer the held money, or a part of it, to any account of this bank; what is left is free again.

        The hold's own refusals come before those of the transfer. The transfer may be in review for a while; the hold
        is captured then, too. One that is rejected at once leaves the hold open.
        """
        values, client_id = read_body(request, CaptureBody), self.get_client().id
        key = read_idempotency_key(request)
        currency = selectors.get_hold(hold_id=hold_id, client_id=client_id)["currency"]
        [creditor_id] = find_accounts(values["creditor_account"])
        order = CaptureOrder(
            hold_id=hold_id,
            creditor_account_id=creditor_id,
            amount=parse_amount(values["amount"], currency) if "amount" in values else None,
            principal_id=get_user(request).pk,
            idempotency_key=key,
            client_id=client_id,
        )
        return _answer(holds.capture_hold(order=order, now=get_now()), status=200)


class ReleaseView(ClientView):
    """/holds/{id}/release."""

    @operation(
        operation_id="release_hold",
        summary="Release a hold",
        scope=Scope.TRANSFERS_WRITE,
        answers={200: HoldAnswer},
        refusals=[CustomerHoldNotFoundError, HoldNotOpenError, HoldExpiredError, AccountBusyError],
    )
    def post(self, request: Request, hold_id: UUID) -> HttpResponse:
        """Give the held money back. No key is needed: a hold that was released before is answered as it is."""
        outcome = holds.release_hold(hold_id=hold_id, client_id=self.get_client().id, now=get_now())
        return _answer(outcome, status=200)
