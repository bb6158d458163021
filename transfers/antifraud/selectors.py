"""Reads of reviews, and of how transfers in review began."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from core.ids import uuid7_floor
from transfers.antifraud.models import Review
from transfers.records import TransferRecord, get_records
from transfers.states import TransferStatus


def get_first_records(*, transfer_ids: Iterable[UUID]) -> dict[UUID, TransferRecord]:
    """Return the transfers that exist of `transfer_ids`, by id, as they were when their orders were first answered.

    What was in review then may have ended since; all others are final from the beginning.
    """
    transfers = get_records(transfer_ids=transfer_ids)
    reviews = Review.objects.filter(id__any=list(transfers)).values_list("id", "held_version")
    began = {transfer_id: _begin(transfers[transfer_id], version) for transfer_id, version in reviews}
    return transfers | began


def _begin(transfer: TransferRecord, held_version: int) -> TransferRecord:
    return msgspec.structs.replace(
        transfer,
        status=TransferStatus.IN_REVIEW.value,
        completed_at=None,
        failure_code="",
        debtor_version=held_version,
        creditor_version=None,
    )


class RuleCount(NamedTuple):
    """How often a rule of a version found something, and where it would have changed what became of the order."""

    rule: str
    mode: str
    action: str
    found: int
    would_change: int


_COUNT = """
    SELECT finding ->> 'rule', finding ->> 'mode', finding ->> 'action', count(*),
           count(*) FILTER (
               WHERE finding ->> 'mode' = 'shadow' AND (decision = 'accept'
                   OR decision = 'review' AND finding ->> 'action' = 'reject')
           )
    FROM antifraud_judgement judgement CROSS JOIN LATERAL jsonb_array_elements(judgement.findings) finding
    WHERE judgement.id >= %(first)s AND judgement.judged_at >= %(since)s
      AND (judgement.rule_set_id = %(rule_set)s OR %(rule_set)s IS NULL)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def count_findings(*, since: datetime, rule_set_id: UUID | None = None) -> list[RuleCount]:
    """Return what rules found since a moment: of one version, or of all."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"first": uuid7_floor(since), "since": since, "rule_set": rule_set_id})
        return [RuleCount(*row) for row in cursor.fetchall()]
