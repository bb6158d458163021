"""The language of the ledger's tests: what happens in the books line by line, and what they must say then.

    at 12:30                                      the clock, on the first of March 2026 (UTC)
    alice may owe 50                              an overdraft
    cash 100 -> alice 100                         debits on the left, credits on the right, in minor units
    rent: alice 30 -> carla 25, fees 5            an entry with a name
    reverse rent
    alice refuses debits                          or credits, or everything, or nothing
    alice closes
    hold deposit of alice 40 until 13:00          or without an end
    capture 30 of deposit -> carla                or: capture deposit -> carla
    release deposit
    expire 2 holds

    batch                                         the movements up to `end` are one batch
    end

    alice has 68, 28 available, version 4         what must be so; only what is named is compared
    alice had 100, version 1 at 12:30

A line that must be refused ends with `refused: <code>`; `#` starts a comment. The lines of the chart of accounts (cash,
fees ...) are the bank's own accounts; any other name is a customer's account, which opens empty when it is first named.
They keep reais; `dora/USD` and `cash/USD` keep dollars.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from core.errors import BankError
from ledger.batch import EntryDraft, Line, PostingBatch
from ledger.chart import CASH, COSTS, CUSTOMERS, EQUITY, FEES, SETTLEMENT, SUSPENSE
from ledger.holds import capture_hold, expire_holds, place_hold, release_hold
from ledger.locks import lock_accounts, lock_balances
from ledger.models import LedgerAccount
from ledger.restrictions import close_accounts, set_flags, set_floor
from ledger.selectors import Balance, get_balance, get_balance_at
from ledger.services import get_internal_account_id, open_account, open_books, post_entries, reverse_entry
from ledger.states import Side

THE_BANKS_OWN = {
    "cash": CASH,
    "settlement": SETTLEMENT,
    "suspense": SUSPENSE,
    "equity": EQUITY,
    "fees": FEES,
    "costs": COSTS,
}
REFUSED_SIDES = {
    "debits": (True, False),
    "credits": (False, True),
    "everything": (True, True),
    "nothing": (False, False),
}

Step = Callable[..., None]
STEPS: list[tuple[re.Pattern[str], Step]] = []


def step(pattern: str) -> Callable[[Step], Step]:
    """Let the decorated method play the lines that match `pattern` as a whole."""

    def register(method: Step) -> Step:
        STEPS.append((re.compile(pattern), method))
        return method

    return register


class Books:
    """A bank's books, and the names that a test has given to accounts, entries and holds."""

    def __init__(self) -> None:
        """Start with empty books at noon."""
        self.now = read_time("12:00")
        self._accounts: dict[str, UUID] = {}
        self._entries: dict[str, UUID] = {}
        self._holds: dict[str, UUID] = {}

    def play(self, script: str) -> None:
        """Do and check what each line of `script` says; fail with the line that did not go as it says."""
        lines = read_lines(script)
        for line in lines:
            if line == "batch":
                self._play_batch(list(iter(lambda: next(lines), "end")))
            else:
                self._play_line(line)

    def get_id(self, name: str) -> UUID:
        """Return the id of the account called `name`; a customer's opens when it is first named."""
        if name not in self._accounts:
            self._accounts[name] = self._open(name)
        return self._accounts[name]

    def get_entry_id(self, name: str) -> UUID:
        """Return the id of the entry called `name`."""
        return self._entries[name]

    def get_trial_balance(self) -> dict[str, tuple[int, int]]:
        """Return the debit or credit balance of each account that has one, by name, and the totals."""
        names = {account_id: name for name, account_id in self._accounts.items()}
        nets = {
            names[account.id]: account.posted_debits - account.posted_credits
            for account in LedgerAccount.objects.exclude(version=0)
        }
        rows = {name: (max(net, 0), max(-net, 0)) for name, net in nets.items() if net}
        return rows | {"total": (sum(debit for debit, _ in rows.values()), sum(credit for _, credit in rows.values()))}

    def _open(self, name: str) -> UUID:
        name, _, currency = name.partition("/")
        currency = currency or "BRL"
        if line := THE_BANKS_OWN.get(name):
            open_books(currency=currency)
            return get_internal_account_id(line=line, currency=currency)
        return open_account(line=CUSTOMERS, name=name, currency=currency, floor=0, now=self.now).id

    def _play_line(self, line: str) -> None:
        code, method, words = parse(line)
        self._open_accounts(words)
        with expecting(line, code), transaction.atomic():
            method(self, **words)

    def _open_accounts(self, words: dict[str, str]) -> None:
        """Open the accounts that a line names, outside of what is rolled back if the line is refused."""
        for names in (words.get("account"), words.get("debited"), words.get("credited")):
            for name in (names or "").split(", "):
                if name:
                    self.get_id(name.split()[0])

    def _play_batch(self, lines: list[str]) -> None:
        """Add the movements of `lines` to one batch, of which those that are refused must leave no trace."""
        parsed = [(line, *parse(line)) for line in lines]
        movements = [(line, code, self._draft(**words)) for line, code, _, words in parsed]
        account_ids = {moved.account_id for _, _, draft in movements for moved in draft.lines}
        with transaction.atomic():
            batch = PostingBatch(balances=lock_balances(account_ids=account_ids), now=self.now)
            for line, code, draft in movements:
                with expecting(line, code):
                    batch.add(draft)
            batch.write()

    def _draft(self, debited: str, credited: str, **_: object) -> EntryDraft:
        sides = [(Side.DEBIT, debited), (Side.CREDIT, credited)]
        lines = [
            Line(self.get_id(account), side, int(amount))
            for side, text in sides
            for account, amount in (part.split() for part in text.split(","))
        ]
        return EntryDraft(code="test", lines=lines)

    @step(r"at (?P<time>\d\d:\d\d)")
    def _at(self, time: str) -> None:
        self.now = read_time(time)

    @step(r"(?P<account>\S+) may owe (?P<overdraft>\d+)")
    def _may_owe(self, account: str, overdraft: str) -> None:
        set_floor(account=self._lock(account), floor=-int(overdraft), now=self.now)

    @step(r"(?P<account>\S+) refuses (?P<sides>\w+)")
    def _refuses(self, account: str, sides: str) -> None:
        refuses_debits, refuses_credits = REFUSED_SIDES[sides]
        set_flags(account=self._lock(account), refuses_debits=refuses_debits, refuses_credits=refuses_credits)

    @step(r"(?P<account>\S+) closes")
    def _closes(self, account: str) -> None:
        close_accounts(accounts=[self._lock(account)], now=self.now)

    @step(r"((?P<name>\w+): )?(?P<debited>\S+ -?\d+(, \S+ -?\d+)*) -> (?P<credited>\S+ -?\d+(, \S+ -?\d+)*)")
    def _moves(self, name: str | None, debited: str, credited: str) -> None:
        [entry_id] = post_entries(drafts=[self._draft(debited, credited)], now=self.now)
        if name:
            self._entries[name] = entry_id

    @step(r"reverse (?P<name>\w+)")
    def _reverse(self, name: str) -> None:
        self._entries[f"reversal_of_{name}"] = reverse_entry(entry_id=self._entries[name], now=self.now)

    @step(r"hold (?P<name>\w+) of (?P<account>\S+) (?P<amount>-?\d+)( until (?P<until>\d\d:\d\d))?")
    def _hold(self, name: str, account: str, amount: str, until: str | None) -> None:
        hold = place_hold(
            account_id=self.get_id(account),
            amount=int(amount),
            expires_at=read_time(until) if until else None,
            now=self.now,
        )
        self._holds[name] = hold.id

    @step(r"capture ((?P<amount>\d+) of )?(?P<name>\w+) -> (?P<account>\S+)")
    def _capture(self, name: str, account: str, amount: str | None) -> None:
        self._entries[name] = capture_hold(
            hold_id=self._holds[name],
            credit_account_id=self.get_id(account),
            code="test",
            amount=int(amount) if amount else None,
            now=self.now,
        )

    @step(r"release (?P<name>\w+)")
    def _release(self, name: str) -> None:
        release_hold(hold_id=self._holds[name], now=self.now)

    @step(r"expire (?P<count>\d+) holds?")
    def _expire(self, count: str) -> None:
        transaction.get_connection().atomic_blocks[-1]._from_testcase = True  # it opens its own transactions
        assert expire_holds(now=self.now) == int(count)

    @step(r"(?P<account>\S+) has (?P<booked>-?\d+)(, (?P<available>\d+) available)?(, version (?P<version>\d+))?")
    def _has(self, account: str, **expected: str | None) -> None:
        compare(get_balance(account_id=self.get_id(account), now=self.now), expected)

    @step(
        r"(?P<account>\S+) had (?P<booked>-?\d+)(, (?P<available>\d+) available)?(, version (?P<version>\d+))?"
        r" at (?P<time>\d\d:\d\d)"
    )
    def _had(self, account: str, time: str, **expected: str | None) -> None:
        compare(get_balance_at(account_id=self.get_id(account), at=read_time(time)), expected)

    def _lock(self, name: str) -> LedgerAccount:
        account_id = self.get_id(name)
        return lock_accounts(account_ids=[account_id])[account_id]


