"""Auditors take extracts as CSV files, each on record with its rows and its SHA-256."""

import csv
import hashlib
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from audit.models import Export
from audit.states import ExtractKind
from core.models import User
from ledger.models import JournalEntry, Posting
from tests.audit.test_trail import open_page, sign_in
from tests.factories import make_account, make_alice, pay_in
from tests.transfers.desk import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_pages(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def ask(browser: Browser, kind: str, **more: str) -> Any:
    """Fill in the form for today."""
    today = timezone.localdate().isoformat()
    body = {"kind": kind, "first_date": today, "last_date": today, "reason": "Yearly audit", **more}
    return browser.post(reverse("admin:audit_export_make"), body)


def export(browser: Browser, kind: str, **more: str) -> tuple[bytes, list[dict[str, str]]]:
    """Return an extract of today, as bytes and as rows."""
    response = ask(browser, kind, **more)
    assert response.status_code == 200, response.content
    content = b"".join(response.streaming_content)
    return content, list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.fixture
def auditor() -> Browser:
    """The browser of somebody who may export."""
    return sign_in("audit.export", "audit.view_export")[0]


@pytest.mark.parametrize("kind", ExtractKind.values)
def test_each_extract_is_on_record_as_it_was_given(kind: str, auditor: Browser) -> None:
    Desk().submit("alice -> carla 30")

    content, rows = export(auditor, kind)

    record = Export.objects.get()
    assert bytes(record.sha256) == hashlib.sha256(content).digest()
    assert (record.rows, record.size_bytes, record.reason) == (len(rows), len(content), "Yearly audit")


def test_entries_come_with_all_their_postings(auditor: Browser) -> None:
    account = make_account(balance=500)

    _, rows = export(auditor, "entries")

    assert len(rows) == Posting.objects.count() == 2 * JournalEntry.objects.count()
    [row] = [row for row in rows if row["account"] == str(account.pk)]
    assert (row["side"], row["amount_minor"], row["balance_after_minor"]) == ("credit", "500", "500")


def test_an_account_narrows_what_is_exported(auditor: Browser) -> None:
    account = make_account(balance=500)
    make_account(balance=700)

    _, rows = export(auditor, "entries", account=str(account.pk))

    assert [row["account"] for row in rows] == [str(account.pk)]


@pytest.mark.parametrize("kind", ExtractKind.values)
def test_each_extract_can_be_of_one_client(kind: str, auditor: Browser) -> None:
    alice = make_alice()
    make_account(client=alice, balance=500)

    assert ask(auditor, kind, client=str(alice.pk)).status_code == 200


def test_days_narrow_what_is_exported(auditor: Browser, now: datetime) -> None:
    pay_in(account_id=make_account().pk, amount=5, now=now)
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()

    _, rows = export(auditor, "entries", first_date=yesterday, last_date=yesterday)

    assert rows == []


def test_looks_and_changes_tell_who(auditor: Browser) -> None:
    alice, (browser, staff) = make_alice(), sign_in()
    open_page(browser, alice)

    _, looks = export(auditor, "looks")
    _, changes = export(auditor, "changes", client=str(alice.pk))

    assert [(row["by"], row["client"]) for row in looks] == [(str(staff.pk), str(alice.pk))]
    assert {row["table"] for row in changes} >= {"kyc.Client", "kyc.KycCase"}
    assert "Almeida" not in str(changes)


def test_no_cell_becomes_a_formula(auditor: Browser) -> None:
    make_account().client.user.groups.clear()
    User.objects.create_user(username="+2026@example.com", is_staff=True)

    _, rows = export(auditor, "roles")

    assert "'+2026@example.com" in [row["name"] for row in rows]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "everything"},
        {"first_date": "2020-01-01"},
        {"last_date": "2999-01-01"},
        {"first_date": "x"},
        {"client": "x"},
        {"client": "00000000-0000-0000-0000-000000000001"},
        {"reason": ""},
    ],
    ids=str,
)
def test_refuses_what_makes_no_sense_and_exports_nothing(fault: dict[str, str], auditor: Browser) -> None:
    response = ask(auditor, **({"kind": "entries"} | fault))

    assert response.status_code == 400
    assert not Export.objects.exists()


def test_who_may_not_export_gets_nothing() -> None:
    browser, _ = sign_in("audit.view")

    assert ask(browser, "entries").status_code == 403
    assert not Export.objects.exists()


def test_nothing_is_imported_into_the_ledger() -> None:
    """No package that imports rows is installed, and no page of the ledger has a form of its own."""
    assert not any(config.name.startswith("import_export") for config in apps.get_app_configs())
    for model in apps.get_app_config("ledger").get_models():
        if admin.site.is_registered(model):
            page: Any = admin.site.get_model_admin(model)
            request: Any = None
            assert not page.has_add_permission(request)
            assert not page.has_change_permission(request)
            assert not page.has_delete_permission(request)
