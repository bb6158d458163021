"""Who the demo bank knows: its staff, a partner system, and its clients."""

from datetime import date
from typing import NamedTuple

from accounts.states import CustomerAccountKind
from kyc.states import DocumentType

PASSWORD = "demo-Bank-2026"  # noqa: S105 - printed at the start; the demo bank holds no real data

ADMIN = "admin"
KYC_ANALYST = "kyc_analyst"
STAFF = ("teller", KYC_ANALYST, "kyc_approver", "ops_maker", "ops_checker", "auditor", "administrator")
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
    document_number: str
    birth_date: date
    accounts: tuple[DemoAccount, ...] = ()
    document_type: DocumentType = DocumentType.CPF


ALICE = DemoClient(
    username="alice",
    name="Alice Almeida",
    document_number="529.982.247-25",
    birth_date=date(1988, 4, 12),
    accounts=(
        DemoAccount(CustomerAccountKind.CHECKING, "BRL", 10_000_00),
        DemoAccount(CustomerAccountKind.SAVINGS, "BRL", 0),
        DemoAccount(CustomerAccountKind.CHECKING, "USD", 400_00),
    ),
)
BRUNO = DemoClient(
    username="bruno", name="Bruno Barbosa", document_number="111.444.777-35", birth_date=date(1995, 9, 30)
)
BOB = DemoClient(
    username="bob",
    name="Bob Brandão",
    document_number="FX900123",
    birth_date=date(1984, 3, 14),
    document_type=DocumentType.PASSPORT,
)
CARLA = DemoClient(
    username="carla",
    name="Carla Cardoso",
    document_number="935.411.347-80",
    birth_date=date(1979, 1, 23),
    accounts=(DemoAccount(CustomerAccountKind.CHECKING, "BRL", 500_00),),
)
MALLORY = DemoClient(
    username="mallory",
    name="Mallory Moreira",
    document_number="123.456.789-09",
    birth_date=date(1991, 7, 7),
    accounts=(DemoAccount(CustomerAccountKind.CHECKING, "BRL", 150_00),),
)
CUSTOMERS = (ALICE, CARLA, MALLORY)
"""Those who had accounts all along."""
