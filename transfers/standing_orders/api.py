"""Standing orders in the API."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import AmountOutField, CurrencyField, TextField
from core.api.operations import operation
from core.api.pagination import PageAnswer, PageQuery, get_page_request, render_page
from core.api.serializers import Body, find_idempotency_key, read_body, read_query
from core.api.views import get_now, get_user
from core.errors import InvalidAmountError
from core.money import format_amount
from core.scopes import Scope
from kyc.api import ClientView
from ledger.errors import AccountInactiveError, AccountNotFoundError, CurrencyMismatchError
from transfers.api.bodies import TransferBody, find_accounts
from transfers.errors import SameAccountError
from transfers.standing_orders import selectors
from transfers.standing_orders.errors import (
    StandingOrderBusyError,
    StandingOrderNotFoundError,
    StandingOrderOverError,
)
from transfers.standing_orders.models import Run, StandingOrder
from transfers.standing_orders.schedules import Schedule, find_due_date
from transfers.standing_orders.services import (
    Terms,
    cancel_standing_order,
    create_standing_order,
    create_standing_order_once,
)
from transfers.standing_orders.states import RunOutcome, ScheduleKind, StandingOrderStatus, Weekday

_PARTS = {ScheduleKind.ONCE: None, ScheduleKind.MONTHLY: "day", ScheduleKind.WEEKLY: "weekday"}
"""What says when, for each kind of schedule."""

_DAY_SCHEMA = {"type": "integer", "minimum": 1, "maximum": 31, "examples": [5]}


def _example(name: str, **changes: Any) -> OpenApiExample:
    given = {
        "debtor_account": "018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e",
        "creditor_account": "123456789012",
        "amount": "850.00",
        "currency": "BRL",
        "first_date": "2027-01-01",
        "remittance_information": "Rent",
    }
    return OpenApiExample(name, value=given | changes, request_only=True)


@extend_schema_field(_DAY_SCHEMA)
class DayField(serializers.Field[Any, Any, Any, Any]):
    """A day of the month: a JSON number, where IntegerField also takes texts."""

    default_error_messages = {"day": "Give a day of the month, 1 to 31."}

    def to_internal_value(self, data: Any) -> int:
        """Return the day."""
        if isinstance(data, bool) or not isinstance(data, int) or not 1 <= data <= 31:
            self.fail("day")
        return int(data)

    def to_representation(self, value: Any) -> Any:
        """Return it as it is."""
        return value


class ScheduleBody(Body):
    """When: `{"kind": "once"}` on the first date, `{"kind": "monthly", "day": 31}`, `{"kind": "weekly", "weekday":
    "monday"}`. A month that is shorter than `day` has its last day instead.
    """

    kind = serializers.ChoiceField(choices=ScheduleKind.choices)
    at = serializers.DateField(required=False, help_text="Only for once, and then the first date.")
    day = DayField(required=False, help_text="Only, and always, for monthly.")
    weekday = serializers.ChoiceField(
        choices=Weekday.choices, required=False, help_text="Only, and always, for weekly."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a part that is missing or belongs to another kind."""
        kind = attrs["kind"]
        wanted = _PARTS[kind]
        parts: tuple[str, ...] = ("at", "day", "weekday")
        errors = {
            part: [f"This does not belong to the kind {kind}."]
            for part in parts
            if part in attrs and part != wanted and (part, kind) != ("at", ScheduleKind.ONCE)
        }
        if wanted and wanted not in attrs:
            errors[wanted] = [f"The kind {kind} needs this."]
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


@extend_schema_serializer(
    examples=[
        _example("Once", schedule={"kind": "once"}),
        _example("Monthly, on the last day", schedule={"kind": "monthly", "day": 31}),
        _example("Weekly, for a year", schedule={"kind": "weekly", "weekday": "friday"}, last_date="2027-12-31"),
    ]
)
class StandingOrderBody(TransferBody):
    """A transfer to be made on each date of a schedule, from the first date to the last one, if there is one."""

    schedule = ScheduleBody()
    first_date = serializers.DateField(help_text="Today or a day to come, in the bank's time zone.")
    last_date = serializers.DateField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Put the schedule and its dates together."""
        attrs = super().validate(attrs)
        given, first_date = attrs.pop("schedule"), attrs.pop("first_date")
        if given.get("at", first_date) != first_date:
            raise serializers.ValidationError({"schedule": {"at": ["Give the first date, or leave this out."]}})
        schedule = Schedule(
            kind=ScheduleKind(given["kind"]),
            first_date=first_date,
            last_date=attrs.pop("last_date", None),
            day=given.get("day"),
            weekday=Weekday(given["weekday"]) if "weekday" in given else None,
        )
        return attrs | {"schedule": schedule}


class ScheduleAnswer(serializers.Serializer[Any]):
    """When; `day` is there for monthly only, `weekday` for weekly only."""

    kind = serializers.ChoiceField(choices=ScheduleKind.choices)
    day = DayField(required=False)
    weekday = serializers.ChoiceField(choices=Weekday.choices, required=False)


class StandingOrderAnswer(serializers.Serializer[Any]):
    """A standing order. What is due on no business day of its currency is carried out on the next one."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=StandingOrderStatus.choices)
    debtor_account = serializers.UUIDField()
    creditor_account = serializers.UUIDField()
    amount = AmountOutField()
    currency = CurrencyField()
    remittance_information = TextField(example="Rent")
    schedule = ScheduleAnswer()
    first_date = serializers.DateField()
    last_date = serializers.DateField(allow_null=True)
    next_due_date = serializers.DateField(allow_null=True, help_text="None once it is over.")
    created_at = serializers.DateTimeField()


