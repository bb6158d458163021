"""How money comes, goes and moves in the demo bank: by habit each day, by plan on some, and always the same."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from django.db import transaction

from bank.demo.people import ADMIN, CUSTOMERS
from bank.demo.steps import (
    ALICE,
    BLOCKED_FROM,
    CARLA,
    DAYS,
    DOLLARS,
    MALLORY,
    SAVINGS,
    Accounts,
    Step,
    name_account,
)
from core.models import User
from kyc.services import record_sign_in
from transfers.orders import TransferOrder
from transfers.services import submit_transfers
from transfers.states import TransferKind

_SEED = 7
_HOURS_AND_MOST = ((1, 2), (5, 3), (10, 4))
"""When in a day, in hours from the day's beginning, and how many moves at most by habit."""

_NOON = 5
_CASH = ""


class Move(NamedTuple):
    """Money between two accounts, by their names, or the bank's cash. `amount` in minor units."""

    debtor: str
    creditor: str
    amount: int
    text: str
    is_by_staff: bool = False

    @property
    def owner(self) -> str:
        """The name of the account that it is ordered over."""
        return self.debtor or self.creditor


class Habit(NamedTuple):
    """What happens again and again; the amount lies between two, in whole units of the currency."""

    debtor: str
    creditor: str
    least: int
    most: int
    texts: tuple[str, ...]


_HABITS = (
    Habit(ALICE, CARLA, 20, 180, ("Lunch", "Concert tickets", "Groceries", "Birthday present")),
    Habit(ALICE, CARLA, 15, 90, ("Taxi", "Books", "Coffee beans")),
    Habit(CARLA, ALICE, 15, 160, ("Lunch", "My half of the groceries", "Cinema")),
    Habit(CARLA, MALLORY, 10, 60, ("Bicycle repair", "Second-hand lamp")),
    Habit(MALLORY, CARLA, 10, 45, ("Plants", "Thank you")),
    Habit(ALICE, SAVINGS, 50, 300, ("For a rainy day",)),
    Habit(SAVINGS, ALICE, 20, 80, ("Back for the rent",)),
    Habit(ALICE, _CASH, 50, 200, ("Cash machine",)),
    Habit(CARLA, _CASH, 20, 120, ("Cash machine",)),
    Habit(_CASH, CARLA, 60, 240, ("Cash paid in",)),
    Habit(_CASH, MALLORY, 20, 90, ("Cash paid in",)),
    Habit(_CASH, DOLLARS, 30, 150, ("From a customer abroad",)),
    Habit(DOLLARS, _CASH, 20, 80, ("Travel money",)),
)
_SALARIES = (
    Move(_CASH, ALICE, 3_400_00, "Salary", is_by_staff=True),
    Move(_CASH, CARLA, 2_150_00, "Salary", is_by_staff=True),
)
_CAR = Move(CARLA, ALICE, 19_500_00, "Car")
_SOFA = Move(MALLORY, CARLA, 900_00, "Sofa")
_LOAN = Move(MALLORY, ALICE, 2_000_00, "Loan paid back")
_RENT = Move(ALICE, CARLA, 1_180_00, "My half of the rent")
_BOAT_SOLD = Move(_CASH, CARLA, 21_000_00, "Boat sold", is_by_staff=True)
_BOAT_SHARE = Move(CARLA, ALICE, 21_000_00, "Your share of the boat")
_PLANS: dict[int, tuple[Move, ...]] = {
    4: _SALARIES,
    6: (_SOFA,),
    11: (_RENT,),
    15: (_CAR, _SOFA),
    19: _SALARIES,
    20: (_LOAN,),
    23: (_CAR,),
    25: (_LOAN, _SOFA),
    28: (Move(DOLLARS, _CASH, 3_000_00, "Travel money"),),
    29: (_BOAT_SOLD, _BOAT_SHARE),
}
"""What is planned for some days, counted from 0; there is never enough for car, sofa, loan and journey.

The share of the boat is so far from what Carla usually sends that it waits in review.
"""

_LAST = (_RENT, Move(ALICE, SAVINGS, 200_00, "For a rainy day"), _CAR)
"""What was ordered for the day on which the demo bank is made."""


def list_movements(*, accounts: Accounts, begin: datetime, last: datetime) -> Iterator[Step]:
    """Yield the transfers of all days from `begin`, of some times of each, and those of the moment `last`.

    All of one time are ordered together, after those who order them have signed in.
    """
    yield _make_step(accounts, begin + timedelta(hours=2), "opening", list(_list_openings()))
    random = Random(_SEED)  # noqa: S311 - always the same, and nobody gains by guessing it
    for day in range(1, DAYS):
        for hours, most in _HOURS_AND_MOST:
            plans = _PLANS.get(day, ()) if hours == _NOON else ()
            moves = [*plans, *(_choose_move(random, day) for _ in range(random.randint(1, most)))]
            at = begin + timedelta(days=day, hours=hours, seconds=random.randrange(7200))
            yield _make_sign_in(accounts, at - timedelta(minutes=3), moves)
            yield _make_step(accounts, at, f"{day}-{hours}", moves)
    yield _make_step(accounts, last, "last", _LAST)


def _list_openings() -> Iterator[Move]:
    for client in CUSTOMERS:
        for account in client.accounts:
            if account.balance:
                name = name_account(username=client.username, currency=account.currency, kind=account.kind)
                yield Move(_CASH, name, account.balance, "Opening deposit", is_by_staff=True)


def _choose_move(random: Random, day: int) -> Move:
    """Return a move as habit has it: none with Mallory once the account is blocked."""
    is_open = day < BLOCKED_FROM
    habit = random.choice([habit for habit in _HABITS if is_open or MALLORY not in (habit.debtor, habit.creditor)])
    amount = 100 * random.randint(habit.least, habit.most) + random.choice((0, 0, 50, 90, random.randrange(100)))
    return Move(habit.debtor, habit.creditor, amount, random.choice(habit.texts))


def _make_sign_in(accounts: Accounts, at: datetime, moves: Sequence[Move]) -> Step:
    users = {accounts[move.owner].client.user for move in moves if not move.is_by_staff}

    def sign_in(now: datetime) -> None:
        with transaction.atomic(durable=True):
            for user in sorted(users, key=lambda user: user.pk):
                record_sign_in(user=user, now=now)

    return Step(at, sign_in)


def _make_step(accounts: Accounts, at: datetime, name: str, moves: Sequence[Move]) -> Step:
    def submit(now: datetime) -> None:
        staff_id = User.objects.values_list("pk", flat=True).get(username=ADMIN)
        numbered = enumerate(moves, start=1)
        orders = [_make_order(accounts, move, f"demo-{name}-{number}", staff_id) for number, move in numbered]
        submit_transfers(orders=orders, now=now)

    return Step(at, submit)


def _make_order(accounts: Accounts, move: Move, key: str, staff_id: int) -> TransferOrder:
    client = accounts[move.owner].client
    return TransferOrder(
        kind=_get_kind(move),
        debtor_account_id=accounts[move.debtor].pk if move.debtor else None,
        creditor_account_id=accounts[move.creditor].pk if move.creditor else None,
        amount=move.amount,
        currency=accounts[move.owner].currency,
        principal_id=staff_id if move.is_by_staff else client.user_id,
        idempotency_key=key,
        client_id=None if move.is_by_staff else client.pk,
        remittance_information=move.text,
    )


def _get_kind(move: Move) -> TransferKind:
    if not move.debtor:
        return TransferKind.DEPOSIT
    return TransferKind.INTERNAL if move.creditor else TransferKind.WITHDRAWAL
