"""Money that comes back for a closed account, and the two people who pay it out of suspense."""

from django.utils import timezone

from accounts.models import Account
from accounts.services import inactivate_account
from approvals.models import Approval
from approvals.services import approve, request_approval
from tests.approvals.naming import get_seen
from tests.factories import make_account, make_staff
from tests.payments.cashier import NOW, complete, give_back, make_payment, submit
from transfers.payments.models import Payment
from transfers.payments.operations import PayOut, PayoutOrder


def keep_in_suspense() -> tuple[Payment, Account]:
    """Let 40 come back for a closed account; return the payment, and another account of its client's."""
    closed = make_account(balance=40)
    other = make_account(client=closed.client)
    payment = make_payment(closed, submit, complete)
    inactivate_account(account_id=closed.pk, reason="Moved", actor=None, now=NOW)
    give_back(payment.pk)
    return payment, other


def ask(payment: Payment, account: Account) -> Approval:
    """Let somebody request that the money goes to `account`."""
    return request_approval(
        operation=PayOut.name,
        payload=PayoutOrder(payment.pk, account.pk),
        reason="The client asked",
        requested_by=make_staff(permissions=(PayOut.request_permission,)),
        now=timezone.now(),
    )


def pay_out(payment: Payment, account: Account) -> Approval:
    """Let somebody else approve it, too."""
    approval = ask(payment, account)
    checker = make_staff(permissions=(PayOut.approve_permission,))
    now = timezone.now()
    return approve(approval_id=approval.pk, seen=get_seen(approval), decided_by=checker, reason="Right", now=now)
