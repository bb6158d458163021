"""What the migrations make of rows that are older than they are."""

from importlib import import_module

from django.db import connection

from core.ids import uuid7
from ledger.chart import CUSTOMERS
from ledger.models import AvailabilityChange, LedgerAccount
from tests.ledger.books import Books
from tests.proof import find_faults


def test_an_account_that_was_opened_with_an_overdraft_gets_the_history_of_it(books: Books) -> None:
    books.play("carla may owe 20")
    old = LedgerAccount.objects.create(
        id=uuid7(), chart_code=CUSTOMERS.code, name="old", kind=CUSTOMERS.kind, currency="BRL", floor=-50
    )
    assert find_faults() != []

    with connection.cursor() as cursor:
        cursor.execute(import_module("ledger.migrations.0004_opening_floors").INSERT)

    change = AvailabilityChange.objects.get(account=old)
    assert (change.version, change.floor_delta) == (0, -50)
    assert find_faults() == []
