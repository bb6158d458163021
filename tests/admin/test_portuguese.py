"""The back office in Portuguese: no page says in English what the program itself has to say."""

import re
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Account
from accounts.operations import BlockToLift, LiftBlock
from approvals.models import Approval
from approvals.operations import describe
from core.admin.amounts import read_amount, write_amount
from core.errors import InvalidAmountError
from tests.admin.addresses import MODELS, address, list_addresses
from tests.admin.conftest import Bank, make_member
from tests.factories import make_account, make_blocked_account
from tests.presence import enter_as

_SHOWN_ATTRIBUTES = {"placeholder", "aria-label", "title", "alt"}
_UNSEEN = {"script", "style", "pre", "textarea"}
_ICON_OR_ID = {"material-symbols-outlined", "identifier"}
_WORD = re.compile(r"[^\W\d_]{2,}")

_THE_SAME = re.compile(
    "|".join(
        (
            r"BRL|CPF .*|[A-Z]{2,4}|SHA-256|: \S+|hash|salt",  # codes and algorithms
            r"Auditor|Bytes|E-mail|Id|Selfie|Status|Total",  # words of both languages
            r"English|Português.*|en|pt-br",  # languages
            r"[a-z]+([._][a-z_]+)+(, .*)?|\d+ [a-z.]+|Account\.balance\.updated, 1/0",  # types of events, codes
            r"Transfers\.reverse, BRL",  # a limit by its operation
            r"(Deposit|E-mail|\d{4}) [-0-9a-f]+( \(BRL\))?|[0-9a-f-]{36}",  # an entry by its code and id
            r"admin|Admin|partner|review|accounts|analytics|balances|notifications|regulatory",
            r"(staff|client)-\d+.*|.*@example\.com",  # who, and codes
            r"(Alice|Bob|Bruno|Carla|Mallory)( \w+)?",
            r"\d+ bytes|per day \d+|Status: in_review → verified",  # figures and codes
            # What people wrote, what rules said when they judged, what a client reads in a language of its own, and
            # what only the tests' operation says
            r"Asked for|Asked for by letter|Lunch|Right|Seen|Suspected fraud|Yearly audit",
            r"The rules that a new bank begins with\.",
            r"\d+\.00 BRL( or more .*)?",
            r"You are verified|We have verified your identity\. .*",
            r"First name|Give a name|User \d+ gets a name\.",
        )
    )
)
"""What reads the same in both languages."""


