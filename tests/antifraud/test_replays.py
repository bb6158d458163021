"""Trying a version on past transfers: what it would have decided, as they were then."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.progress import Progress
from tests.antifraud.rulebook import propose, put_in_force, rule
from tests.factories import make_staff
from tests.transfers.desk import NOW, Desk, describe
from transfers.antifraud import replays
from transfers.antifraud.models import Judgement, Replay
from transfers.antifraud.replays import replay_rules
from transfers.antifraud.reviews import accept_transfer
from transfers.antifraud.selectors import count_findings
from transfers.services import submit_transfer

END = NOW + timedelta(days=30)


def live(desk: Desk) -> None:
    """Let Alice send one real after the other, a minute and a second apart, and three at the end within a minute."""
    for seconds in (0, 61, 122, 183, 184, 185):
        submit_transfer(order=desk.read("alice -> carla 1"), now=NOW + timedelta(seconds=seconds))


def replay(number: int) -> dict[str, Any]:
    """Return what a version would have decided about all of it."""
    counts: dict[str, Any] = replay_rules(number=number, since=NOW, now=END).counts
    return counts


@pytest.mark.django_db(transaction=True)
def test_judges_each_transfer_by_what_went_before_it() -> None:
    live(Desk())
    strict = propose(rule("velocity", per_minute=1), rule("velocity", per_minute=2, action="reject", mode="shadow"))

    assert replay(strict.number) == {
        "decision accept": 4,
        "decision review": 2,
        "decided otherwise then": 2,
        "rule velocity, active": 2,
        "rule velocity, shadow": 1,
    }


@pytest.mark.django_db(transaction=True)
def test_decides_as_was_decided_then_whatever_became_of_it_since() -> None:
    desk = Desk()
    rules = put_in_force(rule("velocity", per_minute=1), rule("new_counterparty", from_amount={"*": 1}))
    held = submit_transfer(order=desk.read("alice -> carla 100"), now=NOW)
    live(desk)
    accept_transfer(transfer_id=held.transfer.id, reason="Seen", actor=make_staff(), now=NOW + timedelta(hours=1))

    counts = replay(rules.number)

    assert describe(held) == "in_review"
    assert counts["decision review"] == Judgement.objects.filter(decision="review").count() > 1
    assert counts["decided otherwise then"] == 0


@pytest.mark.django_db(transaction=True)
def test_goes_on_where_it_was_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    live(Desk())
    number = propose(rule("velocity", per_minute=1)).number
    monkeypatch.setattr(replays, "CHUNK", 2)

    def die(progress: Progress) -> None:
        if progress.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay_rules(number=number, since=NOW, now=END, on_progress=die)
    shown: list[Progress] = []
    replay_rules(number=number, since=NOW, now=END, on_progress=shown.append)

    assert shown == [Progress("transfers", 6, 6)]
    done = Replay.objects.get()
    assert (done.done, done.counts["decision accept"], done.counts["decision review"]) == (6, 4, 2)


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_what_was_found() -> None:
    live(Desk())
    number = propose(rule("velocity", per_minute=1)).number
    out = StringIO()

    call_command("replay_antifraud", since="2026-03-01", rule_set=number, stdout=out)

    assert "6 transfers judged" in out.getvalue()
    assert "decision review: 2" in out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(("since", "number"), [("2026-03-01", 99), ("yesterday", 1)])
def test_the_command_refuses_what_it_does_not_understand(since: str, number: int) -> None:
    with pytest.raises(CommandError):
        call_command("replay_antifraud", since=since, rule_set=number)


@pytest.mark.django_db
def test_the_report_says_what_a_rule_in_shadow_would_have_changed() -> None:
    desk = Desk()
    put_in_force(rule("velocity", per_minute=1, mode="shadow"), rule("fan_out", per_day=1))
    for line in ("alice -> carla 1", "alice -> carla 1", "alice -> savings 1"):
        desk.submit(line)
    out = StringIO()

    counts = count_findings(since=NOW)
    call_command("report_antifraud", days=3_650, stdout=out)

    assert [(each.rule, each.mode, each.found, each.would_change) for each in counts] == [
        ("fan_out", "active", 1, 0),
        ("velocity", "shadow", 2, 1),
    ]
    assert "velocity (shadow, review): 2 found, 1 would have been another decision" in out.getvalue()
