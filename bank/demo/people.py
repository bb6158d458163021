"""Who the demo bank knows: its staff, a partner system, and its clients."""

from datetime import date
from typing import NamedTuple

from accounts.states import CustomerAccountKind

PASSWORD = "demo-Bank-2026"  # noqa: S105 - printed at the start; the demo bank holds no real data

ADMIN = "admin"
KYC_APPROVER = "kyc_approver"
STAFF = ("teller", "kyc_analyst", KYC_APPROVER, "ops_maker", "ops_checker", "auditor", "administrator")
PARTNERS = ("partner",)


class DemoAccount(NamedTuple):
    """An account to be opened; `balance` in minor units is paid in at once."""

    kind: CustomerAccountKind
    currency: str
    balance: int


class DemoClient(NamedTuple):
    """A customer, who signs in as `username`. Whoever has accounts is verified, whoever has none waits for it."""

    username: str
    name: str
    cpf: str
    birth_date: date
    accounts: tuple[DemoAccount, ...] = ()


ALICE = DemoClient(
    username="alice",
    name="Alice Almeida",
    cpf="529.982.247-25",
    birth_date=date(1988, 4, 12),
    accounts=(
        DemoAccount(CustomerAccountKind.CHECKING, "BRL", 10_000_00),
        DemoAccount(CustomerAccountKind.SAVINGS, "BRL", 0),
        DemoAccount(CustomerAccountKind.CHECKING, "USD", 400_00),
    ),
)
BRUNO = DemoClient(username="bruno", name="Bruno Barbosa", cpf="111.444.777-35", birth_date=date(1995, 9, 30))
CARLA = DemoClient(
    username="carla",
    name="Carla Cardoso",
    cpf="935.411.347-80",
    birth_date=date(1979, 1, 23),
    accounts=(DemoAccount(CustomerAccountKind.CHECKING, "BRL", 500_00),),
)
MALLORY = DemoClient(
    username="mallory",
    name="Mallory Moreira",
    cpf="123.456.789-09",
    birth_date=date(1991, 7, 7),
    accounts=(DemoAccount(CustomerAccountKind.CHECKING, "BRL", 150_00),),
)
CUSTOMERS = (ALICE, CARLA, MALLORY)
"""Those who had accounts all along."""
