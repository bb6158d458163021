"""What the pages show: money, links between what belongs together, and no more personal data than needed."""

import logging
import re
from collections.abc import Callable

import pytest
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.models import Account
from core.models import RoleEntry, User
from events.models import DeadLetter, Event
from kyc.models import Client, KycCase
from kyc.services import record_sign_in, update_client
from kyc.states import DocumentType
from ledger.errors import InsufficientFundsError
from ledger.models import Hold, JournalEntry, LedgerAccount
from tests.admin.addresses import MODELS, address
from tests.admin.conftest import Bank, bury_message, order_transfer
from tests.factories import make_account, make_alice, make_bob, make_client, make_inactive_account, pay_in
from transfers.models import Transfer

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]


def read(browser: Browser, path: str) -> str:
    """Return the text of a page."""
    response = browser.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_one_can_walk_from_a_client_to_the_events_of_a_transfer_and_back(bank: Bank, sign_in: SignIn) -> None:
    browser, books = sign_in("auditor"), LedgerAccount.objects.get(pk=bank.account.pk)
    event = Event.objects.get(key=bank.transfer.pk)
    way = [
        address(Client, "change", bank.alice.pk),
        address(Account, "change", bank.account.pk),
        address(LedgerAccount, "change", books.pk),
        address(JournalEntry, "change", bank.transfer.pk),
        address(Transfer, "change", bank.transfer.pk),
        address(Event, "change", event.seq),
    ]

    pages = [read(browser, path) for path in way]

    for here, there in zip(pages, way[1:], strict=False):
        assert there in here
    for here, back in zip(pages[1:], way, strict=False):
        assert back in here


def test_an_entry_reads_like_a_book(bank: Bank, sign_in: SignIn) -> None:
    page = read(sign_in("auditor"), address(JournalEntry, "change", bank.transfer.pk))

    assert page.count("25.00 <small>BRL</small>") == 6  # a debit, a credit, their totals, a balance, the transfer
    assert "<tfoot>" in page


def test_an_entry_says_why_in_the_words_of_transfers(bank: Bank, sign_in: SignIn) -> None:
    browser, code = sign_in("auditor"), JournalEntry.objects.get(pk=bank.transfer.pk).code

    entries = read(browser, address(JournalEntry, "changelist"))

    assert bank.transfer.get_kind_display() in entries
    assert f">{code}<" not in entries


def test_amounts_have_separators_and_their_currency(sign_in: SignIn) -> None:
    account = make_account(balance=1_234_567_89)

    assert "1,234,567.89 <small>BRL</small>" in read(sign_in("auditor"), address(Account, "changelist"))
    assert "1,234,567.89" in read(sign_in("kyc_approver"), address(Account, "change", account.pk))


def test_ledger_accounts_stand_in_the_order_of_the_chart(sign_in: SignIn) -> None:
    make_account(currency="USD")
    make_account(currency="BRL")

    page = read(sign_in("auditor"), address(LedgerAccount, "changelist"))

    codes = re.findall(r'class="[^"]*field-class[^"]*"[^>]*>\s*(\d+)', page)
    assert len(codes) == LedgerAccount.objects.count()
    assert codes == sorted(codes)


def test_a_failed_transfer_says_why(bank: Bank, sign_in: SignIn) -> None:
    page = read(sign_in("auditor"), address(Transfer, "change", bank.failed.pk))

    assert escape(InsufficientFundsError.message) in page
    assert "No money moved" in page


def test_a_transfer_shows_its_idempotency_key(bank: Bank, sign_in: SignIn) -> None:
    assert "Request hash" in read(sign_in("auditor"), address(Transfer, "change", bank.transfer.pk))


