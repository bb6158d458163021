"""Keeping on record who of the staff sees clients' data: on a page, or in what a search finds."""

from collections.abc import Sequence
from typing import Any, cast

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Account
from audit.services import Seen, record_looks
from audit.states import LookKind
from core.admin.witnesses import witness
from core.api.middleware import get_request_id
from core.models import User
from kyc.models import Client, ClientDocument, KycCase
from transfers.payments.models import Payment
from transfers.standing_orders.models import StandingOrder


@witness(Client, KycCase, ClientDocument, Account, Payment, StandingOrder)
def _record(request: HttpRequest, rows: Sequence[Any], by_search: bool) -> None:  # noqa: FBT001 - as it is told
    record_looks(
        seen=[Seen(row.pk, row.pk if isinstance(row, Client) else row.client_id) for row in rows],
        page=rows[0]._meta.label_lower,
        kind=LookKind.SEARCH if by_search else LookKind.PAGE,
        looked_by=cast("User", request.user),
        request=get_request_id(),
        now=timezone.now(),
    )
