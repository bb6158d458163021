"""Screening whoever waits for it, and letting everybody wait for it when a list is new.

Note [A screening sees what its client is]
Who asks for a screening, changes a client or screens it has locked the client's row. So a screening that waits sees the
last change, and one that is under way is over before the next is asked for. A process that dies leaves its row waiting.

What fails over a client in a way that nobody foresaw leaves that client's screening for the next run and is logged.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core.pii import index_parts
from events.outages import is_outage
from events.services import record_events
from kyc.assessment import assess_open_case
from kyc.cases import open_review
from kyc.errors import ClientBusyError, NoListError
from kyc.events import client_screened
from kyc.locks import lock_clients, try_lock_client
from kyc.models import Client, SanctionsList, Screening, ScreeningHit
from kyc.screening.matching import Match, Subject
from kyc.screening.provider import Found, get_provider
from kyc.screening.requests import request_screening
from kyc.states import CaseStatus, ClientStatus, KycStatus, ScreeningCause

logger = logging.getLogger(__name__)

BATCH = 200
"""How many clients one look, or one transaction that asks for screenings, takes in."""

_FOUND = "Screening found somebody on a sanctions list who may be the client"


class Screened(NamedTuple):
    """How many clients were screened, and how many wait for the next run."""

    done: int
    left: int


def screen_due(*, clock: Callable[[], datetime], seconds: float) -> Screened:
    """Screen whoever waits, for `seconds` at most. Several processes can do so at once; without a list, all wait."""
    deadline = time.monotonic() + seconds
    done, left = 0, set[UUID]()
    while time.monotonic() < deadline:
        waiting = Screening.objects.filter(done_at=None).exclude(pk__in=left).order_by("id")
        batch = list(waiting.values_list("pk", "client_id")[:BATCH])
        if not batch:
            break
        for screening_id, client_id in batch:
            if time.monotonic() >= deadline:
                break
            if _try_to_screen(client_id, now=clock()):
                done += 1
            else:
                left.add(screening_id)
    return Screened(done, len(left))


def _try_to_screen(client_id: UUID, *, now: datetime) -> bool:
    try:
        return screen_client(client_id=client_id, now=now)
    except NoListError:
        logger.warning("Client %s waits: no sanctions list is loaded.", client_id)
    except Exception as error:
        if is_outage(error):
            raise
        logger.exception("Screening client %s failed and is left for the next run.", client_id)
    return False


def screen_client(*, client_id: UUID, now: datetime) -> bool:
    """Screen the client if it waits for that, and tell whether it does no more; not if somebody else has it locked.

    Raises NoListError.
    """
    with transaction.atomic(durable=True):
        client = try_lock_client(client_id=client_id)
        if client is None:
            return False
        screening = client.screenings.filter(done_at=None).first()
        if screening is not None:
            _screen(client, screening, now=now)
    return True


def _screen(client: Client, screening: Screening, *, now: datetime) -> None:
    subject = Subject(client.name, client.birth_date, client.document_type, client.document_number)
    found = get_provider().screen(subject=subject, threshold=settings.SCREENING_THRESHOLD)
    hits = _keep_hits(subject, screening, found)
    screening.sanctions_list_id, screening.done_at = found.list_id, now
    screening.save(update_fields=["sanctions_list", "done_at"])
    record_events(events=[client_screened(screening=screening, hits=hits, now=now)])
    if any(not hit.disposition for hit in hits) and _is_served_without_case(client):
        open_review(client=client, reason=_FOUND, now=now)
    assess_open_case(client=client, now=now)


def _is_served_without_case(client: Client) -> bool:
    is_served = client.status == ClientStatus.ACTIVE and client.kyc_status == KycStatus.VERIFIED
    return is_served and not client.cases.filter(status=CaseStatus.IN_REVIEW).exists()


def _keep_hits(subject: Subject, screening: Screening, found: Found) -> Sequence[ScreeningHit]:
    """Write the matches as hits; what an analyst has found before about the very same evidence holds on."""
    hits = [_make_hit(subject, screening, match) for match in found.matches]
    disposed = ScreeningHit.objects.filter(
        screening__client_id=screening.client_id, evidence__in=[hit.evidence for hit in hits]
    ).exclude(disposition="")
    known = {bytes(hit.evidence): hit for hit in disposed.order_by("id")}
    for hit in hits:
        if before := known.get(bytes(hit.evidence)):
            hit.disposition, hit.reason = before.disposition, before.reason
            hit.disposed_by_id, hit.disposed_at = before.disposed_by_id, before.disposed_at
    return ScreeningHit.objects.bulk_create(hits)


def _make_hit(subject: Subject, screening: Screening, match: Match) -> ScreeningHit:
    return ScreeningHit(
        screening=screening,
        reference=match.entry.reference,
        listed_name=match.entry.name,
        matched_name=match.matched_name,
        program=match.entry.program,
        score=match.score,
        name_score=match.name_score,
        birth_date=match.birth_date,
        document=match.document,
        evidence=_get_evidence(subject, match),
    )


def _get_evidence(subject: Subject, match: Match) -> bytes:
    """Return the hash of what was compared: another name, birth date or document on either side is other evidence."""
    entry = match.entry
    listed = (
        entry.reference,
        entry.name,
        *entry.aliases,
        *entry.birth_dates,
        *(each.number for each in entry.documents),
    )
    client = (subject.name, subject.birth_date.isoformat(), subject.document_type, subject.document_number)
    return index_parts(*client, *listed)


def request_all(*, clock: Callable[[], datetime], seconds: float) -> int:
    """Let all active clients be screened against the newest list, and return how many were asked for.

    Batch by batch in order of id, for `seconds` at most: how far it came is kept with each batch, so the next run goes
    on there, whoever died. A client that registers meanwhile is screened against that list anyway.
    """
    deadline = time.monotonic() + seconds
    asked = 0
    while time.monotonic() < deadline:
        newest = SanctionsList.objects.order_by("-id").first()
        if newest is None or newest.requested_at is not None:
            break
        try:
            asked += _request_batch(newest, now=clock())
        except ClientBusyError:
            break
    return asked


def _request_batch(sanctions_list: SanctionsList, *, now: datetime) -> int:
    """Let some more clients wait for their screening, or note that all do."""
    others = Client.objects.filter(status=ClientStatus.ACTIVE)
    if sanctions_list.requested_up_to_id:
        others = others.filter(id__gt=sanctions_list.requested_up_to_id)
    ids = list(others.order_by("id").values_list("id", flat=True)[:BATCH])
    with transaction.atomic(durable=True):
        for client in lock_clients(client_ids=ids):
            request_screening(client=client, cause=ScreeningCause.NEW_LIST, now=now)
        progress = {"requested_up_to": ids[-1]} if ids else {"requested_at": now}
        SanctionsList.objects.filter(pk=sanctions_list.pk, requested_at=None).update(**progress)
    return len(ids)
