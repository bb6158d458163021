"""What the rail reports: it takes effect once, in whatever order, and what contradicts the books moves nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account
from accounts.services import block_account, inactivate_account
from ledger.chart import SUSPENSE
from simulators.rail import messages
from tests.factories import make_staff, pay_out, unblock_account
from tests.payments.cashier import complete, give_back, read_books, read_own, submit
from tests.rails.clerk import find_uetr, order, read_status, take_in
from transfers.payments.models import Payment
from transfers.rails.errors import MessageTakenInError
from transfers.rails.messages import keep_received
from transfers.rails.models import Intake, RailMessage
from transfers.rails.services import take_in_again

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Report = Callable[[messages.Payment], str]


def accepted(payment: messages.Payment) -> str:
    """Say that the rail has it."""
    return messages.write_status(payment, "ACSP", at=NOW)


def settled(payment: messages.Payment) -> str:
    """Say that the other bank has the money."""
    return messages.write_status(payment, "ACSC", at=NOW)


def rejected(payment: messages.Payment) -> str:
    """Say that it is not carried out."""
    return messages.write_status(payment, "RJCT", reason="AC04", at=NOW)


def returned(payment: messages.Payment) -> str:
    """Say that the money came back."""
    return messages.write_return(payment, reason="AC01", at=NOW)


def tell(payment: Payment, *reports: Report, amount: str = "40.00", currency: str = "BRL") -> list[str]:
    """Let the rail report of the payment, all at once and in this order; return what became of each message."""
    named = messages.Payment(str(find_uetr(payment)), payment.id.hex, amount, currency)
    keep(*(report(named) for report in reports))
    take_in()
    return list_outcomes()


def keep(*bodies: str, seconds_later: int = 0) -> None:
    """Keep what came."""
    with transaction.atomic():
        keep_received(bodies=[body.encode() for body in bodies], now=NOW + timedelta(seconds=seconds_later))


def list_outcomes() -> list[str]:
    """Return what became of each message, in their order."""
    return list(Intake.objects.order_by("message_id").values_list("status", flat=True))


@pytest.mark.parametrize(
    ("reports", "outcomes", "status", "balance"),
    [
        ([accepted], ["taken"], "submitted", (100_00, 60_00)),
        ([settled], ["taken"], "completed", (60_00, 60_00)),
        ([rejected], ["taken"], "returned", (100_00, 100_00)),
        ([returned], ["taken"], "returned", (100_00, 100_00)),
        ([settled, accepted], ["taken", "known"], "completed", (60_00, 60_00)),
        ([settled, settled], ["taken", "known"], "completed", (60_00, 60_00)),
        ([settled, returned], ["taken", "taken"], "returned", (100_00, 100_00)),
        ([returned, settled], ["taken", "known"], "returned", (100_00, 100_00)),
        ([returned, returned], ["taken", "known"], "returned", (100_00, 100_00)),
        ([rejected, accepted], ["taken", "known"], "returned", (100_00, 100_00)),
        ([rejected, settled], ["taken", "odd"], "returned", (100_00, 100_00)),
        ([rejected, returned], ["taken", "odd"], "returned", (100_00, 100_00)),
        ([settled, rejected], ["taken", "odd"], "completed", (60_00, 60_00)),
        ([returned, rejected], ["taken", "odd"], "returned", (100_00, 100_00)),
    ],
)
def test_reports_move_a_payment_along(
    reports: list[Report], outcomes: list[str], status: str, balance: tuple[int, int], account: Account
) -> None:
    payment = order(account)

    assert tell(payment, *reports) == outcomes
    assert read_status(payment) == status
    assert read_books(account) == balance


def test_a_return_that_overtakes_its_status_is_booked_as_both(account: Account) -> None:
    payment = order(account)

    tell(payment, returned)

    payment.refresh_from_db()
    assert payment.settlement_id is not None
    assert payment.return_entry_id is not None
    assert payment.failure_code == "account_unknown"


@pytest.mark.parametrize(("amount", "currency"), [("39.99", "BRL"), ("40.00", "USD")])
def test_another_amount_than_was_sent_needs_attention(account: Account, amount: str, currency: str) -> None:
    payment = order(account)
    submit(payment.pk)
    complete(payment.pk)

    assert tell(payment, returned, amount=amount, currency=currency) == ["odd"]
    assert read_status(payment) == "completed"


def test_the_same_message_is_kept_once_and_another_under_its_id_as_well(account: Account) -> None:
    payment = order(account)
    named = messages.Payment(str(find_uetr(payment)), payment.id.hex, "40.00", "BRL")
    body = settled(named)

    keep(body, body)
    keep(body, seconds_later=1)
    keep(body.replace("ACSC", "RJCT"), seconds_later=2)
    take_in()

    assert list_outcomes() == ["taken", "odd"]
    assert read_status(payment) == "completed"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<b>no message</b>",
        "\x00",
        "<!DOCTYPE d [<!ENTITY a 'b'>]><Document/>",
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10'/>",
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'/>",
        "<a>" * 100_000,
    ],
)
def test_what_cannot_be_read_holds_up_nothing_else(account: Account, body: str) -> None:
    payment = order(account)
    keep(body)

    tell(payment, settled)

    assert sorted(list_outcomes()) == ["odd", "taken"]
    assert read_status(payment) == "completed"


def test_a_message_of_an_unknown_payment_needs_attention() -> None:
    keep(settled(messages.Payment(str(uuid4()), uuid4().hex, "40.00", "BRL")))
    take_in()

    assert list_outcomes() == ["odd"]


@pytest.mark.parametrize("report", [settled, returned])
def test_what_a_blocked_account_refuses_waits_until_it_is_freed(account: Account, report: Report) -> None:
    payment, staff = order(account), make_staff()
    block_account(account_id=account.pk, reason="Fraud", actor=staff, now=NOW)

    assert tell(payment, report) == ["waiting"]
    assert Intake.objects.get().why == "account_blocked"

    unblock_account(account_id=account.pk, reason="No fraud", actor=staff, now=NOW)
    take_in()
    assert list_outcomes() == ["taken"]
    assert read_books(account)[0] == (60_00 if report is settled else 100_00)


def test_a_blocked_account_holds_up_no_other(account: Account) -> None:
    held_up = order(account)
    block_account(account_id=account.pk, reason="Fraud", actor=None, now=NOW)
    tell(held_up, settled)

    [waiting] = Intake.objects.all()

    assert (waiting.status, waiting.due_at > NOW) == ("waiting", True)


def test_what_returns_for_a_closed_account_goes_into_suspense(account: Account) -> None:
    payment = order(account)
    tell(payment, settled)
    pay_out(account_id=account.pk, amount=60_00)
    inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=NOW)

    tell(payment, returned)

    assert read_status(payment) == "returned"
    assert read_own(SUSPENSE) == -40_00


def test_staff_have_a_message_taken_in_again_once_it_fits(account: Account) -> None:
    payment, staff = order(account), make_staff()
    assert tell(payment, returned, amount="39.99") == ["odd"]
    message = RailMessage.objects.get()

    take_in_again(message_id=message.pk, reason="The rail says that it was right", actor=staff, now=NOW)
    assert list_outcomes() == ["waiting"]
    take_in()

    assert list_outcomes() == ["odd"], "it is judged anew, not believed"
    Intake.objects.update(status="waiting", ended_at=None)
    with pytest.raises(MessageTakenInError):
        take_in_again(message_id=message.pk, reason="Again", actor=staff, now=NOW)


def test_a_payment_that_came_back_before_it_was_sent_is_not_sent(account: Account) -> None:
    payment = order(account)

    give_back(payment.pk)

    assert payment.submission.__class__.objects.get(pk=payment.pk).status == "over"


def test_messages_are_encrypted_and_never_change(account: Account) -> None:
    payment = order(account)
    tell(payment, settled)

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        RailMessage.objects.update(message_id="x")
    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        Intake.objects.update(why="Another reason")
