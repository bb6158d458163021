"""Statements in the API."""

from typing import Any
from uuid import UUID

from django.http import FileResponse
from rest_framework import serializers
from rest_framework.request import Request

from accounts.states import CreditDebit
from core.api.fields import AmountOutField, CurrencyField, DayField, TextField
from core.api.operations import operation
from core.api.serializers import Query, read_query
from core.api.views import get_now
from core.scopes import Scope
from kyc.api import ClientView
from ledger.errors import AccountNotFoundError
from transfers.statements.errors import StatementsBusyError, StatementTooLongError
from transfers.statements.files import RENDERERS, answer_with
from transfers.statements.periods import MAX_DAYS, make_period
from transfers.statements.selectors import get_statement
from transfers.statements.states import EntryKind, StatementFormat


class StatementQuery(Query):
    """Which days, and how they are to be written."""

    to = DayField(help_text="The last day. It must have begun at the bank.")
    format = serializers.ChoiceField(choices=StatementFormat.choices, default=StatementFormat.JSON)

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which Python keeps for itself."""
        first = DayField(help_text=f"The first day, in the bank's time zone; {MAX_DAYS} days at most up to the last.")
        return {"from": first, **super().get_fields()}


class CounterpartyAnswer(serializers.Serializer[Any]):
    """The other party of an entry."""

    name = TextField(example="Carla Costa", help_text="That of the client, or of the bank's own account: Cash.")
    number = TextField(
        allow_null=True, example="123456789012", help_text="That of the account, unless it is one of the bank's own."
    )


class StatementEntryAnswer(serializers.Serializer[Any]):
    """An entry of a statement."""

    version = serializers.IntegerField(help_text="That of the account's balance after it; it grows along the entries.")
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    booking_date = serializers.DateField()
    value_date = serializers.DateField()
    credit_debit_indicator = serializers.ChoiceField(choices=CreditDebit.choices)
    amount = AmountOutField(help_text="Never negative.")
    balance_after = AmountOutField()
    counterparty = CounterpartyAnswer(allow_null=True, help_text="None where there are several.")
    remittance_information = TextField(example="Invoice 2026-117", help_text="Empty where nothing was said.")
    transfer = serializers.UUIDField(allow_null=True, help_text="The transfer that it was, or that it undid.")


class StatementAnswer(serializers.Serializer[Any]):
    """A statement: opening balance + credits - debits = closing balance."""

    account = serializers.UUIDField()
    number = TextField(example="123456789012")
    holder = TextField(example="Alice Almeida")
    currency = CurrencyField()
    to = serializers.DateField()
    made_at = serializers.DateTimeField()
    is_final = serializers.BooleanField(
        help_text="Whether nothing more can be booked in these days: two minutes after their end."
    )
    opening_balance = AmountOutField()
    total_credits = AmountOutField()
    total_debits = AmountOutField()
    closing_balance = AmountOutField()
    entries = StatementEntryAnswer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which Python keeps for itself."""
        return {**super().get_fields(), "from": serializers.DateField()}


class StatementView(ClientView):
    """/accounts/{id}/statement."""

    @operation(
        operation_id="show_statement",
        summary="Show an account's statement",
        scope=Scope.ACCOUNTS_READ,
        query=StatementQuery,
        answers={200: StatementAnswer},
        files=[each.media_type.partition(";")[0] for form, each in RENDERERS.items() if form != StatementFormat.JSON],
        refusals=[AccountNotFoundError, StatementTooLongError, StatementsBusyError],
    )
    def get(self, request: Request, account_id: UUID) -> FileResponse:
        """Return what was booked on one of the caller's own accounts in some days, and the balances around it.

        Other formats than JSON come as files: CSV for spreadsheets, PDF to print, camt.053.001.08 and OFX for
        accounting programs. Consecutive statements chain: one closes with the balance that the next one opens with.
        """
        now, wanted = get_now(), read_query(request, StatementQuery)
        form = StatementFormat(wanted["format"])
        statement = get_statement(
            account_id=account_id,
            client_id=self.get_client().id,
            period=make_period(first_date=wanted["from"], last_date=wanted["to"], now=now),
            max_entries=RENDERERS[form].max_entries,
            now=now,
        )
        return answer_with(statement, form=form)
