"""How an account is shown on any page."""

from accounts.models import Account, AccountBlock
from accounts.states import AccountStatus, BlockScope, unite_scopes
from core.admin.cells import NOTHING, Tone, link_to, show_status
from ledger.models import LedgerAccount

_TONES = {AccountStatus.ACTIVE: Tone.GOOD, AccountStatus.BLOCKED: Tone.BAD}
_SCOPE_TONES = dict.fromkeys(BlockScope, Tone.BAD)


def show_account(account: Account | None) -> str:
    """Return a link to an account, by its number."""
    return NOTHING if account is None else link_to(Account, account.pk, account.number)


def show_account_status(account: Account) -> str:
    """Return whether money moves."""
    return show_status(account.status, account.get_status_display(), _TONES)


def show_scope(block: AccountBlock) -> str:
    """Return which movements a block refuses; one that stands no more is grey."""
    return show_status(block.scope, block.get_scope_display(), {} if block.lifted_at else _SCOPE_TONES)


def name_refused(books: LedgerAccount) -> str:
    """Return which movements an account of the books refuses, in words, or '' if it refuses none."""
    scopes = [BlockScope.DEBITS] * books.refuses_debits + [BlockScope.CREDITS] * books.refuses_credits
    refused = unite_scopes(scopes)
    return str(refused.label) if refused else ""
