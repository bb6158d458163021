"""Reads of payments, by those who ordered them."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from core.pages import Page, PageRequest, make_page, narrow
from transfers.payments.errors import PaymentNotFoundError
from transfers.payments.models import Payment
from transfers.payments.states import PaymentStatus


class PaymentFilter(NamedTuple):
    """Which payments are wanted; None takes all. An account is named by its id or its number."""

    account: UUID | str | None = None
    status: PaymentStatus | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


def list_payments(*, client_id: UUID, wanted: PaymentFilter, page: PageRequest) -> Page[Payment]:
    """Return a page of the client's own payments, with one query."""
    rows = narrow(_filter(Payment.objects.filter(client_id=client_id), wanted), page)
    return make_page(list(rows), page, get_id=lambda payment: payment.id)


def get_payment(*, payment_id: UUID, client_id: UUID) -> Payment:
    """Return the client's own payment. Raises PaymentNotFoundError, for others' payments too."""
    payment = Payment.objects.filter(pk=payment_id, client_id=client_id).first()
    if payment is None:
        raise PaymentNotFoundError
    return payment


def find_payments(*, payment_ids: Collection[UUID]) -> dict[UUID, Payment]:
    """Return the payments that exist of `payment_ids`, whoever ordered them, by id, with one query."""
    return {payment.id: payment for payment in Payment.objects.filter(id__any=list(payment_ids))}


def _filter(payments: QuerySet[Payment], wanted: PaymentFilter) -> QuerySet[Payment]:
    account_field = "debtor_account" if isinstance(wanted.account, UUID) else "debtor_account__number"
    conditions = {
        account_field: wanted.account,
        "status": wanted.status,
        "created_at__gt": wanted.created_after,
        "created_at__lt": wanted.created_before,
    }
    return payments.filter(**{name: value for name, value in conditions.items() if value is not None})