class RunAnswer(serializers.Serializer[Any]):
    """What a due date brought."""

    due_date = serializers.DateField()
    outcome = serializers.ChoiceField(choices=RunOutcome.choices)
    failure_code = serializers.CharField(allow_null=True, help_text="Why no money moved.")
    transfer = serializers.UUIDField(allow_null=True, help_text="None if it was refused.")
    ran_at = serializers.DateTimeField()


class StandingOrderDetailAnswer(StandingOrderAnswer):
    """A standing order with what its latest due dates brought, the latest first."""

    runs = RunAnswer(many=True)


class StandingOrderPage(PageAnswer):
    """Standing orders."""

    results = StandingOrderAnswer(many=True)


def _render(order: StandingOrder) -> dict[str, object]:
    part = _PARTS[ScheduleKind(order.kind)]
    return {
        "id": order.id,
        "status": order.status,
        "debtor_account": order.debtor_account_id,
        "creditor_account": order.creditor_account_id,
        "amount": format_amount(order.amount, order.currency),
        "currency": order.currency,
        "remittance_information": order.remittance_information,
        "schedule": {"kind": order.kind} | ({part: getattr(order, part)} if part else {}),
        "first_date": order.first_date,
        "last_date": order.last_date,
        "next_due_date": order.next_due_date,
        "created_at": order.created_at,
    }


def _render_first(order: StandingOrder) -> dict[str, object]:
    """Return the order as it began, whatever became of it: what a repetition of its request is answered, too."""
    began = {"status": StandingOrderStatus.ACTIVE, "next_due_date": find_due_date(schedule=order.schedule)}
    return _render(order) | began


def _render_run(run: Run) -> dict[str, object]:
    return {
        "due_date": run.due_date,
        "outcome": run.outcome,
        "failure_code": run.code or None,
        "transfer": run.transfer_id,
        "ran_at": run.ran_at,
    }


class StandingOrdersView(ClientView):
    """/standing-orders."""

    @operation(
        operation_id="create_standing_order",
        summary="Give a standing order",
        scope=Scope.TRANSFERS_WRITE,
        body=StandingOrderBody,
        answers={201: StandingOrderAnswer},
        refusals=[
            InvalidAmountError,
            AccountNotFoundError,
            SameAccountError,
            CurrencyMismatchError,
            AccountInactiveError,
        ],
        takes_key=True,
    )
    def post(self, request: Request) -> Response:
        """Have money transferred from one of the caller's own accounts on days to come.

        Each due date is carried out once: at the beginning of its day, and one that is today at once; on a day that is
        no business day of the currency, on the next one. If the account has too little then, the transfer fails and is
        not tried again. Without an Idempotency-Key, each call gives another order.
        """
        values = read_body(request, StandingOrderBody)
        key = find_idempotency_key(request)
        debtor_id, creditor_id = find_accounts(values.pop("debtor_account"), values.pop("creditor_account"))
        asked: dict[str, Any] = {
            "terms": Terms(debtor_account_id=debtor_id, creditor_account_id=creditor_id, **values),
            "client_id": self.get_client().id,
            "principal_id": get_user(request).pk,
            "now": get_now(),
        }
        if key is None:
            return Response(_render(create_standing_order(**asked)), status=201)
        given = create_standing_order_once(**asked, idempotency_key=key)
        response = Response(_render_first(given.order), status=201)
        if given.is_replayed:
            response["Idempotent-Replayed"] = "true"
        return response

    @operation(
        operation_id="list_standing_orders",
        summary="List my standing orders",
        scope=Scope.TRANSFERS_READ,
        query=PageQuery,
        answers={200: StandingOrderPage},
    )
    def get(self, request: Request) -> Response:
        """Return the caller's standing orders, also those that are over, the newest first."""
        page = get_page_request(read_query(request, PageQuery))
        orders = selectors.list_standing_orders(client_id=self.get_client().id, page=page)
        return Response(render_page(request, orders, _render))


class StandingOrderView(ClientView):
    """/standing-orders/{id}."""

    @operation(
        operation_id="show_standing_order",
        summary="Show a standing order",
        scope=Scope.TRANSFERS_READ,
        answers={200: StandingOrderDetailAnswer},
        refusals=[StandingOrderNotFoundError],
    )
    def get(self, request: Request, standing_order_id: UUID) -> Response:
        """Return one of the caller's standing orders with its latest runs."""
        order = selectors.get_standing_order(order_id=standing_order_id, client_id=self.get_client().id)
        runs = selectors.list_latest_runs(order_id=order.id)
        return Response(_render(order) | {"runs": [_render_run(run) for run in runs]})

    @operation(
        operation_id="cancel_standing_order",
        summary="Cancel a standing order",
        scope=Scope.TRANSFERS_WRITE,
        answers={200: StandingOrderAnswer},
        refusals=[StandingOrderNotFoundError, StandingOrderOverError, StandingOrderBusyError],
    )
    def delete(self, request: Request, standing_order_id: UUID) -> Response:
        """Cancel one of the caller's standing orders: from this answer on it moves no money. It is kept, cancelled."""
        order = cancel_standing_order(order_id=standing_order_id, client_id=self.get_client().id, now=get_now())
        return Response(_render(order))
