"""Reviews of verified clients, and what time does to open cases.

A verified client under review stays verified for KYC_REVIEW_GRACE_DAYS; then it is in review, and opens no account,
until somebody decides (docs/adr/0025). Each client is a transaction that asks again, under the client's lock, whether
it is due. So a run can be cut off anywhere, and two of them do no more than one.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from events.outages import is_outage
from events.services import record_events
from kyc.assessment import assess_open_case
from kyc.cases import open_review
from kyc.events import client_in_review
from kyc.locks import try_lock_client
from kyc.models import Client
from kyc.states import CaseKind, CaseStatus, ClientStatus, KycStatus

logger = logging.getLogger(__name__)

BATCH = 200
"""How many clients one look takes in."""

_DUE = "The review of a verified client fell due"
_GRACE_OVER = "The review was not decided within its grace"


class Reviewed(NamedTuple):
    """How many reviews were opened, how many clients are in review as a grace ended, how many cases were looked at."""

    opened: int
    ended: int
    assessed: int


def run_reviews(*, clock: Callable[[], datetime], seconds: float) -> Reviewed:
    """Open the reviews that are due, end the graces that are over, and assess open cases anew, as evidence ages."""
    deadline = time.monotonic() + seconds
    served = Client.objects.filter(status=ClientStatus.ACTIVE, kyc_status=KycStatus.VERIFIED)
    waiting = Client.objects.filter(cases__status=CaseStatus.IN_REVIEW)
    over = served.filter(cases__status=CaseStatus.IN_REVIEW, cases__grace_until__lte=clock())
    return Reviewed(
        opened=_visit(served.filter(review_due_at__lte=clock()), _open_if_due, clock, deadline),
        ended=_visit(over, _end_grace_if_over, clock, deadline),
        assessed=_visit(waiting, _assess, clock, deadline),
    )


def _visit(
    clients: QuerySet[Client], act: Callable[[Client, datetime], bool], clock: Callable[[], datetime], deadline: float
) -> int:
    """Lock each of the clients in turn and let `act` look whether there is something to do; return how often it was."""
    done, last = 0, None
    while batch := list((clients.filter(pk__gt=last) if last else clients).order_by("pk").values_list("pk")[:BATCH]):
        for (client_id,) in batch:
            if time.monotonic() >= deadline:
                return done
            done += _try(client_id, act, now=clock())
            last = client_id
    return done


def _try(client_id: UUID, act: Callable[[Client, datetime], bool], *, now: datetime) -> bool:
    """Do it for one client, unless somebody else has it locked; what fails is logged and left for the next run."""
    try:
        with transaction.atomic(durable=True):
            client = try_lock_client(client_id=client_id)
            return client is not None and act(client, now)
    except Exception as error:
        if is_outage(error):
            raise
        logger.exception("The review of client %s failed and is left for the next run.", client_id)
        return False


def _open_if_due(client: Client, now: datetime) -> bool:
    is_due = client.review_due_at is not None and client.review_due_at <= now
    if not (is_due and _is_served(client)) or client.cases.filter(status=CaseStatus.IN_REVIEW).exists():
        return False
    open_review(client=client, reason=_DUE, now=now)
    return True


def _end_grace_if_over(client: Client, now: datetime) -> bool:
    late = client.cases.filter(status=CaseStatus.IN_REVIEW, kind=CaseKind.PERIODIC, grace_until__lte=now)
    if not (_is_served(client) and late.exists()):
        return False
    client.kyc_status = KycStatus.IN_REVIEW
    client.save(update_fields=["kyc_status"])
    record_events(events=[client_in_review(client=client, actor=None, reason=_GRACE_OVER, now=now)])
    return True


def _is_served(client: Client) -> bool:
    return client.status == ClientStatus.ACTIVE and client.kyc_status == KycStatus.VERIFIED


def _assess(client: Client, now: datetime) -> bool:
    assess_open_case(client=client, now=now)
    return True
