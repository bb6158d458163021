"""The chart of accounts: the bank's own accounts, one of each a currency, and the class of the customers' accounts.

Customers' money is the bank's liability: a deposit debits CASH (an asset grows) and credits the customer's account (a
debt of the bank grows).
"""

from typing import NamedTuple

from ledger.states import AccountKind


class ChartLine(NamedTuple):
    """A class of accounts: its code, its name in the books and its kind."""

    code: str
    name: str
    kind: AccountKind


CASH = ChartLine("1000", "Cash", AccountKind.ASSET)
SETTLEMENT = ChartLine("1100", "Settlement with other banks", AccountKind.ASSET)
SUSPENSE = ChartLine("1900", "Suspense", AccountKind.ASSET)
CUSTOMERS = ChartLine("2000", "Customers' deposits", AccountKind.LIABILITY)
EQUITY = ChartLine("3000", "Share capital", AccountKind.EQUITY)
FEES = ChartLine("4000", "Fee income", AccountKind.INCOME)
COSTS = ChartLine("5000", "Operating costs", AccountKind.EXPENSE)

CHART = (CASH, SETTLEMENT, SUSPENSE, CUSTOMERS, EQUITY, FEES, COSTS)
INTERNAL = tuple(line for line in CHART if line is not CUSTOMERS)
"""The bank's own accounts: one of each exists in each currency that the bank keeps."""
