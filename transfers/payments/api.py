"""Payments to other banks in the API."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import AccountReferenceField
from accounts.balances import KeptBalance, cache_balances
from core.api.fields import AmountOutField, CurrencyField, MomentField, TextField
from core.api.operations import operation
from core.api.pagination import PageAnswer, PageQuery, get_page_request, render_page
from core.api.serializers import Body, read_query
from core.api.views import get_now
from core.errors import BankError, InvalidInputError
from core.money import format_amount
from core.scopes import Scope
from kyc.api import ClientView
from ledger.errors import InsufficientFundsError
from ledger.models import LedgerAccount
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.api.answers import MOVEMENT_REFUSALS
from transfers.api.bodies import ACCOUNT_EXAMPLE, MovementBody, find_accounts
from transfers.api.movements import MovementView
from transfers.payments import selectors
from transfers.payments.creditors import MAX_NAME_LENGTH, parse_creditor
from transfers.payments.errors import PaymentNotFoundError
from transfers.payments.models import Payment
from transfers.payments.orders import PaymentOrder
from transfers.payments.selectors import PaymentFilter
from transfers.payments.services import order_payment
from transfers.payments.states import PaymentStatus

_REFUSALS: list[type[BankError]] = [*MOVEMENT_REFUSALS, InsufficientFundsError, RejectedByAntifraudError]


class CreditorBody(Body):
    """Who is paid: a name, and either an IBAN or, in Brazil, bank, branch and account."""

    name = TextField(max_length=MAX_NAME_LENGTH, example="Bruno Barbosa")
    iban = TextField(max_length=42, required=False, example="DE89 3704 0044 0532 0130 00")
    bank = TextField(max_length=8, required=False, example="341", help_text="Its COMPE code, or its ISPB.")
    branch = TextField(max_length=4, required=False, example="1234", help_text="Four digits.")
    account = TextField(max_length=14, required=False, example="56789-0", help_text="With its check digit.")

    def validate(self, attrs: dict[str, Any]) -> Any:
        """Return the Creditor; refuse, by field, what is no account or more than one."""
        try:
            return parse_creditor(given=attrs)
        except InvalidInputError as error:
            raise serializers.ValidationError(dict(error.errors)) from error


def _example(name: str, creditor: dict[str, str]) -> OpenApiExample:
    given = {"debtor_account": ACCOUNT_EXAMPLE, "amount": "10.50", "currency": "BRL", "creditor": creditor}
    return OpenApiExample(name, value=given, request_only=True)


@extend_schema_serializer(
    examples=[
        _example("By IBAN", {"name": "Bruno Barbosa", "iban": "DE89 3704 0044 0532 0130 00"}),
        _example("In Brazil", {"name": "Bruno Barbosa", "bank": "341", "branch": "1234", "account": "56789-0"}),
    ]
)
class PaymentBody(MovementBody):
    """Money that goes to an account at another bank."""

    debtor_account = AccountReferenceField(example=ACCOUNT_EXAMPLE, help_text="By its id or its number.")
    creditor = CreditorBody()


class PaymentsQuery(PageQuery):
    """Which payments."""

    account = AccountReferenceField(required=False, help_text="One of the caller's accounts, by its id or number.")
    status = serializers.ChoiceField(choices=PaymentStatus.choices, required=False)
    created_after = MomentField(required=False)
    created_before = MomentField(required=False)


class CreditorAnswer(serializers.Serializer[Any]):
    """Who is paid, as it was ordered; what was not given is null."""

    name = TextField(example="Bruno Barbosa")
    iban = TextField(allow_null=True, example="DE89370400440532013000")
    bank = TextField(allow_null=True)
    branch = TextField(allow_null=True)
    account = TextField(allow_null=True)


class PaymentAnswer(serializers.Serializer[Any]):
    """A payment. Its amount is held until it is completed (`completed_at`) or returned (`failure_code` says why).

    In review, it waits until somebody of the bank accepts it; only then is it sent.
    """

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    debtor_account = serializers.UUIDField()
    creditor = CreditorAnswer()
    amount = AmountOutField()
    currency = CurrencyField()
    remittance_information = TextField(example="Invoice 2026-117")
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    failure_code = serializers.CharField(allow_null=True, help_text="Why it came back.")
    hold = serializers.UUIDField(help_text="What holds, or held, its amount.")


class PaymentPage(PageAnswer):
    """Payments."""

    results = PaymentAnswer(many=True)


def _render(payment: Payment) -> dict[str, object]:
    return _render_first(payment, payment.status) | {
        "completed_at": payment.completed_at,
        "failure_code": payment.failure_code or None,
    }


def _render_first(payment: Payment, status: str) -> dict[str, object]:
    """Return the payment as it began with `status`, whatever became of it: what a repetition is answered, too."""
    return {
        "id": payment.id,
        "status": status,
        "debtor_account": payment.debtor_account_id,
        "creditor": {
            "name": payment.creditor_name,
            "iban": payment.creditor_iban,
            "bank": payment.creditor_bank or None,
            "branch": payment.creditor_branch,
            "account": payment.creditor_account,
        },
        "amount": format_amount(payment.amount, payment.currency),
        "currency": payment.currency,
        "remittance_information": payment.remittance_information,
        "created_at": payment.created_at,
        "completed_at": None,
        "failure_code": None,
        "hold": payment.hold_id,
    }


class PaymentsView(MovementView):
    """/payments."""

    @operation(
        operation_id="order_payment",
        summary="Pay somebody at another bank",
        scope=Scope.TRANSFERS_WRITE,
        body=PaymentBody,
        answers={202: PaymentAnswer},
        refusals=_REFUSALS,
        is_idempotent=True,
    )
    def post(self, request: Request) -> Response:
        """Order a payment to an account at another bank.

        The amount is held at once. The payment is carried out later, or waits for the bank to decide (`in_review`): it
        ends completed, or returned with the money available again. A payment that is refused, also for want of funds or
        by antifraud, does not exist, and its key stays free.
        """
        values = self.read_order(request, PaymentBody)
        [debtor_id] = find_accounts(values.pop("debtor_account"))
        ordered = order_payment(order=PaymentOrder(debtor_account_id=debtor_id, **values), now=get_now())
        response = Response(_render_first(ordered.payment, ordered.first_status), status=202)
        if ordered.is_replayed:
            response["Idempotent-Replayed"] = "true"
        else:
            _show_balance(ordered.payment.hold.account)
        return response

    @operation(
        operation_id="list_payments",
        summary="List my payments",
        scope=Scope.TRANSFERS_READ,
        query=PaymentsQuery,
        answers={200: PaymentPage},
    )
    def get(self, request: Request) -> Response:
        """Return the caller's payments to other banks, the newest first."""
        values = read_query(request, PaymentsQuery)
        wanted = PaymentFilter(**{name: values.get(name) for name in PaymentFilter._fields})
        page = selectors.list_payments(client_id=self.get_client().id, wanted=wanted, page=get_page_request(values))
        return Response(render_page(request, page, _render))


class PaymentView(ClientView):
    """/payments/{id}."""

    @operation(
        operation_id="show_payment",
        summary="Show a payment",
        scope=Scope.TRANSFERS_READ,
        answers={200: PaymentAnswer},
        refusals=[PaymentNotFoundError],
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Return one of the caller's payments."""
        return Response(_render(selectors.get_payment(payment_id=payment_id, client_id=self.get_client().id)))


def _show_balance(account: LedgerAccount) -> None:
    """Let the payer read at once what the hold has left; the consumer brings the same a moment later."""
    cache_balances(
        balances=[
            KeptBalance(
                account_id=account.id,
                booked=account.balance,
                pending=account.pending,
                available=account.available,
                version=account.version,
                as_of=account.last_booked_at or get_now(),
            )
        ]
    )
