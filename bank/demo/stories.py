"""What takes several steps in the demo bank: payments to other banks, holds, and how an account came to be blocked.

Each step repeats the order under its key, which leads to what the first one made.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import Account
from accounts.services import block_account
from bank.demo.steps import ALICE, BLOCKED_FROM, CARLA, MALLORY, Accounts, Step
from core.models import User
from transfers import holds
from transfers.antifraud.services import list_party
from transfers.antifraud.states import ListingEffect
from transfers.holds import CaptureOrder, HoldOrder
from transfers.orders import TransferOrder
from transfers.payments.creditors import Creditor
from transfers.payments.orders import PaymentOrder
from transfers.payments.services import complete_payment, mark_submitted, order_payment, return_payment
from transfers.services import submit_transfer
from transfers.states import TransferKind

_LISTED_BY = "ops_maker"
_INVENTED = "Invented for the demo"
_INVOICE = Creditor("Bruno Barbosa", bank="341", branch="0001", account="12345-6")


def list_stories(*, accounts: Accounts, begin: datetime) -> Iterator[Step]:
    """Yield two payments, of which one comes back, two holds, of which one is captured, and the end of Mallory's trade.

    Mallory is put on the list of the blocked, what Alice sends then is rejected, and the account is blocked.
    """
    paid = make_payment_order(accounts[ALICE], amount=320_00, key="demo-payment-1", text="Invoice 2026-101")
    yield from _pay(paid, begin + timedelta(days=9, hours=8))
    returned = make_payment_order(accounts[ALICE], amount=89_90, key="demo-payment-2", text="Invoice 2026-109")
    yield from _pay(returned, begin + timedelta(days=16, hours=8))
    yield _send_back(returned, begin + timedelta(days=18, hours=4))
    yield from _hold_and_capture(accounts[CARLA], accounts[ALICE], begin + timedelta(days=12, hours=9))
    yield from _hold_and_release(accounts[ALICE], begin + timedelta(days=20, hours=9))
    blocked_at = begin + timedelta(days=BLOCKED_FROM)
    yield _list(accounts[MALLORY], blocked_at - timedelta(hours=4))
    yield _send_in_vain(accounts[ALICE], accounts[MALLORY], blocked_at - timedelta(hours=1))
    yield _block(accounts[MALLORY], blocked_at)


def make_payment_order(debtor: Account, *, amount: int, key: str, text: str) -> PaymentOrder:
    """Return an order of the debtor's to pay an invoice at another bank; `amount` in minor units."""
    return PaymentOrder(
        debtor_account_id=debtor.pk,
        creditor=_INVOICE,
        amount=amount,
        currency=debtor.currency,
        principal_id=debtor.client.user_id,
        idempotency_key=key,
        client_id=debtor.client_id,
        remittance_information=text,
    )


def make_hold_order(account: Account, *, amount: int, key: str, expires_at: datetime) -> HoldOrder:
    """Return an order of the account's owner to reserve `amount` minor units of it."""
    return HoldOrder(
        account_id=account.pk,
        amount=amount,
        currency=account.currency,
        expires_at=expires_at,
        principal_id=account.client.user_id,
        idempotency_key=key,
        client_id=account.client_id,
    )


def _pay(order: PaymentOrder, at: datetime) -> Iterator[Step]:
    def find_payment(now: datetime) -> UUID:
        return order_payment(order=order, now=now).payment.pk

    yield Step(at, find_payment)
    yield Step(at + timedelta(minutes=1), lambda now: mark_submitted(payment_id=find_payment(now), now=now))
    yield Step(at + timedelta(minutes=4), lambda now: complete_payment(payment_id=find_payment(now), now=now))


def _send_back(order: PaymentOrder, at: datetime) -> Step:
    def send_back(now: datetime) -> None:
        payment = order_payment(order=order, now=now).payment
        return_payment(payment_id=payment.pk, reason="account_closed", now=now)

    return Step(at, send_back)


def _hold_and_capture(account: Account, creditor: Account, at: datetime) -> Iterator[Step]:
    order = make_hold_order(account, amount=120_00, key="demo-hold-1", expires_at=at + timedelta(days=10))

    def capture(now: datetime) -> None:
        capture = CaptureOrder(
            hold_id=holds.place_hold(order=order, now=now).hold["id"],
            creditor_account_id=creditor.pk,
            amount=95_00,
            principal_id=order.principal_id,
            idempotency_key="demo-capture-1",
            client_id=order.client_id,
        )
        holds.capture_hold(order=capture, now=now)

    yield Step(at, lambda now: holds.place_hold(order=order, now=now))
    yield Step(at + timedelta(days=1, hours=20), capture)


def _hold_and_release(account: Account, at: datetime) -> Iterator[Step]:
    order = make_hold_order(account, amount=450_00, key="demo-hold-2", expires_at=at + timedelta(days=10))

    def release(now: datetime) -> None:
        hold = holds.place_hold(order=order, now=now).hold
        holds.release_hold(hold_id=hold["id"], client_id=order.client_id, now=now)

    yield Step(at, lambda now: holds.place_hold(order=order, now=now))
    yield Step(at + timedelta(hours=19), release)


def _list(account: Account, at: datetime) -> Step:
    def list_owner(now: datetime) -> None:
        actor = User.objects.get(username=_LISTED_BY)
        list_party(party_id=account.client_id, effect=ListingEffect.BLOCKED, reason=_INVENTED, actor=actor, now=now)

    return Step(at, list_owner)


def _send_in_vain(debtor: Account, creditor: Account, at: datetime) -> Step:
    order = TransferOrder(
        kind=TransferKind.INTERNAL,
        debtor_account_id=debtor.pk,
        creditor_account_id=creditor.pk,
        amount=240_00,
        currency=debtor.currency,
        principal_id=debtor.client.user_id,
        idempotency_key="demo-listed",
        client_id=debtor.client_id,
        remittance_information="Second-hand camera",
    )
    return Step(at, lambda now: submit_transfer(order=order, now=now))


def _block(account: Account, at: datetime) -> Step:
    return Step(at, lambda now: block_account(account_id=account.pk, reason=_INVENTED, actor=None, now=now))
