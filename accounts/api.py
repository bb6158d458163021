"""Accounts in the API: opening, one's own accounts and balances, and the inactivation of a client with all of them."""

import re
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.errors import AccountHasBalanceError, TooManyAccountsError, TransactionInProgressError
from accounts.models import Account
from accounts.numbers import find_number
from accounts.selectors import ReadBalance
from accounts.states import AccountEventType, AccountStatus, BalanceSource, CreditDebit, CustomerAccountKind
from accounts.stream import AccountEvent, list_events
from core.api.fields import AmountOutField, CurrencyField, MomentField, TextField, WholeNumberField
from core.api.operations import operation
from core.api.pagination import (
    PageAnswer,
    PageQuery,
    StreamAnswer,
    StreamQuery,
    get_page_request,
    get_stream_request,
    render_page,
    render_stream,
)
from core.api.serializers import Body, Query, read_body, read_query
from core.api.views import BankView, get_now, get_user
from core.errors import InsufficientScopeError, InvalidInputError
from core.money import format_amount
from core.pages import make_page, narrow
from core.scopes import Scope, get_granted_scopes
from core.veil import veil
from kyc.api import ClientAnswer, ClientView, render_client
from kyc.errors import ClientBusyError, ClientInactiveError, ClientNotFoundError, ClientNotVerifiedError
from ledger.errors import AccountNotFoundError

_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}")


@extend_schema_field(
    {
        "type": "string",
        "pattern": "^[0-9A-Fa-f -]{12,36}$",
        "description": "An account's id, or the twelve digits of its number; hyphens and spaces may set them apart.",
    }
)
class AccountReferenceField(TextField):
    """An account, by its id or its number as people write them: in capitals, with hyphens or spaces, or without.

    It comes out as a UUID or as the twelve digits of a number, in one form each, whether there is such an account or
    not.
    """

    default_error_messages = {"reference": "Give an account's id, or the twelve digits of its number."}

    def to_internal_value(self, data: Any) -> Any:
        """Return the id or the number."""
        text = super().to_internal_value(data)
        reference = UUID(text) if _ID.fullmatch(text) else find_number(text=text)
        if reference is None:
            self.fail("reference")
        return reference


@extend_schema_field({"oneOf": [{"type": "string", "enum": CreditDebit.values}, {"type": "null"}]})
class CreditDebitField(serializers.CharField):
    """Which way money was booked, as seen from the account; none where nothing was."""


class AccountBody(Body):
    """The account that is wanted."""

    currency = CurrencyField()
    kind = serializers.ChoiceField(choices=CustomerAccountKind.choices)


