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
    is_blocked: bool = False
    is_closed: bool = False

    def change(self, *, balance: int = 0, held: int = 0) -> None:
        """Take a step: one version."""
        self.balance, self.held, self.version = self.balance + balance, self.held + held, self.version + 1

    def has(self, amount: int) -> bool:
        """Tell whether so much can be taken."""
        return self.floor is None or self.balance - self.held - self.floor >= amount


@dataclass
class ModelBank:
    """Accounts by name, the first answer that each key got, open holds, and which entries were reversed.

    Each act returns DONE or the code that it is refused with.
    """

    accounts: dict[str, ModelAccount] = field(default_factory=lambda: {"cash": ModelAccount(floor=None)})
    answers: dict[str, tuple[Movement, str]] = field(default_factory=dict)
    holds: dict[str, tuple[str, int]] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)

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
        if any(account.is_blocked for account in parties):
            return "account_blocked"
        if any(account.is_closed for account in parties):
            return "account_inactive"
        return DONE if debited == credited or parties[0].has(amount - freed) else SHORT

    def reverse(self, key: str) -> str:
        """Move the money of a completed order back, once."""
        (debited, credited, amount), _ = self.answers[key]
        refusal = self.refuse(credited, debited, amount)
        if refusal == DONE and key in self.reversed:
            return "already_reversed"
        self.reversed |= {key} if refusal == DONE else set()
        return self.move(credited, debited, amount)

    def place_hold(self, hold: str, name: str, amount: int) -> str:
        """Reserve funds."""
        refusal = self.refuse(name, "cash", amount)
        if refusal == DONE:
            self.holds[hold] = name, amount
            self.accounts[name].change(held=amount)
        return refusal

    def end_hold(self, hold: str, *, captured: int = 0, credited: str = "cash") -> str:
        """Give held funds back, of which `captured` move to another account."""
        name, amount = self.holds.get(hold, ("", 0))
        if not name:
            return "hold_not_open"
        if captured > amount:
            return "hold_exceeded"
        refusal = self.refuse(name, credited, captured, freed=amount) if captured else DONE
        if refusal == DONE:
            self.accounts[name].change(held=-amount)
            del self.holds[hold]
            if captured:
                self.move(name, credited, captured)
        return refusal

    def close(self, name: str) -> str:
        """Close an account that has no money and no hold."""
        account = self.accounts[name]
        if account.held:
            return "transaction_in_progress"
        if account.balance and not account.is_closed:
            return "account_has_balance"
        return self._change(name, is_closed=True, is_blocked=False)

    def set_blocked(self, name: str, *, is_blocked: bool) -> str:
        """Block an account, or free it."""
        if self.accounts[name].is_blocked == is_blocked and not self.accounts[name].is_closed:
            return "account_blocked" if is_blocked else "account_not_blocked"
        return self._change(name, is_blocked=is_blocked)

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