class _Texts(HTMLParser):
    """Collects what a reader sees of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen += [value for name, value in attrs if name in _SHOWN_ATTRIBUTES and value]
        classes = set((dict(attrs).get("class") or "").split())
        if tag in _UNSEEN or tag in self._unseen or (tag == "span" and classes & _ICON_OR_ID):
            self._unseen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.seen.append(data)


def _read(browser: Browser, path: str, language: str) -> set[str]:
    parser = _Texts()
    parser.feed(browser.get(path, headers={"accept-language": language}).content.decode())
    texts = (" ".join(text.split()) for text in parser.seen)
    return {text for text in texts if _WORD.search(text)}


OTHER_PAGES = (
    "admin:index",
    "admin:ledger_journalentry_manual",
    "admin:transfers_transfer_search",
    "admin:events_event_flow",
    "admin:audit_export_make",
    "set_up_factors",
    "admin:password_change",
)


@pytest.mark.django_db
def test_no_page_says_in_english_what_it_can_say_in_portuguese(bank: Bank) -> None:
    browser = enter_as(make_member("admin"))
    trails = (("client", bank.alice.pk), ("account", bank.account.pk), ("user", bank.alice.user_id))
    addresses = [
        *(reverse(name) for name in OTHER_PAGES),
        *(reverse("audit_trail", args=subject) for subject in trails),
        reverse("admin:index") + "no/such/page/",
        *(path for model in MODELS for path in list_addresses(model)),
    ]

    left = {
        f"{path}: {text}"
        for path in addresses
        for text in _read(browser, path, "en") & _read(browser, path, "pt-br")
        if not _THE_SAME.fullmatch(text)
    }

    assert not left, "\n".join(sorted(left))


@pytest.mark.django_db
def test_a_reader_chooses_the_language_against_what_the_browser_asks_for(client: Browser) -> None:
    client.force_login(make_member("teller"))

    chosen = client.post(reverse("set_language"), {"language": "pt-br", "next": reverse("admin:index")})

    page = client.get(reverse("admin:index"), headers={"accept-language": "en"})
    assert chosen["Location"] == reverse("admin:index")
    assert (page["Content-Language"], "Visão geral" in page.content.decode()) == ("pt-br", True)


@pytest.mark.django_db
def test_choosing_a_language_needs_the_token_of_a_form() -> None:
    browser = Browser(enforce_csrf_checks=True)

    assert browser.post(reverse("set_language"), {"language": "pt-br"}).status_code == 403


@pytest.mark.django_db
def test_who_chose_nothing_gets_what_the_browser_asks_for(client: Browser) -> None:
    page = client.get(reverse("admin:login"), headers={"accept-language": "pt-BR,pt;q=0.9,en;q=0.5"})

    assert page["Content-Language"] == "pt-br"


@pytest.mark.django_db
def test_the_api_speaks_english_to_everybody(client: Browser) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "pt-br"
    client.get(reverse("admin:login"))

    answer = client.post(
        "/api/v1/auth/token", {}, content_type="application/json", headers={"accept-language": "pt-br"}
    ).json()

    assert answer["data"]["message"] == "The request has fields that are missing or malformed."
    assert "This field is required." in str(answer)


@pytest.mark.django_db
def test_amounts_and_moments_are_written_as_the_reader_does(bank: Bank, client: Browser) -> None:
    client.force_login(make_member("admin"))
    path = address(type(bank.transfer), "change", bank.transfer.pk)

    english, portuguese = (_read_all(client, path, language) for language in ("en", "pt-br"))

    assert ("25.00" in english, "25,00" in portuguese) == (True, True)
    assert f"{bank.transfer.created_at:%Y}-" in english
    assert re.search(r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}", portuguese)


def _read_all(browser: Browser, path: str, language: str) -> str:
    return browser.get(path, headers={"accept-language": language}).content.decode()


@pytest.mark.parametrize(("language", "text"), [("en", "1234.56"), ("pt-br", "1234,56")])
def test_an_amount_is_read_as_the_language_writes_it(language: str, text: str) -> None:
    with translation.override(language):
        assert (read_amount(text, "BRL"), write_amount(1234_56, "BRL")) == (1234_56, text)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "1,234.56"),
        ("en", "1,5"),
        ("pt-br", "1.234,56"),
        ("pt-br", "1.234"),
        ("pt-br", "10.50"),
        ("pt-br", "1,2,3"),
    ],
)
def test_an_amount_of_which_the_sign_could_mean_two_things_is_refused(language: str, text: str) -> None:
    with translation.override(language), pytest.raises(InvalidAmountError):
        read_amount(text, "BRL")


@pytest.mark.django_db
def test_what_one_requests_in_portuguese_another_reads_and_approves_in_english() -> None:
    account = make_account()
    maker, checker = Browser(headers={"accept-language": "pt-br"}), enter_as(make_member("ops_checker"))
    maker.force_login(make_member("ops_maker"))

    asked = maker.post(
        address(Account, "act", account.pk, "overdraft"), {"overdraft_limit": "500,00", "reason": "Bom cliente"}
    )
    approval = Approval.objects.get(subject=str(account.pk))
    path = address(Approval, "act", approval.pk, "approve")
    pages = [browser.get(address(Approval, "change", approval.pk)).content.decode() for browser in (maker, checker)]
    done = checker.post(path, {"seen": bytes(approval.content_hash).hex(), "reason": "Right"})

    assert (asked.status_code, done.status_code) == (302, 302)
    assert f"A conta {account.number} recebe outro limite de cheque especial." in pages[0]
    assert f"Account {account.number} gets another overdraft limit." in pages[1]
    account.refresh_from_db()
    assert account.overdraft_limit == 500_00


@pytest.mark.django_db
def test_a_block_that_is_to_be_lifted_is_described_alike_in_both_languages() -> None:
    block = make_blocked_account().blocks.get()
    payload = BlockToLift(block_id=block.pk)

    with translation.override("pt-br"):
        described = describe(operation=LiftBlock(), payload=payload)

    assert described == describe(operation=LiftBlock(), payload=payload)
    assert described.changes[0].after == "Nothing"


@pytest.mark.django_db
def test_a_refusal_is_told_in_the_readers_language() -> None:
    account = make_account(balance=1_00)
    browser = Browser(headers={"accept-language": "pt-br"})
    browser.force_login(make_member("ops_maker"))

    refused = browser.post(address(Account, "act", account.pk, "inactivate"), {"reason": "Pedido do cliente"})

    assert refused.status_code == 409
    assert "A conta precisa estar vazia antes de ser inativada." in refused.content.decode()


@pytest.mark.parametrize(("language", "text"), [("en", "2026-04-03"), ("pt-br", "03/04/2026"), ("pt-br", "2026-04-03")])
def test_a_day_is_read_as_the_language_writes_it(language: str, text: str) -> None:
    with translation.override(language):
        assert forms.DateField().clean(text) == date(2026, 4, 3)


def test_a_day_that_readers_of_english_write_in_two_ways_is_refused() -> None:
    with pytest.raises(ValidationError):
        forms.DateField().clean("03/04/2026")


@pytest.mark.django_db
@pytest.mark.parametrize(("days_ago", "is_shown"), [(0, True), (1, False)])
@pytest.mark.parametrize("written", ["%d/%m/%Y", "%Y-%m-%d"])
def test_a_list_is_narrowed_by_days_as_the_language_writes_them(
    written: str, days_ago: int, is_shown: bool, client: Browser
) -> None:
    account = make_account()
    client.force_login(make_member("teller"))
    last = timezone.localdate() - timedelta(days=days_ago)

    page = client.get(
        f"{address(Account, 'changelist')}?created_at_from=01/02/2020&created_at_to={last:{written}}",
        headers={"accept-language": "pt-br"},
    )

    assert (account.number in page.content.decode()) == is_shown
