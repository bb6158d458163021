"""Who saw or changed what stands in one list, and who of the staff looks is on record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from accounts.models import Account
from accounts.services import block_account
from audit.models import Look
from audit.selectors import Scope, ScopeKind, Wanted, list_trail
from audit.services import Seen, record_looks
from audit.states import LookKind
from core.models import User
from kyc.models import Client
from kyc.services import add_document, open_document, update_client
from tests.factories import make_account, make_alice, make_client, make_staff
from tests.files import make_jpeg

pytestmark = pytest.mark.django_db

SEES = ("kyc.view_client", "kyc.view_kyccase", "accounts.view_account", "core.view_user")


@pytest.fixture(autouse=True)
def _quick_pages(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def sign_in(*permissions: str) -> tuple[Browser, User]:
    """Return the browser of a new member of staff, and who it is."""
    staff, browser = make_staff(permissions=(*SEES, *permissions)), Browser()
    browser.force_login(staff)
    return browser, staff


def open_page(browser: Browser, subject: Client | Account) -> str:
    """Open a row's page and return it."""
    opts = subject._meta
    response = browser.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[subject.pk]))
    assert response.status_code == 200
    return response.content.decode()


def read_trail(browser: Browser, kind: str, key: object, **query: str) -> str:
    """Open a trail and return the page."""
    response = browser.get(reverse("audit_trail", args=[kind, key]), query)
    assert response.status_code == 200, response.content
    return response.content.decode()


def list_of(client: Client) -> list[tuple[str, str, str]]:
    """Return what, of which table and how, for each item about a client."""
    scope = Scope(ScopeKind.CLIENT, client.pk, client.user_id)
    items = list_trail(scope=scope, wanted=Wanted(), limit=100)
    return [(item.what, item.source, item.label) for item in items]


def test_who_opens_a_clients_page_is_on_record() -> None:
    alice, (browser, staff) = make_alice(), sign_in()

    open_page(browser, alice)

    look = Look.objects.get()
    assert (look.kind, look.client, look.looked_by) == (LookKind.PAGE, alice, staff)


@pytest.mark.parametrize(("seconds", "looks"), [(0, 1), (59, 1), (60, 2)])
def test_looking_again_within_the_minute_adds_nothing(seconds: int, looks: int) -> None:
    alice, staff, noon = make_alice(), make_staff(), datetime(2026, 3, 2, 12, tzinfo=UTC)

    for now in (noon, noon + timedelta(seconds=seconds)):
        record_looks(
            seen=[Seen(alice.pk, alice.pk)],
            page="kyc.client",
            kind=LookKind.PAGE,
            looked_by=staff,
            request="-",
            now=now,
        )

    assert Look.objects.count() == looks


def test_opening_an_account_is_a_look_at_its_client() -> None:
    account, (browser, _) = make_account(), sign_in()

    open_page(browser, account)

    assert Look.objects.get().client_id == account.client_id
    assert Look.objects.get().subject_id == account.pk


def test_each_client_that_a_search_finds_is_on_record_and_nobody_else() -> None:
    alice, other = make_alice(), make_client(name="Carla Campos")
    browser, _ = sign_in()

    browser.get(reverse("admin:kyc_client_changelist"), {"q": "Almeida"})

    assert list(Look.objects.values_list("kind", "client")) == [(LookKind.SEARCH, alice.pk)]
    assert other.pk not in Look.objects.values_list("client", flat=True)


def test_a_list_that_nobody_searches_is_no_look() -> None:
    make_alice()
    browser, _ = sign_in()

    browser.get(reverse("admin:kyc_client_changelist"))

    assert not Look.objects.exists()


def test_a_look_that_cannot_be_kept_leaves_the_page_standing() -> None:
    alice, (browser, _) = make_alice(), sign_in()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_look ADD CONSTRAINT never CHECK (false) NOT VALID")

    assert "Alice Almeida" in open_page(browser, alice)


