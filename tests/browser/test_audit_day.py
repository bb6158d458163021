"""A day of an auditor, who sees all and changes nothing."""

import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from audit.models import Export
from tests.admin.addresses import MODELS, address, get_newest
from tests.admin.conftest import bank, make_member  # noqa: F401 - the fixture of one of everything
from tests.browser.desk import Desk
from tests.factories import make_account, make_client

pytestmark = pytest.mark.django_db(transaction=True)

SitDown = Callable[..., Desk]


def test_who_revealed_a_number_stands_on_the_trail_with_the_reason(sit_down: SitDown) -> None:
    client = make_client(name="Alice Almeida")
    analyst = sit_down(make_member("kyc_analyst"))
    analyst.open_page(client)
    analyst.act("Reveal", reason="Asked for by the tax office")
    analyst.expect_text(client.document_number)
    auditor = sit_down(make_member("auditor"))

    auditor.open(reverse("audit_trail", args=["client", client.pk]))

    auditor.expect_text("Asked for by the tax office")
    auditor.expect_text("kyc_analyst")
    assert client.document_number not in auditor.page.content()
    auditor.take_picture("trail")


def test_an_extract_is_taken_and_stands_on_record(sit_down: SitDown, tmp_path: Path) -> None:
    account = make_account(balance=100_00)
    today = timezone.localdate().isoformat()
    desk = sit_down(make_member("auditor"))

    desk.open(reverse("admin:audit_export_make"))
    desk.answer("What", "Journal entries with their postings")
    desk.answer("From", today)
    desk.answer("To", today)
    desk.page.get_by_label("Reason").fill("Yearly audit")
    with desk.page.expect_download() as taken:
        desk.page.get_by_role("button", name="Export").click()
    file = tmp_path / "taken.csv"
    taken.value.save_as(file)

    export, given = Export.objects.get(), file.read_bytes()
    assert bytes(export.sha256) == hashlib.sha256(given).digest()
    assert len(list(csv.reader(io.StringIO(given.decode("utf-8-sig"))))) == export.rows + 1
    assert str(account.pk) in given.decode()
    desk.open_page(export)
    desk.expect_text("Yearly audit")
    desk.take_picture("export")


@pytest.mark.usefixtures("bank")
def test_no_page_offers_an_auditor_anything_to_do(sit_down: SitDown) -> None:
    desk = sit_down(make_member("auditor"))

    for model in MODELS:
        desk.expect_no_act(get_newest(model))
    assert desk.read_status(address(Account, "act", get_newest(Account).pk, "block")) == 403
