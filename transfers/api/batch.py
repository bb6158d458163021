"""Batches of transfers in the API."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.balances import show_balances
from core.api.fields import SwitchField, TextField
from core.api.operations import operation
from core.api.serializers import Body
from core.api.views import get_now
from core.errors import InvalidAmountError, InvalidInputError
from core.money import parse_amount
from core.scopes import Scope
from ledger.errors import InsufficientFundsError
from transfers import selectors
from transfers.antifraud.errors import RejectedByAntifraudError
from transfers.api.answers import MOVEMENT_REFUSALS, TransferAnswer, render_transfer
from transfers.api.bodies import TransferBody, find_accounts
from transfers.api.movements import MovementView
from transfers.batches import BatchOrder, OrderOutcome, submit_batch
from transfers.errors import SameAccountError
from transfers.orders import TransferOrder
from transfers.states import TransferKind, TransferStatus

MAX_BATCH = 10_000
MAX_REFERENCE_LENGTH = 64

_MAX_FAULTS = 20
"""How many faulty transfers are named in one refusal."""


class _Transfers(serializers.ListSerializer[Any]):
    """The transfers of a batch. A faulty one is named by its position, as transfers.3.amount; the first of many are."""

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the values of each."""
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        if not data:
            self.fail("empty")
        if len(data) > MAX_BATCH:
            self.fail("max_length", max_length=MAX_BATCH)
        values: list[Any] = []
        faults: dict[str, Any] = {}
        for position, item in enumerate(data):
            try:
                values.append(self._read(item))
            except serializers.ValidationError as error:
                faults[str(position)] = error.detail
            except InvalidInputError as error:
                faults[str(position)] = error.errors
            if len(faults) == _MAX_FAULTS:
                break
        if faults:
            raise serializers.ValidationError(faults)
        return values

    def _read(self, item: Any) -> Any:
        if not isinstance(item, Mapping):
            raise serializers.ValidationError(["Give a transfer as a JSON object."])
        return self.run_child_validation(item)


class BatchTransferBody(TransferBody):
    """A transfer of a batch, under a reference that the caller knows it by: 1 to 64 printable characters."""

    client_reference = TextField(max_length=MAX_REFERENCE_LENGTH, trim_whitespace=False, example="payroll-2026-03-0001")

    def validate_client_reference(self, text: str) -> str:
        """Return the reference. Raises ValidationError for one that cannot be printed."""
        if not text.isprintable():
            raise serializers.ValidationError(["Give 1 to 64 printable characters."])
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Leave the amount to the batch, which reads amounts after all else of all transfers was well-formed."""
        return attrs


class BatchBody(Body):
    """Transfers to be carried out in their order. `atomic`: all of them are completed, or none is carried out."""

    atomic = SwitchField()
    transfers = _Transfers(child=BatchTransferBody(), min_length=1, max_length=MAX_BATCH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse references that stand twice, then read the amounts. Raises InvalidAmountError."""
        if twice := _list_repeated(attrs["transfers"]):
            raise serializers.ValidationError({"transfers": twice})
        faults = {}
        for position, values in enumerate(attrs["transfers"]):
            try:
                values["amount"] = parse_amount(values["amount"], values["currency"])
            except InvalidAmountError as error:
                faults[f"transfers.{position}.amount"] = [error.text]
            if len(faults) == _MAX_FAULTS:
                break
        if faults:
            raise InvalidAmountError(errors=faults)
        return attrs


def _list_repeated(transfers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the faults of the first references that stood before, by position."""
    first: dict[str, int] = {}
    faults: dict[str, Any] = {}
    for position, values in enumerate(transfers):
        before = first.setdefault(values["client_reference"], position)
        if before != position and len(faults) < _MAX_FAULTS:
            faults[str(position)] = {"client_reference": [f"This is the reference of transfers.{before}, too."]}
    return faults


class BatchResult(serializers.Serializer[Any]):
    """What became of one transfer of a batch."""

    client_reference = TextField(example="payroll-2026-03-0001")
    status = serializers.ChoiceField(choices=TransferStatus.choices, help_text="Also failed if it was refused.")
    transfer = TransferAnswer(allow_null=True, help_text="None if it was refused, and so does not exist.")
    code = serializers.CharField(allow_null=True, help_text="Why it failed or was refused: a refusal's code.")
    message = serializers.CharField(allow_null=True)


class BatchAnswer(serializers.Serializer[Any]):
    """What became of the transfers of a batch, in their order."""

    results = BatchResult(many=True)


class BatchView(MovementView):
    """/transfers/batch."""

    @operation(
        operation_id="transfer_batch",
        summary="Transfer money many times at once",
        scope=Scope.TRANSFERS_WRITE,
        body=BatchBody,
        answers={201: BatchAnswer},
        refusals=[*MOVEMENT_REFUSALS, SameAccountError, InsufficientFundsError, RejectedByAntifraudError],
        is_idempotent=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """Carry out up to 10,000 transfers from the caller's own accounts, in their order and in one transaction.

        Unless the batch is atomic, each comes out on its own: the answer is 201, and says of each whether it was
        completed, is in review or why it was not made. An atomic batch of which one transfer cannot be completed is
        refused with that one's code, names it in `errors`, has all as failed in `results`, and leaves nothing behind.
        What would be in review is rejected in an atomic batch, so it is to be sent on its own.

        The Idempotency-Key stands for the whole batch: under it, a batch that was answered 201 gets this answer again.
        Malformed transfers are named by their position, such as `transfers.3.amount`, the first 20 of them.
        """
        submission = submit_batch(batch=self._read_batch(request), now=get_now())
        show_balances(balances=submission.balances, as_of=get_now())
        response = Response({"results": [_render(outcome) for outcome in submission.outcomes]}, status=201)
        if submission.is_replayed:
            response["Idempotent-Replayed"] = "true"
        return response

    def _read_batch(self, request: Request) -> BatchOrder:
        terms = self.read_order(request, BatchBody)
        is_atomic, transfers = terms.pop("atomic"), terms.pop("transfers")
        references = [values.pop("client_reference") for values in transfers]
        return BatchOrder(
            orders=list(_make_orders(transfers, terms)),
            client_references=references,
            is_atomic=is_atomic,
            principal_id=terms["principal_id"],
            idempotency_key=terms["idempotency_key"],
        )


def _make_orders(transfers: list[dict[str, Any]], terms: Mapping[str, Any]) -> Iterator[TransferOrder]:
    """Yield the orders of a batch, with `terms` that all share; their accounts are looked up with one query."""
    parties = [values.pop(side) for side in ("debtor_account", "creditor_account") for values in transfers]
    account_ids = find_accounts(*parties)
    debtor_ids, creditor_ids = account_ids[: len(transfers)], account_ids[len(transfers) :]
    for debtor_id, creditor_id, values in zip(debtor_ids, creditor_ids, transfers, strict=True):
        yield TransferOrder(
            kind=TransferKind.INTERNAL,
            debtor_account_id=debtor_id,
            creditor_account_id=creditor_id,
            **values,
            **terms,
        )


def _render(outcome: OrderOutcome) -> dict[str, object]:
    transfer = outcome.transfer
    return {
        "client_reference": outcome.client_reference,
        "status": transfer.status if transfer else TransferStatus.FAILED,
        "transfer": render_transfer(selectors.get_ordered_row(transfer=transfer)) if transfer else None,
        "code": outcome.code,
        "message": outcome.message,
    }
