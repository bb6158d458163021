"""One movement of money from the request to the last who is told, over HTTP and the real broker."""

from collections import Counter
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Account
from tests.factories import make_account, make_staff
from tests.flows.bank import Customer, Outside, wait_for
from tests.payments.cashier import IBAN
from tests.proof import find_faults
from tests.rails.clerk import list_bookings
from transfers.antifraud.services import list_party
from transfers.antifraud.states import ListingEffect

pytestmark = pytest.mark.django_db(transaction=True)


def test_money_that_is_sent_rejected_and_returned_as_everybody_outside_sees_it(outside: Outside) -> None:
    alice, carla, mallory = make_account(balance=100_00), make_account(), make_account()
    list_party(
        party_id=mallory.pk, effect=ListingEffect.BLOCKED, reason="Fraud", actor=make_staff(), now=timezone.now()
    )
    customer = Customer(outside.url, alice.client.user.username)

    see_a_transfer(outside, customer, alice, carla)
    see_a_rejection(outside, customer, alice, mallory)
    see_a_return(outside, customer, alice)

    customer.leave()
    assert find_faults() == []


def see_a_transfer(outside: Outside, alice: Customer, source: Account, target: Account) -> None:
    """Send 30: who gets it, Kafka, the mail server and the regulator hear of it."""
    carla = Customer(outside.url, target.client.user.username)
    status, sent = alice.send(
        "transfers",
        {"debtor_account": str(source.pk), "creditor_account": str(target.pk), "amount": "30.00", "currency": "BRL"},
    )
    assert (status, sent["status"]) == (201, "completed")

    assert alice.see_balance(source.pk) == ("70.00", "70.00")
    wait_for(lambda: carla.see_balance(target.pk) == ("30.00", "30.00"))
    kind, amount = wait_for(lambda: outside.find_report(sent["id"]))
    assert (kind, Decimal(amount)) == ("internal", Decimal("30.00"))
    wait_for(lambda: "transfer_sent" in alice.list_news() and "transfer_received" in carla.list_news())
    wait_for(lambda: any(subject.startswith("Sent") for subject in outside.list_subjects(source.client.email)))
    wait_for(lambda: any(subject.startswith("Received") for subject in outside.list_subjects(target.client.email)))
    carla.leave()

    for topic in ("transaction.initiated", "transaction.validated", "transaction.completed"):
        outside.wait_told(topic, source.pk, transfer=sent["id"])
    outside.wait_told("ledger.entry_written", source.pk, entry=sent["id"])
    outside.wait_told("account.balance.updated", source.pk, booked=70_00, version=sent["balance_version"])
    outside.wait_told("account.balance.updated", target.pk, booked=30_00)
    outside.wait_told("notification.send", target.client.pk, template="transfer_received")


def see_a_rejection(outside: Outside, alice: Customer, source: Account, target: Account) -> None:
    """Send 20 to somebody who is listed: nothing moves, and nobody reports it."""
    status, refused = alice.send(
        "transfers",
        {"debtor_account": str(source.pk), "creditor_account": str(target.pk), "amount": "20.00", "currency": "BRL"},
    )
    assert (status, refused["code"]) == (422, "rejected_by_antifraud")

    [failed] = alice.see("transfers?status=failed")["results"]
    wait_for(lambda: "transfer_failed" in alice.list_news())
    wait_for(lambda: any(subject.startswith("Not sent") for subject in outside.list_subjects(source.client.email)))
    outside.wait_told("transaction.initiated", source.pk, transfer=failed["id"])
    outside.wait_told("transaction.failed", source.pk, transfer=failed["id"], failure_code="rejected_by_antifraud")
    outside.wait_told("fraud.alert", source.pk, transfer=failed["id"], decision="reject")
    assert alice.see_balance(source.pk) == ("70.00", "70.00")
    assert outside.find_report(failed["id"]) is None


def see_a_return(outside: Outside, alice: Customer, source: Account) -> None:
    """Pay 40 to another bank, which settles it and sends it back."""
    outside.rail.set_faults(return_rate=1)
    status, payment = alice.send(
        "payments",
        {
            "debtor_account": str(source.pk),
            "creditor": {"name": "Bruno Barbosa", "iban": IBAN},
            "amount": "40.00",
            "currency": "BRL",
        },
    )
    assert (status, payment["status"]) == (202, "held")

    wait_for(lambda: alice.see(f"payments/{payment['id']}")["status"] == "returned")
    wait_for(lambda: alice.see_balance(source.pk) == ("70.00", "70.00"))
    wait_for(lambda: Counter(alice.list_news())["payment_returned"] == 1)
    wait_for(lambda: any("returned" in subject for subject in outside.list_subjects(source.client.email)))
    outside.wait_told("payment.processed", source.pk, payment=payment["id"], outcome="settled")
    outside.wait_told("payment.processed", source.pk, payment=payment["id"], outcome="returned")
    assert Counter(row[1] for row in list_bookings(outside.rail)) == {False: 1, True: 1}