def test_the_trail_of_a_client_has_all_that_is_its_own(now: datetime) -> None:
    alice, (browser, staff) = make_alice(), sign_in()
    account = make_account(client=alice)
    document = add_document(client_id=alice.pk, kind="identity", file=make_jpeg(), now=now)
    open_document(document_id=document.pk, looked_by=staff, now=now)
    update_client(client_id=alice.pk, email="new@example.org", now=now)
    open_page(browser, account)
    make_account()

    found = list_of(alice)

    assert {
        ("change", "kyc.Client", "made"),
        ("change", "kyc.Client", "changed"),
        ("change", "kyc.KycCase", "changed"),
        ("change", "core.User", "changed"),
        ("change", "accounts.Account", "made"),
        ("look", "kyc.DocumentLook", "file"),
        ("look", "audit.Look", "page"),
    } <= set(found)
    assert found.count(("change", "accounts.Account", "made")) == 1


def test_the_page_shows_before_and_after_and_why(now: datetime) -> None:
    account, (browser, staff) = make_account(), sign_in("audit.view")
    block_account(account_id=account.pk, reason="Suspected fraud", actor=staff, now=now)

    page = read_trail(browser, "account", account.pk)

    assert "Status: active → blocked" in page
    assert f"{reverse('audit_trail', args=['account', account.pk])}?actor=" in open_page(browser, account)
    assert "Suspected fraud" in page


def test_the_page_shows_no_personal_data_in_clear(now: datetime) -> None:
    alice, (browser, _) = make_alice(), sign_in("audit.view")
    update_client(client_id=alice.pk, email="alicia.almeida@example.org", now=now)

    page = read_trail(browser, "client", alice.pk)

    assert "a***.a***@e***.o***" in page
    assert "alicia" not in page


def test_paging_shows_each_item_once() -> None:
    account = make_account()
    for number in range(7):
        Account.objects.filter(pk=account.pk).update(status_reason=str(number))
    scope = Scope(ScopeKind.ACCOUNT, account.pk)
    everything = list_trail(scope=scope, wanted=Wanted(), limit=100)

    paged, place = [], None
    while page := list_trail(scope=scope, wanted=Wanted(before=place), limit=3):
        paged += page
        place = (page[-1].at, page[-1].source, page[-1].id)

    assert len(everything) == 8
    assert paged == everything


def test_filters_by_person_and_by_what() -> None:
    alice = make_alice()
    (one, staff), (two, _) = sign_in(), sign_in()
    open_page(one, alice)
    open_page(two, alice)
    scope = Scope(ScopeKind.CLIENT, alice.pk, alice.user_id)

    by_staff = list_trail(scope=scope, wanted=Wanted(actor_id=staff.pk), limit=100)
    looks = list_trail(scope=scope, wanted=Wanted(what="look"), limit=100)

    assert [item.user_id for item in by_staff] == [staff.pk]
    assert [item.what for item in looks] == ["look", "look"]


def test_what_a_person_did_has_looks_and_changes() -> None:
    alice, (browser, staff) = make_alice(), sign_in("accounts.block_account")
    account = make_account(client=alice)
    block = reverse("admin:accounts_account_act", args=[account.pk, "block"])
    browser.post(block, {"reason": "Asked", "scope": "both", "seen": ""})
    open_page(browser, alice)

    items = list_trail(scope=Scope(ScopeKind.ACTOR, staff.pk), wanted=Wanted(), limit=100)

    assert {("change", "accounts.Account"), ("look", "audit.Look")} <= {(item.what, item.source) for item in items}


@pytest.mark.parametrize("kind", ["client", "account", "user", "actor"])
def test_a_trail_needs_the_permission(kind: str) -> None:
    account = make_account()
    keys = {"client": account.client_id, "account": account.pk}
    browser, staff = sign_in()

    response = browser.get(reverse("audit_trail", args=[kind, keys.get(kind, staff.pk)]))

    assert response.status_code == 403


@pytest.mark.parametrize(("kind", "key"), [("client", "x"), ("client", "0" * 32), ("user", "9" * 30), ("bank", "1")])
def test_a_trail_of_nothing_is_not_found(kind: str, key: str) -> None:
    browser, _ = sign_in("audit.view")

    assert browser.get(reverse("audit_trail", args=[kind, key])).status_code == 404


def test_odd_filters_narrow_nothing_and_break_nothing() -> None:
    account, (browser, _) = make_account(), sign_in("audit.view")

    for query in ({"actor": "9" * 30}, {"at": "2026-99-99T00:00Z"}, {"at": "x\x00"}, {"what": "x"}, {"id": "\x00"}):
        assert browser.get(reverse("audit_trail", args=["account", account.pk]), query).status_code == 200, query
