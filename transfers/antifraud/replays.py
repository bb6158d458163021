"""Trying a version of the rules on past transfers, each as it was then.

Note [As it was then]
What went before a transfer is what was ordered on its accounts before its moment, as the tables say today. What became
of those orders later is left out by its own moment. Orders of one moment, as a batch has them, come in the order of
their ids, which may not be that in which they were decided; a count can then be off by the size of the batch. Nothing
is written but how far it came, after each chunk; so whoever starts it again goes on from there.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from core.ids import uuid7_floor
from core.progress import Progress
from transfers.antifraud.errors import RuleSetNotFoundError
from transfers.antifraud.histories import History, Past, read_past_histories
from transfers.antifraud.judging import Judge, Movement, list_sides
from transfers.antifraud.models import Judgement, Replay, RuleSet
from transfers.antifraud.rule_sets import ActiveRules, get_rules
from transfers.antifraud.states import Decision
from transfers.models import Transfer
from transfers.records import TransferRecord, get_records

CHUNK = 250
"""How many transfers are judged at once."""


def replay_rules(
    *, number: int, since: datetime, now: datetime, on_progress: Callable[[Progress], None] = lambda progress: None
) -> Replay:
    """Judge all transfers from `since` up to now by version `number`, and return what it would have decided.

    Goes on with the same that was begun before and not finished. Raises RuleSetNotFoundError.
    """
    rule_set = RuleSet.objects.filter(number=number).first()
    if rule_set is None:
        raise RuleSetNotFoundError
    rules = get_rules(rule_set_id=rule_set.pk)
    replay = _find_unfinished(rule_set, since) or Replay.objects.create(
        rule_set=rule_set, since=since, until=now, reached=uuid7_floor(since)
    )
    total = replay.done + _list_ids(replay).count()
    while ids := list(_list_ids(replay)[:CHUNK]):
        _judge_chunk(replay, rules, ids)
        on_progress(Progress("transfers", replay.done, total))
    replay.finished_at = now
    replay.save(update_fields=["finished_at"])
    return replay


def _find_unfinished(rule_set: RuleSet, since: datetime) -> Replay | None:
    unfinished = Replay.objects.filter(rule_set=rule_set, since=since, finished_at=None)
    return unfinished.order_by("-pk").first()


def _list_ids(replay: Replay) -> QuerySet[Transfer, UUID]:
    """Return what is still to be judged, as a query for ids: money that left an account."""
    left = Transfer.objects.filter(
        pk__gt=replay.reached,
        created_at__gte=replay.since,
        created_at__lt=replay.until,
        debtor_account__isnull=False,
    )
    return left.order_by("pk").values_list("pk", flat=True)


def _judge_chunk(replay: Replay, rules: ActiveRules, ids: Sequence[UUID]) -> None:
    """Judge some transfers, and note what was found and how far it came."""
    with transaction.atomic(durable=True):
        transfers = get_records(transfer_ids=ids)
        decided = dict(Judgement.objects.filter(id__any=list(ids)).values_list("id", "decision"))
        counts = Counter(replay.counts)
        for transfer, judge in _make_judges(rules, [transfers[transfer_id] for transfer_id in ids]):
            verdict = judge.judge(_get_movement(transfer))
            then = decided.get(transfer.id, Decision.ACCEPT.value)
            counts[f"decision {verdict.decision.value}"] += 1
            counts["decided otherwise then"] += verdict.decision.value != then
            counts.update(f"rule {finding.rule}, {finding.mode}" for finding in verdict.findings)
        replay.counts, replay.done, replay.reached = dict(counts), replay.done + len(ids), ids[-1]
        replay.save(update_fields=["counts", "done", "reached"])


def _make_judges(rules: ActiveRules, transfers: Sequence[TransferRecord]) -> list[tuple[TransferRecord, Judge]]:
    """Return each transfer with a judge who knows what went before it, all read with one query."""
    sides = [
        (each, side) for each in transfers for side in list_sides(book=rules.book, movements=[_get_movement(each)])
    ]
    read = read_past_histories(sides=[(side, Past(each.created_at, each.id)) for each, side in sides])
    known: dict[UUID, dict[UUID, History]] = {each.id: {} for each in transfers}
    for place, (each, side) in enumerate(sides):
        known[each.id][side.account_id] = read.histories[place]
    return [(each, Judge(rules=rules, histories=known[each.id], now=each.created_at)) for each in transfers]


def _get_movement(transfer: TransferRecord) -> Movement:
    return Movement(transfer.debtor_account_id, transfer.creditor_account_id, transfer.amount, transfer.currency)
