"""Finding transfers among millions: by what narrows them through an index, or else within some days.

A party (an account, or a client with all accounts) narrows by the indexes of the two sides, days by the index of the
time of ordering. Amount and text are only looked at among these; so they are refused alone. Whatever is asked, a
bounded number of rows comes back, the newest first.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from accounts.models import Account
from accounts.numbers import find_number
from core.errors import InvalidInputError
from core.models import IdempotencyKey
from transfers.models import Transfer

MAX_WINDOW = timedelta(days=92)
LIMIT = 50
_ACCOUNTS = 100
"""Of how many accounts transfers are looked for, if a client's name is a common one."""


class Wanted(NamedTuple):
    """Which transfers are wanted; what is None or empty takes all. Amounts are minor units, both ends included."""

    transfer_id: UUID | None = None
    key: str = ""
    party: str = ""
    currency: str = ""
    least: int | None = None
    most: int | None = None
    ordered_from: datetime | None = None
    ordered_before: datetime | None = None
    text: str = ""


def find_transfers(*, wanted: Wanted) -> list[Transfer]:
    """Return the newest LIMIT + 1 of them, with their accounts.

    Raises InvalidInputError for what narrows too little.
    """
    _require_narrow(wanted)
    found = _narrow(_filter(Transfer.objects.all(), wanted), wanted)
    return list(found.select_related("debtor_account", "creditor_account").order_by("-created_at", "-pk")[: LIMIT + 1])


def _require_narrow(wanted: Wanted) -> None:
    start, end = wanted.ordered_from, wanted.ordered_before
    if start is not None and end is not None and end <= start:
        raise InvalidInputError(errors={"first_day": [gettext("The first day must not come after the last one.")]})
    if wanted.transfer_id or wanted.key or wanted.party:
        return
    if start is None or end is None or end - start > MAX_WINDOW:
        days = f"Give the first and the last day, {MAX_WINDOW.days} days at most, or a party, an id or a key."
        raise InvalidInputError(errors={"first_day": [days]})


def _filter(transfers: QuerySet[Transfer], wanted: Wanted) -> QuerySet[Transfer]:
    conditions = {
        "currency": wanted.currency or None,
        "amount__gte": wanted.least,
        "amount__lte": wanted.most,
        "created_at__gte": wanted.ordered_from,
        "created_at__lt": wanted.ordered_before,
        "remittance_information__icontains": wanted.text or None,
    }
    return transfers.filter(**{name: value for name, value in conditions.items() if value is not None})


def _narrow(transfers: QuerySet[Transfer], wanted: Wanted) -> QuerySet[Transfer]:
    if wanted.transfer_id is not None:
        transfers = transfers.filter(pk=wanted.transfer_id)
    if wanted.key:
        made = IdempotencyKey.objects.filter(key=wanted.key).values_list("resource_id", flat=True)
        transfers = transfers.filter(pk__any=list(made[:_ACCOUNTS]))
    if wanted.party:
        accounts = _find_accounts(wanted.party)
        transfers = transfers.filter(Q(debtor_account__in=accounts) | Q(creditor_account__in=accounts))
    return transfers


def _find_accounts(party: str) -> Collection[UUID]:
    named = Q(number=find_number(text=party)) | Q(client__name__icontains=party)
    return list(Account.objects.filter(named).values_list("pk", flat=True)[:_ACCOUNTS])
