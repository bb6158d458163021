"""A day in operations: transfers in review, a reversal and a manual entry, each with the second person."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.urls import reverse

from accounts.models import Account
from approvals.models import Approval
from ledger.models import JournalEntry, LedgerAccount
from ledger.states import MANUAL
from tests.admin.conftest import WHAT_NOBODY_SENDS, make_member, order_transfer
from tests.browser.desk import Desk
from tests.factories import make_account, make_client
from transfers.antifraud.models import Review
from transfers.models import Transfer
from transfers.reversals.models import Reversal

pytestmark = pytest.mark.django_db(transaction=True)

SitDown = Callable[..., Desk]


class Parties(NamedTuple):
    """Carla, who sends, and Alice, who receives."""

    carla: Account
    alice: Account

    def read_balances(self) -> tuple[int, int]:
        """Return what they have."""
        carla, alice = (LedgerAccount.objects.get(pk=account.pk) for account in self)
        return carla.balance, alice.balance


@pytest.fixture
def parties(transactional_db: None) -> Parties:
    """Return them."""
    return Parties(make_account(client=make_client(name="Carla Costa"), balance=3 * WHAT_NOBODY_SENDS), make_account())


def test_of_two_transfers_in_review_one_is_accepted_and_one_rejected(sit_down: SitDown, parties: Parties) -> None:
    kept, refused = (
        order_transfer(debtor=parties.carla, creditor=parties.alice, amount=WHAT_NOBODY_SENDS) for _ in range(2)
    )
    desk = sit_down(make_member("ops_checker"))

    desk.page.get_by_role("link", name="Orders in review").click()
    desk.take_picture("reviews")
    desk.open_page(Review.objects.get(pk=kept))
    desk.act("Accept", reason="Carla was called: it is a boat")
    desk.expect_text("The transfer is completed")
    desk.open_page(Review.objects.get(pk=refused))
    desk.act("Reject", reason="Carla knows nothing of it")

    desk.expect_text("The transfer is rejected")
    states = {transfer.pk: transfer.status for transfer in Transfer.objects.all()}
    assert (states[kept], states[refused]) == ("completed", "failed")
    assert parties.read_balances() == (2 * WHAT_NOBODY_SENDS, WHAT_NOBODY_SENDS)
    assert LedgerAccount.objects.get(pk=parties.carla.pk).pending == 0


def test_a_transfer_is_reversed_by_two(sit_down: SitDown, parties: Parties) -> None:
    sent = order_transfer(debtor=parties.carla, creditor=parties.alice, amount=25_00)
    transfer = Transfer.objects.get(pk=sent)
    maker = sit_down(make_member("ops_maker"))

    maker.open_page(transfer)
    maker.act("Reverse the transfer", reason="Sent twice")
    maker.expect_text("waits for somebody else")
    maker.open_page(Approval.objects.get())
    assert maker.find_button("Approve").count() == 0
    checker = sit_down(make_member("ops_checker"))
    checker.page.get_by_role("link", name="Approvals waiting for you").click()
    checker.open_page(Approval.objects.get())
    checker.find_button("Approve").click()
    checker.expect_text("Debits and credits")
    checker.take_picture("approval")
    checker.confirm("Approve", reason="Both have been called")

    checker.expect_text("approved and done")
    reversal = Reversal.objects.get()
    assert reversal.transfer_id == sent
    assert JournalEntry.objects.get(reversal_of_id=sent).pk == reversal.entry_id
    assert parties.read_balances() == (3 * WHAT_NOBODY_SENDS, 0)
    checker.open_page(transfer)
    checker.expect_text("The transfer was undone")


def test_an_entry_is_booked_by_hand_by_two(sit_down: SitDown, parties: Parties) -> None:
    maker = sit_down(make_member("ops_maker"))

    maker.open(reverse("admin:ledger_journalentry_manual"))
    for number, account, side, amount in ((0, "5000 BRL", "Debit", "12.00"), (1, "1000 BRL", "Credit", "12.00")):
        maker.page.get_by_label("Account", exact=True).nth(number).fill(account)
        maker.page.get_by_label(side, exact=True).nth(number).fill(amount)
    maker.page.get_by_label("Reason").fill("Stamps, paid in cash")
    maker.take_picture("manual-entry")
    maker.page.get_by_role("button", name="Request approval").click()
    maker.expect_text("waits for somebody else")
    assert not JournalEntry.objects.filter(code=MANUAL).exists()
    checker = sit_down(make_member("ops_checker"))
    checker.open_page(Approval.objects.get())
    checker.act("Approve", reason="The receipt is here")

    checker.expect_text("approved and done")
    approval = Approval.objects.get()
    entry = JournalEntry.objects.get(reference=approval.pk)
    assert [posting.amount for posting in entry.postings.all()] == [12_00, 12_00]
    assert (str(approval.requested_by), str(approval.decided_by)) == ("ops_maker", "ops_checker")