class BalanceQuery(Query):
    """Which balance."""

    at = MomentField(required=False, help_text="A past moment; without it, now.")
    min_version = WholeNumberField(
        required=False, help_text="The balance must be at least that new. Only without `at`: the past has its version."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what contradicts itself: a past balance does not become newer."""
        if attrs.keys() >= {"at", "min_version"}:
            raise serializers.ValidationError({"min_version": ["Give either a past moment or a version, not both."]})
        return attrs


class InactivationBody(Body):
    """Why."""

    reason = TextField(max_length=255, example="Asked for it at the branch")


class AccountAnswer(serializers.Serializer[Any]):
    """An account."""

    id = serializers.UUIDField()
    number = TextField(example="123456789012", help_text="Ten digits and two check digits.")
    client = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=CustomerAccountKind.choices)
    currency = CurrencyField()
    status = serializers.ChoiceField(choices=AccountStatus.choices)
    overdraft_limit = AmountOutField()
    created_at = serializers.DateTimeField()


class AccountPage(PageAnswer):
    """Accounts."""

    results = AccountAnswer(many=True)


class BalanceAnswer(serializers.Serializer[Any]):
    """A balance. `available` is what can be taken now: booked, less what is held, with the overdraft."""

    account = serializers.UUIDField()
    currency = CurrencyField()
    booked = AmountOutField()
    pending = AmountOutField()
    available = AmountOutField()
    version = serializers.IntegerField(help_text="Grows with each change of the balance.")
    as_of = serializers.DateTimeField()
    source = serializers.ChoiceField(  # type: ignore[assignment] # Field.source is no field
        choices=BalanceSource.choices,
        help_text=(
            "Where it was read: from copies that follow the ledger (`cache`, `store`), or from the `ledger` itself, as "
            "is a past balance, and one that the copies do not have yet."
        ),
    )


class AccountEventAnswer(serializers.Serializer[Any]):
    """Something that happened to an account. Where nothing was booked or held, there is no amount."""

    id = TextField(example="9b1c4e0f72a3d586", help_text="Sixteen hexadecimal digits.")
    type = serializers.ChoiceField(choices=AccountEventType.choices)
    version = serializers.IntegerField(help_text="That of the account's balance after it.")
    occurred_at = serializers.DateTimeField()
    currency = CurrencyField()
    amount = AmountOutField(allow_null=True)
    credit_debit_indicator = CreditDebitField(help_text="Which way money was booked, if it was.")
    balance_after = AmountOutField(allow_null=True, help_text="What is booked after it, if it changed the balance.")
    available_after = AmountOutField(
        allow_null=True, help_text="What can be taken after it, if it changed the balance."
    )
    transfer = serializers.UUIDField(allow_null=True, help_text="The transfer that it was, if it was one.")
    hold = serializers.UUIDField(allow_null=True, help_text="The hold that it was about, if it was about one.")


class AccountEventPage(StreamAnswer):
    """Events of an account."""

    results = AccountEventAnswer(many=True)


def _render_account(account: Account) -> dict[str, object]:
    return {
        "id": account.pk,
        "number": account.number,
        "client": account.client_id,
        "kind": account.kind,
        "currency": account.currency,
        "status": account.status,
        "overdraft_limit": format_amount(account.overdraft_limit, account.currency),
        "created_at": account.created_at,
    }


def _render_balance(read: ReadBalance) -> dict[str, object]:
    balance = read.balance
    return {
        "account": balance.account_id,
        "currency": balance.currency,
        "booked": format_amount(balance.booked, balance.currency),
        "pending": format_amount(balance.pending, balance.currency),
        "available": format_amount(balance.available, balance.currency),
        "version": balance.version,
        "as_of": balance.as_of,
        "source": read.source,
    }


def _render_event(event: AccountEvent, currency: str) -> dict[str, object]:
    balance = event.balance
    return {
        "id": veil(number=event.seq).hex(),
        "type": event.type,
        "version": event.version,
        "occurred_at": event.occurred_at,
        "currency": currency,
        "amount": None if event.amount is None else format_amount(event.amount, currency),
        "credit_debit_indicator": event.direction,
        "balance_after": balance and format_amount(balance.booked, currency),
        "available_after": balance and format_amount(balance.available, currency),
        "transfer": event.transfer_id,
        "hold": event.hold_id,
    }


class AccountsView(ClientView):
    """/accounts."""

    @operation(
        operation_id="open_account",
        summary="Open an account",
        scope=Scope.ACCOUNTS_WRITE,
        body=AccountBody,
        answers={201: AccountAnswer},
        refusals=[ClientNotVerifiedError, ClientInactiveError, ClientBusyError, TooManyAccountsError],
    )
    def post(self, request: Request) -> Response:
        """Open an account; the bank must have verified who you are."""
        terms = read_body(request, AccountBody)
        account = services.open_account(client_id=self.get_client().id, **terms, now=get_now())
        return Response(_render_account(account), status=201)

    @operation(
        operation_id="list_accounts",
        summary="List my accounts",
        scope=Scope.ACCOUNTS_READ,
        query=PageQuery,
        answers={200: AccountPage},
    )
    def get(self, request: Request) -> Response:
        """Return the caller's own accounts, the newest first, the inactive ones too."""
        wanted = get_page_request(read_query(request, PageQuery))
        found = narrow(selectors.list_accounts(client_id=self.get_client().id), wanted)
        page = make_page(list(found), wanted, get_id=lambda account: account.pk)
        return Response(render_page(request, page, _render_account))


class AccountView(ClientView):
    """/accounts/{id}."""

    @operation(
        operation_id="show_account",
        summary="Show an account",
        scope=Scope.ACCOUNTS_READ,
        answers={200: AccountAnswer},
        refusals=[AccountNotFoundError],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Return one of the caller's own accounts."""
        account = selectors.get_account(account_id=account_id, client_id=self.get_client().id)
        return Response(_render_account(account))


class BalanceView(ClientView):
    """/accounts/{id}/balance."""

    @operation(
        operation_id="show_balance",
        summary="Show a balance",
        scope=Scope.ACCOUNTS_READ,
        query=BalanceQuery,
        answers={200: BalanceAnswer},
        refusals=[AccountNotFoundError],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Return the balance as it is, or as it was at a past moment."""
        now, wanted = get_now(), read_query(request, BalanceQuery)
        at = wanted.get("at")
        if at is not None and at > now:
            raise InvalidInputError(errors={"at": ["Give a moment in the past."]})
        account = selectors.get_account(account_id=account_id, client_id=self.get_client().id)
        if at is None:
            min_version = wanted.get("min_version", 0)
            return Response(_render_balance(selectors.get_balance(account=account, now=now, min_version=min_version)))
        return Response(_render_balance(selectors.get_balance_at(account_id=account.pk, at=at)))


class EventsView(ClientView):
    """/accounts/{id}/events."""

    @operation(
        operation_id="list_account_events",
        summary="List an account's events",
        scope=Scope.ACCOUNTS_READ,
        query=StreamQuery,
        answers={200: AccountEventPage},
        refusals=[AccountNotFoundError],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Return what happened to one of the caller's own accounts, the oldest event first."""
        wanted = get_stream_request(read_query(request, StreamQuery))
        account = selectors.get_account(account_id=account_id, client_id=self.get_client().id)
        page = list_events(account_id=account.pk, wanted=wanted)
        return Response(render_stream(request, page, lambda event: _render_event(event, account.currency)))


class InactivationView(BankView):
    """/clients/{id}/inactivate. It stands here because the client's accounts are closed first."""

    @operation(
        operation_id="inactivate_client",
        summary="Inactivate a client",
        scope=Scope.CLIENTS_INACTIVATE,
        body=InactivationBody,
        answers={200: ClientAnswer},
        refusals=[
            ClientNotFoundError,
            ClientInactiveError,
            ClientBusyError,
            TransactionInProgressError,
            AccountHasBalanceError,
        ],
    )
    def post(self, request: Request, client_id: UUID) -> Response:
        """Close all accounts of a client, or none, and shut the client out for good. For partners' systems."""
        actor = get_user(request)
        if Scope.CLIENTS_INACTIVATE not in get_granted_scopes(user=actor):  # it may have been withdrawn since
            raise InsufficientScopeError
        reason = read_body(request, InactivationBody)["reason"]
        client = services.inactivate_client(client_id=client_id, reason=reason, actor=actor, now=get_now())
        return Response(render_client(client))
