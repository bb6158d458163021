"""`verify_ledger` finds an account whose books refuse other than its blocks say."""

import pytest
from django.db import connection

from tests.factories import make_account, make_blocked_account
from tests.payments.cashier import prove

pytestmark = pytest.mark.django_db(transaction=True)

RULE = "an account refuses what its blocks say"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE ledger_ledgeraccount SET refuses_credits = false WHERE id = %(blocked)s",
        "UPDATE ledger_ledgeraccount SET refuses_debits = true WHERE id = %(free)s",
        "UPDATE accounts_account SET status = 'active' WHERE id = %(blocked)s",
        "UPDATE accounts_account SET status = 'blocked', blocked_at = now() WHERE id = %(free)s",
    ],
)
def test_an_account_that_disagrees_with_its_blocks_is_named(damage: str) -> None:
    blocked, free = make_blocked_account(), make_account()
    assert prove() == []

    with connection.cursor() as cursor:
        cursor.execute(damage, {"blocked": blocked.pk, "free": free.pk})

    [broken] = prove()
    assert broken.rule == RULE
