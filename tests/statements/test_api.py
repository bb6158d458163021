"""Statements through the API."""

from threading import BoundedSemaphore
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.http import FileResponse
from django.test import Client as HttpClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from core.scopes import Scope
from kyc.models import Client
from tests.api.caller import Caller, call_as, get_document, make_token
from tests.events.facts import transfer
from tests.factories import make_account, make_alice, pay_in
from transfers.statements import files
from transfers.statements.files import RENDERERS, Renderer
from transfers.statements.selectors import Statement
from transfers.statements.states import StatementFormat

pytestmark = pytest.mark.django_db

PATH = "/api/v1/accounts/{account_id}/statement"
FILES = [form for form in StatementFormat if form != StatementFormat.JSON]


@pytest.fixture
def alice(db: None) -> Client:
    """A verified client."""
    return make_alice()


@pytest.fixture
def account(alice: Client) -> Account:
    """Alice's account with 100.00."""
    return make_account(client=alice, balance=100_00)


@pytest.fixture
def api(alice: Client) -> Caller:
    """Alice, signed in."""
    return call_as(alice)


def today() -> str:
    """Return the day that it is at the bank."""
    return timezone.localdate().isoformat()


def ask(account: Account, method: str = "get", **query: str) -> Any:
    """Return the raw answer that the account's client gets."""
    browser = HttpClient(headers={"Authorization": f"Bearer {make_token(account.client.user, Scope.ACCOUNTS_READ)}"})
    days = {"from": today(), "to": today()}
    return getattr(browser, method)(f"/api/v1/accounts/{account.pk}/statement", days | query)


def test_shows_what_was_booked(api: Caller, account: Account) -> None:
    data = api.get(f"accounts/{account.pk}/statement", **{"from": today(), "to": today()}).data

    assert (data["from"], data["to"], data["is_final"]) == (today(), today(), False)
    assert (data["opening_balance"], data["closing_balance"]) == ("0.00", "100.00")
    assert [entry["counterparty"] for entry in data["entries"]] == [{"name": "Cash", "number": None}]


@pytest.mark.parametrize("form", FILES)
def test_sends_other_formats_as_files(account: Account, form: StatementFormat) -> None:
    answer = ask(account, format=form.value)

    content, suffix = b"".join(answer), {"camt.053": "camt053.xml"}.get(form, form.value)
    name = f"statement-{account.number}-{today()}-{today()}.{suffix}"
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["Content-Length"] == str(len(content))
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_declares_each_media_type_that_it_sends(account: Account) -> None:
    declared = get_document()["paths"][PATH]["get"]["responses"]["200"]["content"]

    sent = {ask(account, format=form.value)["Content-Type"].partition(";")[0] for form in StatementFormat}

    assert sent == set(declared)


@pytest.mark.parametrize("form", StatementFormat)
def test_head_is_a_get_without_a_body(account: Account, form: StatementFormat) -> None:
    answer = ask(account, "head", format=form.value)

    assert (answer.status_code, b"".join(answer)) == (200, b"")
    assert int(answer["Content-Length"]) > 0


@pytest.mark.parametrize("form", StatementFormat)
def test_the_form_comes_from_the_query_whatever_accept_says(account: Account, form: StatementFormat) -> None:
    browser = HttpClient(headers={"Authorization": f"Bearer {make_token(account.client.user, Scope.ACCOUNTS_READ)}"})
    query = {"from": today(), "to": today(), "format": form.value}

    answer = browser.get(f"/api/v1/accounts/{account.pk}/statement", query, headers={"Accept": "image/png"})

    assert answer["Content-Type"] == RENDERERS[form].media_type


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": ""}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "20260201"}, "from"),
        ({"from": "2026-W05-1"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"from": "\uff12\uff10\uff12\uff16-01-01"}, "from"),
        ({"from": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "1000-01-01"}, "from"),
        ({"to": "\x00"}, "to"),
        ({"to": "2999-12-31"}, "to"),
        ({"to": "1999-12-31"}, "to"),
        ({"format": "xml"}, "format"),
        ({"format": ""}, "format"),
        ({"format": "PDF"}, "format"),
    ],
)
@pytest.mark.parametrize("form", ["json", "pdf"])
def test_refuses_what_makes_no_sense_in_json(
    api: Caller, account: Account, query: dict[str, str], field: str, form: str
) -> None:
    answer = api.get(f"accounts/{account.pk}/statement", **({"from": today(), "to": today(), "format": form} | query))

    assert answer.refusal == (400, "validation_error")
    assert list(answer.errors) == [field]


@pytest.mark.parametrize("missing", ["from", "to"])
def test_asks_for_both_days(api: Caller, account: Account, missing: str) -> None:
    days = {"from": today(), "to": today()}
    del days[missing]

    answer = api.get(f"accounts/{account.pk}/statement", **days)

    assert list(answer.errors) == [missing]


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Tokyo", "Pacific/Kiritimati", "America/St_Johns"])
@pytest.mark.parametrize("form", StatementFormat)
def test_long_ago_there_was_nothing(account: Account, settings: Settings, zone: str, form: StatementFormat) -> None:
    settings.TIME_ZONE = zone

    assert ask(account, **{"from": "1000-01-01", "to": "1000-12-31", "format": form.value}).status_code == 200