def read_time(text: str) -> datetime:
    """Return the moment of the first of March 2026 that the clock time `text` is."""
    hour, minute = map(int, text.split(":"))
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC)


def read_lines(script: str) -> Iterator[str]:
    """Yield the lines of `script` without comments, blank lines and indentation."""
    for line in script.splitlines():
        text = " ".join(line.partition("#")[0].split())
        if text:
            yield text


def parse(line: str) -> tuple[str, Step, dict[str, str]]:
    """Return the code that `line` must be refused with ('' if it must not be), its step and the step's words."""
    what, _, code = line.partition(" refused: ")
    for pattern, method in STEPS:
        if match := pattern.fullmatch(what):
            return code, method, match.groupdict()
    raise ValueError(f"Not in the language of tests/ledger/books.py: {line}")


@contextmanager
def expecting(line: str, code: str) -> Iterator[None]:
    """Fail, naming `line`, unless the block is refused with `code`, or not at all if that is ''."""
    found = ""
    try:
        yield
    except BankError as refusal:
        found = refusal.code
    except AssertionError as error:
        raise AssertionError(f"{line!r}, but {error}") from None
    assert found == code, f"{line!r}, but it was {found or 'not refused'}"


def compare(balance: Balance, expected: dict[str, str | None]) -> None:
    """Fail unless `balance` has all the figures that are given in `expected`."""
    wanted = {name: int(figure) for name, figure in expected.items() if figure is not None}
    found = {name: getattr(balance, name) for name in wanted}
    assert found == wanted, f"it is {found}"


def read_trial_balance(table: str) -> dict[str, tuple[int, int]]:
    """Read a table of account, debit and credit, where a dash stands for nothing."""
    _, *rows = (line.split() for line in read_lines(table))
    return {name: (int(debit.replace("-", "0")), int(credit.replace("-", "0"))) for name, debit, credit in rows}
