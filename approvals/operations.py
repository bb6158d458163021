"""Operations: what needs two people. An app declares its own in a module `operations`, which its `ready` imports.

    @operation
    class ReverseTransfer(Operation):
        name = "transfers.reverse"
        ...

Note [What an effect holds]
An effect is described when it is requested and again when it is approved, and must then be the same to the letter. So
it tells what the decision is about - the debits and credits, a value before and after - and nothing that changes by
itself meanwhile, such as the balance of an account. Whether there is enough money is found out by carrying it out.
It is kept for good and shown to all who see approvals: no personal data.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec

from approvals.errors import OperationNotFoundError
from approvals.models import Approval
from core.idempotency import hash_request
from core.language import Words, bank_language


class Change(msgspec.Struct, frozen=True):
    """A value that will be another, both as people read them."""

    name: str
    before: str
    after: str


class Said(msgspec.Struct, frozen=True):
    """A sentence in the bank's language, and what stands for the %(names)s in it.

    They are kept apart, so that each reader can have the sentence in another language.
    """

    text: str
    values: dict[str, str] = {}


class MoneyLine(msgspec.Struct, frozen=True):
    """A debit or a credit, the other of the two being 0: minor units, on an account as the books call it."""

    account_id: UUID
    account: str
    currency: str
    debit: int = 0
    credit: int = 0


class Effect(msgspec.Struct, frozen=True):
    """What an operation would do, as both people see it; see Note [What an effect holds].

    `amount`, in minor units of `currency`, is there where it is about one amount.
    """

    sentences: tuple[Said | str, ...]
    changes: tuple[Change, ...] = ()
    lines: tuple[MoneyLine, ...] = ()
    amount: int | None = None
    currency: str = ""


class Operation:
    """What a subclass does, who may request it and who may approve it."""

    name: ClassVar[str]
    """By which approvals keep it: app.verb_noun."""
    title: ClassVar[Words]
    explanation: ClassVar[Words]
    """What will happen, for a new colleague."""
    view_permission: ClassVar[str]
    """Who may see what it is about, and so its requests."""
    request_permission: ClassVar[str]
    approve_permission: ClassVar[str]
    payload: ClassVar[type[msgspec.Struct]]
    """What it is carried out with: ids, figures and cleaned text."""

    def get_subject(self, payload: Any) -> str:
        """Return what it is done to, such as an id: only one request of it can wait. "" if there is no such thing."""
        return ""

    def describe(self, payload: Any) -> Effect:
        """Return what it would do. Raises BankError if it is known to be impossible."""
        raise NotImplementedError

    def perform(self, *, payload: Any, approval: Approval, now: datetime) -> None:
        """Do it, within the transaction that approves it. Raises BankError; then nothing is approved.

        What it needs to lock is locked here, and what it needs to be true is checked under these locks.
        """
        raise NotImplementedError


AnyOperation = TypeVar("AnyOperation", bound=type[Operation])

_operations: dict[str, Operation] = {}


def operation(kind: AnyOperation) -> AnyOperation:
    """Register the decorated operation. Raises ValueError if another has its name."""
    if kind.name in _operations:
        raise ValueError(f"There are two operations called {kind.name}.")
    _operations[kind.name] = kind()
    return kind


def describe(*, operation: Operation, payload: Any) -> Effect:
    """Return what the operation would do, in the language in which it is kept. Raises as the operation does."""
    with bank_language():
        return operation.describe(payload)


def list_operations() -> Sequence[Operation]:
    """Return all operations."""
    return list(_operations.values())


def get_operation(*, name: str) -> Operation:
    """Return the operation. Raises OperationNotFoundError."""
    found = _operations.get(name)
    if found is None:
        raise OperationNotFoundError
    return found


def hash_content(*, operation: str, payload: object, effect: object) -> bytes:
    """Return what changes with anything that is approved. `payload` and `effect` are what JSON can hold.

    Names are sorted, so that it is the same after PostgreSQL has kept them, and lengths are prefixed.
    """
    parts = [msgspec.json.encode(part, order="sorted") for part in (payload, effect)]
    return hash_request(operation, *parts)