@pytest.mark.parametrize("form", ["json", "csv"])
def test_refuses_a_statement_that_would_be_too_long(
    api: Caller, account: Account, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay_in(account_id=account.pk, amount=1)
    kind = StatementFormat(form)
    monkeypatch.setitem(RENDERERS, kind, RENDERERS[kind]._replace(max_entries=1))

    answer = api.get(f"accounts/{account.pk}/statement", **{"from": today(), "to": today(), "format": form})

    assert answer.refusal == (422, "statement_too_long")
    assert answer.body["data"]["max_entries"] == 1


@pytest.mark.parametrize("form", StatementFormat)
def test_anothers_account_is_missing(api: Caller, form: StatementFormat) -> None:
    for account_id in (make_account().pk, uuid4()):
        answer = api.get(f"accounts/{account_id}/statement", **{"from": today(), "to": today(), "format": form.value})

        assert answer.refusal == (404, "account_not_found")


def test_needs_the_scope_of_reading_accounts(alice: Client, account: Account) -> None:
    answer = call_as(alice, Scope.TRANSFERS_READ).get(f"accounts/{account.pk}/statement")

    assert answer.refusal == (403, "insufficient_scope")


def test_tells_of_the_other_party_no_more_than_name_and_number(account: Account) -> None:
    other = make_account(balance=987_654)
    pay_in(account_id=account.pk, amount=1)
    transfer(debtor=other, creditor=account, amount=1)

    for form in (StatementFormat.JSON, StatementFormat.CSV, StatementFormat.CAMT_053, StatementFormat.OFX):
        text = b"".join(ask(account, format=form.value)).decode()
        assert other.client.name in text
        for secret in (str(other.pk), other.pk.hex, str(other.client_id), other.client.email, "9876.5"):
            assert secret not in text


def test_takes_five_queries(api: Caller, account: Account) -> None:
    days = {"from": today(), "to": today()}

    with CaptureQueriesContext(connection) as queries:
        assert api.get(f"accounts/{account.pk}/statement", **days).status == 200

    assert len(queries) == 5, "the caller, the client, the account, the frame, the entries"


def test_a_fault_half_way_is_a_refusal_and_not_half_a_statement(
    api: Caller, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*, statement: Statement, out: Any) -> None:
        out.write(b"half")
        raise OperationalError("server closed the connection")

    broken = Renderer("text/csv", "csv", 10, break_off)
    monkeypatch.setitem(files.RENDERERS, StatementFormat.CSV, broken)

    answer = api.get(f"accounts/{account.pk}/statement", **{"from": today(), "to": today(), "format": "csv"})

    assert answer.refusal == (503, "service_unavailable")


def test_a_long_file_comes_whole(account: Account) -> None:
    for _ in range(100):
        pay_in(account_id=account.pk, amount=1)

    answer = ask(account, format="csv")

    content = b"".join(answer)
    assert (content.count(b"\r\n"), content[-10:]) == (104, b",BRL,,,,\r\n")
    assert int(answer["Content-Length"]) == len(content) > FileResponse.block_size


@pytest.fixture
def only_place(monkeypatch: pytest.MonkeyPatch) -> BoundedSemaphore:
    """The one place of a process that makes one large statement at once; each of two entries is one."""
    monkeypatch.setattr(files, "_LARGE_ONES", BoundedSemaphore(1))
    for form in StatementFormat:
        monkeypatch.setitem(RENDERERS, form, RENDERERS[form]._replace(max_entries=10))
    return files._LARGE_ONES


def test_a_process_makes_only_a_few_large_statements_at_once(
    api: Caller, account: Account, only_place: BoundedSemaphore
) -> None:
    path, days = f"accounts/{account.pk}/statement", {"from": today(), "to": today()}
    with only_place:
        small = api.get(path, **days)
        pay_in(account_id=account.pk, amount=1)
        refused = api.get(path, **days)

    assert small.status == 200
    assert (refused.refusal, refused.headers["Retry-After"]) == ((503, "statements_busy"), "5")
    assert [api.get(path, **days).status for _ in range(2)] == [200, 200]


def test_a_large_statement_that_breaks_off_gives_its_place_back(
    api: Caller, account: Account, only_place: BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*, statement: Statement, out: Any) -> None:
        raise OperationalError("server closed the connection")

    pay_in(account_id=account.pk, amount=1)
    monkeypatch.setitem(RENDERERS, StatementFormat.JSON, Renderer("application/json", "json", 10, break_off))

    answers = [api.get(f"accounts/{account.pk}/statement", **{"from": today(), "to": today()}) for _ in range(2)]

    assert [answer.code for answer in answers] == ["service_unavailable"] * 2
