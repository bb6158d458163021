"""The one home of row locks on clients.

Whatever depends on a client's state (opening an account) or changes it (a decision, inactivation) locks the client's
row first, and anything below it afterwards.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import OperationalError

from core.db import is_lock_timeout, require_transaction
from kyc.errors import ClientBusyError, ClientNotFoundError
from kyc.models import Client


def lock_client(*, client_id: UUID) -> Client:
    """Lock the client until the transaction ends and return it. Raises ClientNotFoundError or ClientBusyError."""
    clients = lock_clients(client_ids=[client_id])
    if not clients:
        raise ClientNotFoundError
    return clients[0]


def lock_clients(*, client_ids: Sequence[UUID]) -> list[Client]:
    """Lock those of the clients that exist, in order of id, and return them. Raises ClientBusyError."""
    require_transaction()
    try:
        return list(Client.objects.select_for_update(no_key=True).filter(id__in=client_ids).order_by("id"))
    except OperationalError as error:
        if is_lock_timeout(error, model=Client):
            raise ClientBusyError from error
        raise


def try_lock_client(*, client_id: UUID) -> Client | None:
    """Lock the client until the transaction ends, or return None if another transaction has it."""
    require_transaction()
    return Client.objects.select_for_update(no_key=True, skip_locked=True).filter(id=client_id).first()
