"""A day with accounts: a teller blocks one, an operations maker closes others once they are empty."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Account, AccountBlock
from kyc.models import Client
from ledger.models import LedgerAccount
from tests.admin.addresses import address
from tests.admin.conftest import make_member
from tests.browser.desk import Desk
from tests.factories import make_account, make_client
from transfers.orders import TransferOrder
from transfers.services import submit_transfer
from transfers.states import TransferKind

pytestmark = pytest.mark.django_db(transaction=True)

SitDown = Callable[..., Desk]


def test_a_teller_blocks_an_account_and_cannot_close_it(sit_down: SitDown) -> None:
    account = make_account(client=make_client(name="Mallory Moreira"), balance=150_00)
    desk = sit_down(make_member("teller"))

    desk.open_page(account)
    desk.act("Block", reason="Reported as stolen", Stop="Money out")

    desk.expect_text("is blocked")
    desk.expect_text("Reported as stolen")
    desk.take_picture("block")
    assert desk.find_button("Inactivate").count() == 0
    assert desk.read_status(address(Account, "act", account.pk, "inactivate")) == 403
    block, books = AccountBlock.objects.get(), LedgerAccount.objects.get(pk=account.pk)
    assert (str(block.placed_by), block.scope) == ("teller", "debits")
    assert (books.refuses_debits, books.refuses_credits) == (True, False)


def test_an_account_with_money_is_closed_once_it_is_empty(sit_down: SitDown) -> None:
    account = make_account(balance=100_00)
    desk = sit_down(make_member("ops_maker"))

    desk.open_page(account)
    desk.find_button("Inactivate").click()
    desk.expect_text("Cannot be closed")
    desk.expect_text("Its client transfers, withdraws or pays out all of it")
    desk.take_picture("inactivation")
    desk.confirm("Inactivate", reason="Asked to leave")
    desk.expect_text("Nothing was done")
    assert _read_status(account) == "active"
    take_out(account, 100_00)
    desk.open_page(account)
    desk.act("Inactivate", reason="Asked to leave")

    desk.expect_text("is inactive")
    desk.expect_text("Proof of inactivation")
    assert _read_status(account) == "inactive"
    assert LedgerAccount.objects.get(pk=account.pk).closed_at is not None


def test_a_client_leaves_with_all_accounts_or_none(sit_down: SitDown) -> None:
    empty = make_account()
    full = make_account(client=empty.client, balance=20_00)
    client = empty.client
    desk = sit_down(make_member("ops_maker"))

    desk.open_page(client)
    desk.act("Inactivate", reason="Asked to leave")
    desk.expect_text("Nothing was done")
    assert (_read_status(empty), _read_status(full)) == ("active", "active")
    take_out(full, 20_00)
    desk.open_page(client)
    desk.act("Inactivate", reason="Asked to leave")

    desk.expect_text("is inactive, with all its accounts")
    desk.take_picture("client-left")
    assert (_read_status(empty), _read_status(full)) == ("inactive", "inactive")
    assert Client.objects.get(pk=client.pk).status == "inactive"


def take_out(account: Account, amount: int) -> None:
    """Let the client withdraw cash."""
    order = TransferOrder(
        kind=TransferKind.WITHDRAWAL,
        debtor_account_id=account.pk,
        creditor_account_id=None,
        amount=amount,
        currency=account.currency,
        principal_id=account.client.user_id,
        idempotency_key=str(uuid4()),
        client_id=account.client_id,
    )
    submit_transfer(order=order, now=timezone.now())


def _read_status(account: Account) -> str:
    return Account.objects.get(pk=account.pk).status