def test_a_long_statement_is_read_page_by_page(sign_in: SignIn) -> None:
    account = make_account()
    for amount in range(1, 26):
        pay_in(account_id=account.pk, amount=amount)
    browser, path = sign_in("auditor"), address(Account, "change", account.pk)

    assert "?before=6" in read(browser, path)
    older = read(browser, f"{path}?before=6")
    assert "?before" not in older
    assert "0.05 <small>BRL" in older
    for nonsense in ("x", "-1", "9" * 30, "\u0661"):
        assert read(browser, f"{path}?before={nonsense}")


@pytest.mark.parametrize("role", ["admin", "kyc_approver", "auditor"])
def test_no_page_shows_a_whole_document_number(role: str, bank: Bank, sign_in: SignIn) -> None:
    browser, number = sign_in(role), bank.alice.document_number

    for model in MODELS:
        if model in (RoleEntry, User) and role == "kyc_approver":
            continue
        assert number not in browser.get(address(model, "changelist")).content.decode()
        for row in model._default_manager.all()[:5]:
            assert number not in browser.get(address(model, "change", row.pk)).content.decode()
    assert f"********{number[-3:]}" in read(browser, address(Client, "change", bank.alice.pk))


def test_the_birth_date_stands_on_no_page(bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("auditor")

    for path in (
        address(Client, "change", bank.alice.pk),
        address(Client, "changelist"),
        address(KycCase, "changelist"),
        address(KycCase, "change", bank.case.pk),
        address(Account, "change", bank.account.pk),
    ):
        assert "1990" not in read(browser, path)


def test_a_client_is_found_by_document_without_the_number_in_an_address(
    bank: Bank, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    number = bank.alice.document_number
    written = f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"

    with caplog.at_level(logging.DEBUG):
        found = [sign_in("kyc_approver").post(address(Client, "changelist"), {"q": written})]
        found.append(sign_in("ops_maker").post(address(Client, "changelist"), {"q": number}))

    assert {response["Location"] for response in found} == {address(Client, "change", bank.alice.pk)}
    assert number not in caplog.text


@pytest.mark.parametrize(
    "number",
    [
        "529.982.247-25", "111.111.111-11", "12345678901234", "529 982 247 25", "12.ABC.345/01DE-35", "FX1B2C3",
        "ABCDE1", "1ABCDEFGH", "AB 12 X",
    ],
)  # fmt: skip
def test_a_document_that_nobody_has_is_not_repeated(number: str, sign_in: SignIn) -> None:
    response = sign_in("kyc_approver").post(address(Client, "changelist"), {"q": number}, follow=True)

    assert "No single match." in response.content.decode()
    assert number not in response.content.decode()
    assert number not in str(response.redirect_chain)


@pytest.mark.parametrize("number", ["ABCDE1", "1abcdefgh", "X98765432"])
def test_a_client_is_found_by_any_passport(number: str, sign_in: SignIn) -> None:
    client = make_client(document_type=DocumentType.PASSPORT, document_number=number)

    response = sign_in("kyc_approver").post(address(Client, "changelist"), {"q": number})

    assert response["Location"] == address(Client, "change", client.pk)


def test_names_with_digits_are_found_unless_they_may_be_a_passports_number(sign_in: SignIn) -> None:
    studio, *_ = [make_client(name=name) for name in ("Studio 54", "Bar 24H", "Gym 24H", "Route66 A", "Route66 B")]
    browser = sign_in("kyc_approver")

    def search(term: str) -> str:
        return str(browser.post(address(Client, "changelist"), {"q": term})["Location"])

    assert search("studio 54") == address(Client, "change", studio.pk)
    assert search("24h") == f"{address(Client, 'changelist')}?q=24h"
    assert search("Route66") == address(Client, "changelist")


def test_clients_are_found_by_name_address_and_id(sign_in: SignIn) -> None:
    alice, bob = make_client(name="Alice Almeida", email="alice@example.com"), make_bob()
    browser = sign_in("kyc_approver")

    for term in ("almeida", "ALICE@example.com", str(alice.pk)):
        page = browser.post(address(Client, "changelist"), {"q": term}, follow=True).content.decode()
        assert address(Client, "change", alice.pk) in page, term
        assert address(Client, "change", bob.pk) not in page, term


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("number", ["529.982.247-25", "111.111.111-11", "12.ABC.345/01DE-35", "FX1B2C3"])
def test_no_search_box_repeats_a_document(model: type[Model], number: str, sign_in: SignIn) -> None:
    browser = sign_in("admin")
    box = read(browser, address(model, "changelist")).partition('id="changelist-search"')[2].partition(">")[0]

    response = browser.post(address(model, "changelist"), {"q": number}, follow=True)

    assert 'method="post"' in box
    assert response.status_code == 200
    assert number not in response.content.decode()
    assert number not in str(response.redirect_chain)


def test_a_name_like_a_document_is_not_repeated_where_several_have_it(sign_in: SignIn) -> None:
    for name in ("Route66 A", "Route66 B"):
        make_account(client=make_client(name=name))

    response = sign_in("kyc_approver").post(address(Account, "changelist"), {"q": "Route66"})

    assert response["Location"] == address(Account, "changelist")


def test_a_search_keeps_the_filters_of_its_list(sign_in: SignIn) -> None:
    accounts = address(Account, "changelist")

    response = sign_in("kyc_approver").post(f"{accounts}?status__exact=active&q=bob&p=2", {"q": "alice"})

    assert response["Location"] == f"{accounts}?status__exact=active&q=alice"


def test_an_account_is_opened_by_its_number(sign_in: SignIn) -> None:
    account = make_account()

    response = sign_in("kyc_approver").post(address(Account, "changelist"), {"q": account.number})

    assert response["Location"] == address(Account, "change", account.pk)


def test_only_who_may_see_clients_searches_them(client: Browser) -> None:
    assert client.post(address(Client, "changelist"), {"q": "x"})["Location"].startswith(reverse("admin:login"))


def test_accounts_are_found_by_number_name_and_id(sign_in: SignIn) -> None:
    account, other = make_account(), make_account(client=make_client(name="Carla Cardoso"))
    browser = sign_in("kyc_approver")

    for term in (account.number, f"{account.number[:10]}-{account.number[10:]}", "alice", str(account.pk)):
        page = read(browser, f"{address(Account, 'changelist')}?q={term}")
        assert address(Account, "change", account.pk) in page, term
        assert address(Account, "change", other.pk) not in page, term


def test_transfers_are_found_by_id_account_and_client(bank: Bank, sign_in: SignIn) -> None:
    others = [make_account(client=make_client(name="Carla Cardoso"), balance=10_00) for _ in range(2)]
    other = order_transfer(debtor=others[0], creditor=others[1], amount=1_00)
    browser = sign_in("kyc_approver")

    for term in (str(bank.account.pk), bank.account.number, "alice"):
        page = read(browser, f"{address(Transfer, 'changelist')}?q={term}")
        assert address(Transfer, "change", bank.transfer.pk) in page, term
        assert address(Transfer, "change", other) not in page, term


def test_lists_are_narrowed_to_days_of_the_banks_time_zone(bank: Bank, sign_in: SignIn) -> None:
    browser, today = sign_in("kyc_approver"), f"{timezone.localdate():%Y-%m-%d}"
    path = address(Transfer, "changelist")

    within = read(browser, f"{path}?created_at_from={today}&created_at_to={today}")
    before = read(browser, f"{path}?created_at_to=2020-01-01")

    assert address(Transfer, "change", bank.transfer.pk) in within
    assert "No transfer matches" in before


def test_a_dead_letter_shows_its_message_and_error_as_text(bank: Bank, sign_in: SignIn) -> None:
    page = read(sign_in("auditor"), address(DeadLetter, "change", bank.letter.pk))

    assert escape('"specversion": "1.0"') in page
    assert escape("<b>not today</b>") in page
    assert "/act/" not in page, "an auditor handles nothing"


@pytest.mark.parametrize("value", [b"", b"\xff<script>\x00", b"[" * 100_000, b'{"a": "\\ud800"}'])
def test_a_dead_letter_shows_any_bytes(value: bytes, sign_in: SignIn) -> None:
    letter = bury_message(value=value)

    page = read(sign_in("auditor"), address(DeadLetter, "change", letter.pk))

    assert "Error and message" in page
    assert "<script>\\" not in page


def test_dead_letters_are_narrowed_by_what_is_known_of_them(bank: Bank, sign_in: SignIn) -> None:
    browser, path = sign_in("ops_maker"), address(DeadLetter, "changelist")
    page = address(DeadLetter, "change", bank.letter.pk)

    for query in ("state__exact=waiting", "group=balances", "topic=account.balance.updated", "q=account.bal"):
        assert page in read(browser, f"{path}?{query}"), query
    for query in ("state__exact=discarded", "group=others", "q=transaction"):
        assert page not in read(browser, f"{path}?{query}"), query


def test_an_empty_list_says_what_to_do(sign_in: SignIn) -> None:
    assert "Holds are placed by customers" in read(sign_in("kyc_approver"), address(Hold, "changelist"))


def test_an_inactive_account_offers_nothing_more(sign_in: SignIn) -> None:
    account = make_inactive_account()

    assert "/act/" not in read(sign_in("ops_maker"), address(Account, "change", account.pk))


def test_the_first_page_counts_what_waits(bank: Bank, sign_in: SignIn) -> None:
    page = read(sign_in("auditor"), reverse("admin:index"))

    assert "KYC cases waiting" in page
    assert "Balanced" in page
    assert "Failed transfers today" in page


def test_the_first_page_opens_on_an_empty_bank_and_without_a_role(sign_in: SignIn) -> None:
    assert "keeps no books yet" in read(sign_in("admin"), reverse("admin:index"))
    browser = Browser()
    browser.force_login(User.objects.create_user(username="new", is_staff=True))
    assert "no role yet" in read(browser, reverse("admin:index"))


def test_the_bare_address_leads_to_the_first_page() -> None:
    assert Browser().get("/")["Location"] == reverse("admin:index")


def test_sign_ins_do_not_hide_what_happened_to_a_client(bank: Bank, sign_in: SignIn) -> None:
    for _ in range(20):
        record_sign_in(user=bank.alice.user, now=timezone.now())
    update_client(client_id=bank.alice.pk, email="new@example.com", now=timezone.now())
    for _ in range(20):
        record_sign_in(user=bank.alice.user, now=timezone.now())

    page = read(sign_in("auditor"), address(Client, "change", bank.alice.pk))

    assert "client.updated" in page
    assert "client.signed_in" not in page


def test_a_customer_does_not_get_in() -> None:
    browser = Browser()
    browser.force_login(make_alice().user)

    assert browser.get(reverse("admin:index"))["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("page", ["flow", "changelist"])
def test_the_sidebar_marks_the_page_that_is_shown_and_no_other(sign_in: SignIn, page: str) -> None:
    path = reverse(f"admin:events_event_{page}")

    response = sign_in("auditor").get(path)

    groups = response.context["sidebar_navigation"]
    assert [item["link"] for group in groups for item in group["items"] if item["active"]] == [path]


def test_the_sidebar_marks_the_list_of_what_is_shown(bank: Bank, sign_in: SignIn) -> None:
    event = Event.objects.get(key=bank.transfer.pk)

    response = sign_in("auditor").get(address(Event, "change", event.seq))

    groups = response.context["sidebar_navigation"]
    active = [item["link"] for group in groups for item in group["items"] if item["active"]]
    assert active == [address(Event, "changelist")]


def test_a_page_that_does_not_exist_leads_back(sign_in: SignIn) -> None:
    response = sign_in("auditor").get("/admin/nothing/")

    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert reverse("admin:index") in response.content.decode()
