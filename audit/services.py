"""Writes of the audit: who looked, what was revealed, what was exported."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import DatabaseError, transaction

from audit.models import Look
from audit.states import LookKind
from core.models import User
from core.text import clean_line
from kyc.errors import ClientNotFoundError
from kyc.models import Client

logger = logging.getLogger(__name__)


class Seen(NamedTuple):
    """A row that was shown, and whose data stood in it."""

    subject_id: UUID
    client_id: UUID


class Personal(NamedTuple):
    """What pages hide of a client."""

    document_number: str
    birth_date: str


def record_looks(
    *, seen: Sequence[Seen], page: str, kind: LookKind, looked_by: User, request: str, now: datetime
) -> None:
    """Keep on record who saw which rows, with one statement. If that fails, it is logged and the page is shown.

    What a page shows at once is masked; what is behind the mask is revealed by `reveal_client`, which does fail.
    """
    minute = now.replace(second=0, microsecond=0)
    looks = [
        Look(
            kind=kind,
            client_id=each.client_id,
            page=page,
            subject_id=each.subject_id,
            looked_by=looked_by,
            looked_at=now,
            minute=minute,
            request=request,
        )
        for each in seen
    ]
    try:
        with transaction.atomic():
            Look.objects.bulk_create(looks, ignore_conflicts=True)
    except DatabaseError:
        logger.exception("%s looked at %d rows of %s, which could not be kept on record", looked_by.pk, len(seen), page)


def reveal_client(
    *, client_id: UUID, page: str, subject_id: UUID, reason: str, looked_by: User, request: str, now: datetime
) -> Personal:
    """Return what pages hide of a client, once it is on record who asked for it and why.

    Raises InvalidInputError and ClientNotFoundError.
    """
    reason = clean_line(reason, field="reason", max_length=255)
    with transaction.atomic(durable=True):
        client = Client.objects.filter(pk=client_id).first()
        if client is None:
            raise ClientNotFoundError
        Look.objects.create(
            kind=LookKind.REVEAL,
            client=client,
            page=page,
            subject_id=subject_id,
            looked_by=looked_by,
            looked_at=now,
            minute=now.replace(second=0, microsecond=0),
            request=request,
            reason=reason,
        )
    return Personal(document_number=client.document_number, birth_date=f"{client.birth_date:%Y-%m-%d}")
