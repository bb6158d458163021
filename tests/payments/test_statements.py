"""What the payer's statement tells of payments to other banks."""

from datetime import UTC, datetime
from io import BytesIO

import pytest

from accounts.models import Account
from tests.factories import make_account
from tests.payments.cashier import IBAN, NOW, complete, give_back, make_payment, order, submit
from transfers.payments.creditors import parse_creditor
from transfers.statements.files import RENDERERS
from transfers.statements.periods import make_period
from transfers.statements.selectors import Counterparty, Statement, get_statement
from transfers.statements.states import StatementFormat

pytestmark = pytest.mark.django_db


def state(account: Account) -> Statement:
    """Return the statement of the day on which everything here happens."""
    later = datetime(2026, 3, 3, tzinfo=UTC)
    period = make_period(first_date=NOW.date(), last_date=NOW.date(), now=later)
    return get_statement(account_id=account.pk, client_id=None, period=period, max_entries=100, now=later)


def test_names_who_was_paid_and_what_for() -> None:
    account = make_account(balance=100, now=NOW)
    make_payment(account, submit, complete)

    entry = list(state(account).read_entries())[-1]

    assert (entry.kind, entry.direction, entry.amount) == ("payment", "debit", 40)
    assert entry.counterparty == Counterparty("Bruno Barbosa", IBAN)
    assert entry.remittance_information == "Rent"


def test_names_the_same_of_what_came_back() -> None:
    account = make_account(balance=100, now=NOW)
    make_payment(account, submit, complete, give_back)

    paid, returned = list(state(account).read_entries())[-2:]

    assert (returned.kind, returned.direction, returned.amount) == ("reversal", "credit", 40)
    assert (returned.counterparty, returned.remittance_information) == (paid.counterparty, "Rent")


def test_tells_an_account_in_brazil_by_bank_branch_and_account() -> None:
    account = make_account(balance=100, now=NOW)
    parts = {"name": "Bruno Barbosa", "bank": "341", "branch": "0001", "account": "12345-6"}
    payment = order(account, creditor=parse_creditor(given=parts)).payment
    submit(payment.id), complete(payment.id)

    entry = list(state(account).read_entries())[-1]

    assert entry.counterparty == Counterparty("Bruno Barbosa", "341 0001 12345-6")


def test_a_payment_that_was_never_completed_is_not_in_it() -> None:
    account = make_account(balance=100, now=NOW)
    make_payment(account)
    make_payment(account, give_back)

    assert [entry.kind for entry in state(account).read_entries()] == ["deposit"]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (StatementFormat.CAMT_053, f"<CdtrAcct><Id><IBAN>{IBAN}</IBAN></Id></CdtrAcct>"),
        (StatementFormat.OFX, "<TRNTYPE>PAYMENT</TRNTYPE>"),
        (StatementFormat.CSV, f"Bruno Barbosa,{IBAN}"),
        (StatementFormat.JSON, f'{{"name":"Bruno Barbosa","number":"{IBAN}"}}'),
    ],
)
def test_each_format_has_its_place_for_it(form: StatementFormat, told: str) -> None:
    account = make_account(balance=100, now=NOW)
    make_payment(account, submit, complete)
    out = BytesIO()

    RENDERERS[form].write(statement=state(account), out=out)

    assert told in out.getvalue().decode()
