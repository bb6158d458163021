"""Who may make which call, and which things it may name: this table alone is what the tests of security expect.

A new operation is refused by `test_policy.py` until it has its row here, its row of most queries in `test_queries.py`
and, if it takes a body, a body in `calls.py`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from core.scopes import Scope

Refusal = tuple[int, str]


class Who(StrEnum):
    """Whom a call is for."""

    EVERYBODY = "everybody"
    CLIENTS = "clients"
    PARTNERS = "partners"


class Rule(NamedTuple):
    """What is expected of an operation. It maps places - path parameters, fields of the body - to kinds of things.

    `own` names things that must be the caller's; `any` those that may be anybody's; `filters` are parameters of the
    query that name a thing. `when_new` refuses a client whom the bank has not verified, `moves` says that the call
    takes money from or to an account of the caller's, which a block of that account stops.
    """

    who: Who
    scope: Scope | None
    status: int
    own: Mapping[str, str] = {}
    any: Mapping[str, str] = {}
    filters: Mapping[str, str] = {}
    when_new: Refusal | None = None
    moves: bool = False

    @property
    def places(self) -> dict[str, str]:
        """All places in which the call names a thing, but those of the query."""
        return {**self.own, **self.any}


EVERYBODY, CLIENTS, PARTNERS = Who

ACCOUNT = {"account_id": "account"}
DEBTOR = {"debtor_account": "account"}
CREDITOR = {"creditor_account": "savings"}
BY_ACCOUNT = {"account": "account"}

POLICY: dict[str, Rule] = {
    "livez": Rule(EVERYBODY, None, 200),
    "readyz": Rule(EVERYBODY, None, 200),
    "sign_in": Rule(EVERYBODY, None, 200),
    "refresh_tokens": Rule(EVERYBODY, None, 200),
    "revoke_tokens": Rule(EVERYBODY, None, 200),
    "register_client": Rule(EVERYBODY, None, 201),
    "inactivate_client": Rule(PARTNERS, Scope.CLIENTS_INACTIVATE, 200, any={"client_id": "leaver"}),
    "show_own_client": Rule(CLIENTS, Scope.CLIENTS_READ, 200),
    "change_own_client": Rule(CLIENTS, Scope.CLIENTS_WRITE, 200),
    "list_own_documents": Rule(CLIENTS, Scope.CLIENTS_READ, 200),
    "add_own_document": Rule(CLIENTS, Scope.CLIENTS_WRITE, 201),
    "show_own_document": Rule(CLIENTS, Scope.CLIENTS_READ, 200, own={"document_id": "document"}),
    "list_notifications": Rule(CLIENTS, Scope.CLIENTS_READ, 200),
    "read_notification": Rule(CLIENTS, Scope.CLIENTS_WRITE, 200, own={"notification_id": "notification"}),
    "show_notification_preferences": Rule(CLIENTS, Scope.CLIENTS_READ, 200),
    "change_notification_preferences": Rule(CLIENTS, Scope.CLIENTS_WRITE, 200),
    "open_account": Rule(CLIENTS, Scope.ACCOUNTS_WRITE, 201, when_new=(409, "client_not_verified")),
    "list_accounts": Rule(CLIENTS, Scope.ACCOUNTS_READ, 200),
    "show_account": Rule(CLIENTS, Scope.ACCOUNTS_READ, 200, own=ACCOUNT),
    "show_balance": Rule(CLIENTS, Scope.ACCOUNTS_READ, 200, own=ACCOUNT),
    "show_statement": Rule(CLIENTS, Scope.ACCOUNTS_READ, 200, own=ACCOUNT),
    "list_account_events": Rule(CLIENTS, Scope.ACCOUNTS_READ, 200, own=ACCOUNT),
    "deposit": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 201, own=ACCOUNT, moves=True),
    "withdraw": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 201, own=ACCOUNT, moves=True),
    "transfer": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 201, own=DEBTOR, any=CREDITOR, moves=True),
    "transfer_batch": Rule(
        CLIENTS,
        Scope.TRANSFERS_WRITE,
        201,
        own={"transfers.0.debtor_account": "account"},
        any={"transfers.0.creditor_account": "savings"},
        moves=True,
    ),
    "list_transfers": Rule(CLIENTS, Scope.TRANSFERS_READ, 200, filters=BY_ACCOUNT),
    "show_transfer": Rule(CLIENTS, Scope.TRANSFERS_READ, 200, own={"transfer_id": "transfer"}),
    "place_hold": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 201, own={"account": "account"}, moves=True),
    "list_holds": Rule(CLIENTS, Scope.TRANSFERS_READ, 200, filters=BY_ACCOUNT),
    "show_hold": Rule(CLIENTS, Scope.TRANSFERS_READ, 200, own={"hold_id": "hold"}),
    "capture_hold": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 200, own={"hold_id": "hold"}, any=CREDITOR, moves=True),
    "release_hold": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 200, own={"hold_id": "hold"}),
    "order_payment": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 202, own=DEBTOR, moves=True),
    "list_payments": Rule(CLIENTS, Scope.TRANSFERS_READ, 200, filters=BY_ACCOUNT),
    "show_payment": Rule(CLIENTS, Scope.TRANSFERS_READ, 200, own={"payment_id": "payment"}),
    "create_standing_order": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 201, own=DEBTOR, any=CREDITOR),
    "list_standing_orders": Rule(CLIENTS, Scope.TRANSFERS_READ, 200),
    "show_standing_order": Rule(CLIENTS, Scope.TRANSFERS_READ, 200, own={"standing_order_id": "standing order"}),
    "cancel_standing_order": Rule(CLIENTS, Scope.TRANSFERS_WRITE, 200, own={"standing_order_id": "standing order"}),
}

MISSING: dict[str, Refusal] = {
    "account": (404, "account_not_found"),
    "savings": (404, "account_not_found"),
    "leaver": (404, "not_found"),
    "document": (404, "not_found"),
    "notification": (404, "not_found"),
    "transfer": (404, "not_found"),
    "hold": (404, "not_found"),
    "payment": (404, "not_found"),
    "standing order": (404, "not_found"),
}
"""How a call is refused that names a thing which does not exist, or is another's."""
