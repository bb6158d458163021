"""A bank in plain Python: what the real one must do, in as few words as possible. Amounts are minor units."""

from dataclasses import dataclass, field

Movement = tuple[str, str, int]
"""Debited account, credited account, amount."""
DONE, SHORT = "completed", "insufficient_funds"


@dataclass
class ModelAccount:
    """An account, by what the bank owes on it; the bank's cash is owed to the bank, and has no floor."""

    floor: int | None = 0
    balance: int = 0
    held: int = 0
    version: int = 0
    blocks: set[str] = field(default_factory=set)
    is_closed: bool = False

    def change(self, *, balance: int = 0, held: int = 0) -> None:
        """Take a step: one version."""
        self.balance, self.held, self.version = self.balance + balance, self.held + held, self.version + 1

    def has(self, amount: int) -> bool:
        """Tell whether so much can be taken."""
        return self.floor is None or self.balance - self.held - self.floor >= amount


@dataclass
class ModelHold:
    """An open hold: on which account, how much, and in which minute its time is over."""

    name: str
    amount: int
    end: int | None

    def is_over(self, minute: int) -> bool:
        """Tell whether it can no longer be captured."""
        return self.end is not None and self.end <= minute


@dataclass
class ModelBank:
    """Accounts by name, the first answer that each key got, open holds, which entries were reversed, and the clock.

    Each act returns DONE or the code that it is refused with.
    """

    accounts: dict[str, ModelAccount] = field(default_factory=lambda: {"cash": ModelAccount(floor=None)})
    answers: dict[str, tuple[Movement, str]] = field(default_factory=dict)
    holds: dict[str, ModelHold] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    minute: int = 0

    def submit(self, key: str, movement: Movement) -> str:
        """Carry out an order, or answer as when its key was first used."""
        if key in self.answers:
            first, answer = self.answers[key]
            return answer if first == movement else "idempotency_key_reused"
        answer = "same_account" if movement[0] == movement[1] else self.move(*movement)
        if answer in (DONE, SHORT):
            self.answers[key] = movement, answer
        return answer

    def move(self, debited: str, credited: str, amount: int) -> str:
        """Move money."""
        refusal = self.refuse(debited, credited, amount)
        if refusal == DONE:
            self.accounts[debited].change(balance=-amount)
            self.accounts[credited].change(balance=amount)
        return refusal

    def refuse(self, debited: str, credited: str, amount: int, *, freed: int = 0) -> str:
        """Say why money cannot be moved, of which a hold that ends frees a part."""
        parties = self.accounts[debited], self.accounts[credited]
        if parties[0].blocks & {"debits", "both"} or parties[1].blocks & {"credits", "both"}:
            return "account_blocked"
        if any(account.is_closed for account in parties):
            return "account_inactive"
        return DONE if debited == credited or parties[0].has(amount - freed) else SHORT

    def reverse(self, key: str) -> str:
        """Move the money of a completed order back, once."""
        if key in self.reversed:
            return "already_reversed"
        (debited, credited, amount), _ = self.answers[key]
        refusal = self.move(credited, debited, amount)
        self.reversed |= {key} if refusal == DONE else set()
        return refusal

    def place_hold(self, hold: str, name: str, amount: int, minutes: int | None) -> str:
        """Reserve funds, for good or for some minutes."""
        refusal = self.refuse(name, "cash", amount)
        if refusal == DONE:
            self.holds[hold] = ModelHold(name, amount, None if minutes is None else self.minute + minutes)
            self.accounts[name].change(held=amount)
        return refusal

    def capture(self, hold: str, amount: int | None, credited: str) -> str:
        """Move held funds, or a part of them, to another account and give back the rest."""
        held = self.holds.get(hold)
        if held is None:
            return "hold_not_open"
        amount = held.amount if amount is None else amount
        if held.is_over(self.minute):
            return "hold_expired"
        if amount > held.amount:
            return "hold_exceeded"
        refusal = self.refuse(held.name, credited, amount, freed=held.amount)
        if refusal == DONE:
            self.release(hold)
            self.move(held.name, credited, amount)
        return refusal

    def release(self, hold: str) -> str:
        """Give held funds back."""
        held = self.holds.pop(hold, None)
        if held is None:
            return "hold_not_open"
        self.accounts[held.name].change(held=-held.amount)
        return DONE

    def expire(self) -> int:
        """Give back the funds of all holds whose time is over; return how many."""
        due = [hold for hold, held in self.holds.items() if held.is_over(self.minute)]
        for hold in due:
            self.release(hold)
        return len(due)

    def close(self, name: str) -> str:
        """Close an account that has no money and no hold."""
        account = self.accounts[name]
        if account.held:
            return "transaction_in_progress"
        if account.balance and not account.is_closed:
            return "account_has_balance"
        return self._change(name, is_closed=True, blocks=set())

    def block(self, name: str, scope: str) -> str:
        """Block money that leaves, that enters, or both; each block stands at most once."""
        account = self.accounts[name]
        if scope in account.blocks:
            return "block_stands"
        return self._change(name, blocks=account.blocks | {scope})

    def lift(self, name: str, scope: str) -> str:
        """Lift one block."""
        return self._change(name, blocks=self.accounts[name].blocks - {scope})

    def allow_overdraft(self, name: str, limit: int) -> str:
        """Lower the floor, or raise it as far as what is owed allows."""
        account = self.accounts[name]
        if account.balance - account.held < -limit and not account.is_closed:
            return "overdraft_in_use"
        outcome = self._change(name, floor=-limit)
        account.version += outcome == DONE
        return outcome

    def _change(self, name: str, **values: object) -> str:
        account = self.accounts[name]
        if account.is_closed:
            return "account_inactive"
        vars(account).update(values)
        return DONE
