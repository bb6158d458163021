"""What has to happen in every proof, at moments that chance would seldom choose: each act forces one of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core.models import User
from events.dead_letters import replay_dead_letter
from events.models import DeadLetter, Event
from events.reader import get_position
from events.relay import BATCH
from events.relay import NAME as RELAY_NAME
from ledger.models import LedgerAccount
from proofs.drain import await_drained
from proofs.gates import BEFORE_COMMIT, BEFORE_NUMBER, Gate
from proofs.points import MOVE, READS, SEND, TURNED_AWAY, Order, name_amid_effects, name_before_offsets
from proofs.stage import Stage
from proofs.writer import Writer
from tests.events.broker import wait_until

SOME = 20
WAIT_SECONDS = 180.0


class Play(NamedTuple):
    """Where the acts are played, and who makes the transfers."""

    stage: Stage
    writer: Writer


Act = Callable[[Play], None]


def write_and_roll_back(play: Play) -> None:
    """Some transactions commit, one is rolled back when all is written and numbered."""
    play.writer.commit(3 * SOME)
    play.writer.roll_back(SOME)
    play.writer.commit(1)


def commit_out_of_order(play: Play) -> None:
    """A transaction takes the lower number and commits after the relay has looked at the gap that it is.

    It also has the higher transaction id of the two, and nothing else is under way, so that a reader's horizon that is
    one too low is of no use.
    """
    assert await_drained()
    accounts = play.writer.choose_accounts(4)
    with ThreadPoolExecutor(2) as pool, Gate(BEFORE_NUMBER) as before_number, Gate(BEFORE_COMMIT) as before_commit:
        higher = pool.submit(_commit_through_gate, play.writer, accounts[:2], BEFORE_NUMBER)
        before_number.await_waiting()
        lower = pool.submit(_commit_through_gate, play.writer, accounts[2:], BEFORE_COMMIT)
        before_commit.await_waiting()
        before_number.open()
        higher.result()
        _await_counted(play, READS, 3)  # one sees the gap, one believes that it is dead, one may have begun before
        before_commit.open()
        lower.result()


def kill_relay_before_it_sends(play: Play) -> None:
    """The relay dies with events that it has read, of which Kafka has nothing."""
    _kill_at(play, SEND)


def kill_relay_before_its_cursor_moves(play: Play) -> None:
    """The relay dies when Kafka has acknowledged what its cursor has not passed, so all of that is sent again."""
    _kill_at(play, MOVE)


def kill_consumers_amid_effects(play: Play) -> None:
    """Of each group a consumer dies with effects that are not committed."""
    for group in ("balances", "effects"):
        _kill_at(play, name_amid_effects(group))


def kill_consumers_before_their_offsets(play: Play) -> None:
    """Of each group a consumer dies when effects are committed and offsets are not, so all of that comes again."""
    for group in ("balances", "effects"):
        _kill_at(play, name_before_offsets(group))


def fail_to_send(play: Play) -> None:
    """Kafka does not take a batch; of the same account, another follows."""
    accounts = play.writer.choose_accounts(2)
    play.stage.points.arm(SEND, Order.FAIL)
    play.writer.commit(SOME, between=accounts)
    play.stage.points.await_reached(SEND)
    play.writer.commit(SOME, between=accounts)


def start_second_relay(play: Play) -> None:
    """A relay stands still with a batch that it has read, while another wants to go on, for more than a batch."""
    points = play.stage.points
    points.arm(SEND, Order.HOLD)
    play.writer.commit(SOME)
    points.await_reached(SEND)
    second = play.stage.start_second_relay()
    for _ in range(3):
        play.writer.commit(BATCH // 2)
    last, turned_away = Event.objects.latest("seq").seq, points.count(TURNED_AWAY)
    wait_until(
        lambda: points.count(TURNED_AWAY) > turned_away or get_position(name=RELAY_NAME) >= last, seconds=WAIT_SECONDS
    )
    points.arm(MOVE, Order.NOTHING)
    points.release(SEND)
    points.await_reached(MOVE)
    second.kill()


def deliver_late(play: Play) -> None:
    """A message is put aside, newer ones of its account take effect, then staff replay it."""
    debtor, creditor = play.writer.choose_accounts(2)
    version = LedgerAccount.objects.get(pk=debtor).version + 1
    play.stage.points.refuse_balance(debtor, version)
    play.writer.commit(1, between=(debtor, creditor))
    wait_until(lambda: DeadLetter.objects.exists(), seconds=WAIT_SECONDS)
    play.stage.points.accept_balances()
    play.writer.commit(1, between=(debtor, creditor))
    assert await_drained()
    replay_dead_letter(
        letter_id=DeadLetter.objects.get().pk,
        reason="The proof lets it in again",
        actor=User.objects.earliest("id"),
        now=timezone.now(),
    )


ACTS: tuple[Act, ...] = (
    write_and_roll_back,
    commit_out_of_order,
    kill_relay_before_it_sends,
    kill_relay_before_its_cursor_moves,
    kill_consumers_amid_effects,
    kill_consumers_before_their_offsets,
    fail_to_send,
    start_second_relay,
    deliver_late,
)


def find_act(name: str) -> Act:
    """Return the act `name`. Raises KeyError if there is none."""
    return {act.__name__: act for act in ACTS}[name]


def _kill_at(play: Play, point: str) -> None:
    play.stage.kill_at(point)
    play.writer.commit(SOME)
    play.stage.await_killed_at(point)


def _await_counted(play: Play, name: str, more: int) -> None:
    enough = play.stage.points.count(name) + more
    wait_until(lambda: play.stage.points.count(name) >= enough, seconds=WAIT_SECONDS)


def _commit_through_gate(writer: Writer, accounts: Sequence[UUID], gate: int) -> None:
    with closing(connection):
        writer.commit(1, between=accounts, gate=gate)
