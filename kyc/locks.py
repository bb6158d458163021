"""The one home of row locks on clients.

Whatever depends on a client's state (opening an account) or changes it (a decision, inactivation) locks the client's
row first, and anything below it afterwards.
"""

from uuid import UUID

from django.db import OperationalError

from core.db import is_lock_timeout, require_transaction
from kyc.errors import ClientBusyError, ClientNotFoundError
from kyc.models import Client


def lock_client(*, client_id: UUID) -> Client:
    """Lock the client until the transaction ends and return it. Raises ClientNotFoundError or ClientBusyError."""
    require_transaction()
    try:
        client = Client.objects.select_for_update(no_key=True).filter(id=client_id).first()
    except OperationalError as error:
        if is_lock_timeout(error, model=Client):
            raise ClientBusyError from error
        raise
    if client is None:
        raise ClientNotFoundError
    return client
