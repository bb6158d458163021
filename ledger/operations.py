"""The operation of the ledger that needs two people: a journal entry by hand."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from approvals.models import Approval
from approvals.operations import Effect, MoneyLine, Operation, Said, operation
from ledger.manual_entries import ManualEntry, ManualLine, get_accounts, post_manual_entry, sum_debits
from ledger.models import LedgerAccount
from ledger.states import MANUAL_OPERATION, Side


@operation
class PostManualEntry(Operation):
    """Book an entry that no product books."""

    name = MANUAL_OPERATION
    title = _("Manual journal entry")
    explanation = _(
        "Books debits and credits that two people have agreed on. It is refused if a customer's account has too "
        "little, or is blocked or inactive. What was booked is never changed; a mistake is corrected by a reversal."
    )
    view_permission = "ledger.view_journalentry"
    request_permission = "ledger.request_manual_entry"
    approve_permission = "ledger.approve_manual_entry"
    payload = ManualEntry

    def describe(self, payload: ManualEntry) -> Effect:
        """Tell what would be booked. Raises AccountNotFoundError, AccountInactiveError or UnbalancedEntryError."""
        accounts = get_accounts(entry=payload)
        debits = sum_debits(lines=payload.lines, accounts=accounts)
        currency, amount = debits.popitem() if len(debits) == 1 else ("", None)
        sentence = Said(
            gettext_noop("An entry of %(count)s lines is booked, with value date %(day)s."),
            {"count": str(len(payload.lines)), "day": str(payload.value_date)},
        )
        return Effect(
            sentences=(sentence, *_name_customers(list(accounts.values()))),
            lines=tuple(_show(line, accounts[line.account_id]) for line in payload.lines),
            amount=amount,
            currency=currency,
        )

    def perform(self, *, payload: ManualEntry, approval: Approval, now: datetime) -> None:
        """Book it."""
        post_manual_entry(entry=payload, approval=approval, now=now)


def _name_customers(accounts: list[LedgerAccount]) -> list[Said]:
    """Return a sentence that warns that customers see it, if there is a customer's account."""
    count = sum(account.holder_id is not None for account in accounts)
    sentence = gettext_noop("It moves money on customers' accounts, %(count)s of them; the statements show it.")
    return [Said(sentence, {"count": str(count)})] if count else []


def _show(line: ManualLine, account: LedgerAccount) -> MoneyLine:
    is_debit = line.side == Side.DEBIT
    return MoneyLine(
        account_id=line.account_id,
        account=str(account),
        currency=account.currency,
        debit=line.amount if is_debit else 0,
        credit=0 if is_debit else line.amount,
    )
