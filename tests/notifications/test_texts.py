"""Every kind of notification has a good text in every language."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as bank_settings
from django.template import engines
from django.template.backends.django import DjangoTemplates

from bank.roles import ROLES
from core.ids import uuid7
from notifications.models import Notification
from notifications.rendering import Text, format_money, render_email, render_notification
from notifications.states import CATEGORIES, Kind, Language, StaffRole
from tests.factories import make_account

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # 09:00 in São Paulo
WAYS = [
    {
        "kind": "savings",
        "transfer_kind": "internal",
        "failure_code": "insufficient_funds",
        "decision": "review",
        "scope": "both",
    },
    {
        "kind": "checking",
        "transfer_kind": "deposit",
        "failure_code": "rejected_by_antifraud",
        "decision": "reject",
        "scope": "debits",
    },
    {
        "kind": "checking",
        "transfer_kind": "withdrawal",
        "failure_code": "anything",
        "decision": "review",
        "scope": "credits",
    },
]


@pytest.fixture(autouse=True)
def _name_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a variable that a text needs and does not get show in it."""
    texts = engines["texts"]
    assert isinstance(texts, DjangoTemplates)
    monkeypatch.setattr(texts.engine, "string_if_invalid", "MISSING %s")


def make_notification(code: str, language: str, **facts: object) -> Notification:
    account = make_account()
    known = {"account": str(account.pk), "transfer": str(uuid4()), "amount": 123_456_78, "currency": "BRL"}
    return Notification(
        id=uuid7(),
        client=account.client,
        kind=code,
        language=language,
        happened_at=NOW,
        facts=known | {"rules": ["amount"], "kinds": ["identity", "address"], "text": "illegible"} | facts,
    )


def test_each_kind_has_a_category_and_a_text_in_each_language_and_no_text_is_left_over() -> None:
    folder = Path(bank_settings.BASE_DIR) / "templates" / "notifications"
    wanted = {f"{kind}/{language}.txt" for kind in [*Kind.values, "email"] for language in Language.values}

    assert {str(path.relative_to(folder)) for path in folder.rglob("*.*")} == wanted
    assert CATEGORIES.keys() == set(Kind)


@pytest.mark.parametrize("facts", WAYS, ids=lambda facts: facts["transfer_kind"])
@pytest.mark.parametrize("language", Language.values)
@pytest.mark.parametrize("kind", Kind.values)
def test_a_text_has_a_title_a_body_and_all_that_it_needs(kind: str, language: str, facts: dict[str, str]) -> None:
    text = render_notification(notification=make_notification(kind, language, **facts))

    assert 5 < len(text.title) < 80
    assert re.fullmatch(r"[^\n]{20,}\.", text.body)
    assert not re.search(r"MISSING|[{}<>&]|  |None", "".join(text))


def test_texts_of_one_kind_differ_by_language() -> None:
    for kind in Kind.values:
        texts = {render_notification(notification=make_notification(kind, language)) for language in Language.values}
        assert len(texts) == len(Language.values), kind


EN = """
R$\xa0123,456.78 was transferred from your account ending in {end} on 2026-03-02 at 09:00. If it was not you, get in \
touch with us at once."""
PT_BR = """
Uma transferência de R$\xa0123.456,78 saiu da sua conta com final {end} em 02/03/2026 às 09:00. Se não foi você, entre \
em contato conosco imediatamente."""


@pytest.mark.parametrize(("language", "text"), [(Language.EN, EN), (Language.PT_BR, PT_BR)])
def test_a_text_shows_money_and_time_as_its_readers_write_them_and_the_accounts_end_only(
    language: str, text: str
) -> None:
    notification = make_notification(Kind.TRANSFER_SENT, language)
    number = notification.client.accounts.get().number  # type: ignore[union-attr]

    rendered = render_notification(notification=notification)

    assert rendered.body == text.strip().format(end=number[-4:])
    assert number not in "".join(rendered)


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        (5, "BRL", "en", "R$\xa00.05"),
        (123_456, "BRL", "pt-br", "R$\xa01.234,56"),
        (123_456, "JPY", "en", "JPY\xa0123,456"),
        (1_234_567, "KWD", "pt-br", "KWD\xa01.234,567"),
    ],
)
def test_money_is_written_with_its_own_decimals(amount: int, currency: str, language: str, expected: str) -> None:
    assert format_money(amount_minor=amount, currency=currency, language=language) == expected


@pytest.mark.parametrize("language", Language.values)
def test_an_email_greets_by_name_as_it_is_written_and_keeps_lines_short(language: str) -> None:
    notification = make_notification(Kind.TRANSFER_SENT, language)

    text = render_email(notification=notification, name="Zoë O'Brien & <Sons>")

    assert isinstance(text, Text)
    assert "Zoë O'Brien & <Sons>" in text.body.splitlines()[0]
    assert max(map(len, text.body.splitlines())) <= 78


def test_the_roles_that_are_told_things_exist() -> None:
    assert set(StaffRole.values) <= ROLES.keys()
