"""Every page of every model, for every role: what is forbidden is refused, nothing breaks, and lists stay cheap."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from approvals.rights.models import RoleLimit
from audit.models import Export
from core.admin.acts import list_acts
from core.models import RoleEntry, User
from events.models import Event
from kyc.models import Client
from ledger.models import Hold, JournalEntry, LedgerAccount
from tests.admin.addresses import MODELS, address, get_newest, list_addresses
from tests.admin.conftest import (
    ROLES,
    Bank,
    fail_to_deliver,
    give_standing_order,
    order_payment,
    order_transfer,
    reserve,
)
from tests.approvals.naming import request_name
from tests.factories import make_account, make_bob

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]

AUDITORS = {User, RoleEntry, RoleLimit, Export}
"""The models that those who serve clients have no part in."""

MANAGED = {User}
"""The models that are edited in forms; all others are only read."""

LEDGER = (LedgerAccount, JournalEntry, Hold, Event)


def test_sends_strangers_to_the_login_page(bank: Bank, client: Browser) -> None:
    for path in _list_all_addresses():
        response = client.get(path)

        assert response.status_code == 302, path
        assert response["Location"].startswith(reverse("admin:login")), path


@pytest.mark.parametrize("role", ROLES)
def test_answers_every_get_and_post_of_staff(role: str, bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in(role)

    for path in _list_all_addresses():
        assert browser.get(path).status_code in (200, 302, 403), path
        assert browser.post(path, {}).status_code in (200, 302, 400, 403), path


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"admin", "administrator"}))
def test_shows_lists_and_pages_to_each_role(role: str, bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in(role)

    for model in set(MODELS) - AUDITORS:
        assert browser.get(address(model, "changelist")).status_code == 200, model
        assert browser.get(address(model, "change", get_newest(model).pk)).status_code == 200, model


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"admin", "administrator", "auditor"}))
def test_hides_the_users_from_who_has_no_part_in_them(role: str, sign_in: SignIn) -> None:
    browser = sign_in(role)

    assert browser.get(address(User, "changelist")).status_code == 403
    assert address(User, "changelist") not in browser.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("role", ROLES)
def test_edits_nothing_in_a_form_even_for_a_superuser(role: str, bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in(role)
    for model in set(MODELS) - MANAGED:
        row, before = get_newest(model), _read_rows(model)
        body = {"_selected_action": row.pk, "action": "delete_selected", "name": "x", "amount": "1", "post": "yes"}

        for path in (
            address(model, "changelist"),
            address(model, "add"),
            address(model, "change", row.pk),
            address(model, "delete", row.pk),
        ):
            assert browser.post(path, body).status_code == 403, path

        assert _read_rows(model) == before


def _read_rows(model: type[Model]) -> list[dict[str, Any]]:
    return list(model._default_manager.order_by("pk").values())


@pytest.mark.parametrize("model", LEDGER)
def test_offers_no_button_on_the_ledger(model: type[Model]) -> None:
    assert list_acts(model) == []


def test_the_auditor_sees_everything_and_may_do_nothing(bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("auditor")

    for model in MODELS:
        key = get_newest(model).pk
        page = browser.get(address(model, "change", key))
        assert page.status_code == 200, model
        assert "/act/" not in page.content.decode(), model
        for act in list_acts(model):
            assert browser.post(address(model, "act", key, act.name), {"reason": "No"}).status_code == 403


def _add_rows() -> None:
    """Add twenty of everything that lists show."""
    accounts = [make_account(balance=100_00) for _ in range(20)]
    for account in accounts:
        order_transfer(debtor=account, creditor=accounts[account is accounts[0]], amount=1_00)
        reserve(account=account, amount=1_00)
        order_payment(account=account, amount=1_00)
        give_standing_order(debtor=account, creditor=accounts[account is accounts[0]])
        fail_to_deliver(client=account.client)
        make_bob()
        request_name(now=timezone.now())


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_queries_however_many_rows_it_shows(
    model: type[Model], bank: Bank, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    browser = sign_in("admin")
    browser.get(reverse("admin:index"))  # begins the session
    with django_assert_max_num_queries(9) as few:
        browser.get(address(model, "changelist"))
    few_queries = len(few)
    _add_rows()

    with django_assert_max_num_queries(few_queries):
        assert browser.get(address(model, "changelist")).status_code == 200


@pytest.mark.parametrize("name", ["account", "alice", "transfer", "hold"])
def test_a_page_costs_the_same_queries_however_long_its_tables_are(
    name: str, bank: Bank, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    browser = sign_in("admin")
    subject = getattr(bank, name)
    path = address(type(subject), "change", subject.pk)
    browser.get(reverse("admin:index"))  # begins the session
    with django_assert_max_num_queries(25) as few:
        browser.get(path)
    few_queries = len(few)
    for _ in range(20):
        order_transfer(debtor=bank.account, creditor=make_account(client=bank.alice), amount=1)
        reserve(account=bank.account, amount=1)
        order_payment(account=bank.account, amount=1)
        give_standing_order(debtor=bank.account, creditor=make_account(client=bank.alice))
        fail_to_deliver(client=bank.alice)

    with django_assert_max_num_queries(few_queries):
        assert browser.get(path).status_code == 200


QUERIES = (
    "q=alice",
    "q=%00",
    "q=12345",
    "q=99999999999999999999999",
    "q=019a0000-0000-7000-8000-000000000000",
    "q=a@example.com",
    "created_at_from=x&created_at_to=2026-13-45",
    "created_at_from=0001-01-01&created_at_to=9999-12-31",
    "p=0",
    "p=7000",
    "o=1.2",
    "status__exact=none&nonsense=1",
)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_survives_what_is_typed_into_its_address(model: type[Model], bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("admin")

    for query in QUERIES:
        response = browser.get(f"{address(model, 'changelist')}?{query}")
        assert response.status_code in (200, 302), query


@pytest.mark.parametrize(
    "query", ["birth_date=1990-05-17", "document_index=x", "client__name=Alice", "user__password__startswith=a"]
)
def test_a_list_cannot_be_narrowed_by_what_it_does_not_show(query: str, bank: Bank, sign_in: SignIn) -> None:
    assert sign_in("kyc_approver").get(f"{address(Client, 'changelist')}?{query}").status_code in (302, 400)


@pytest.mark.parametrize(
    "path", ["", "search/?s=client", "search/?s=client&extended", "password_change/", "kyc/", "jsi18n/"]
)
def test_the_pages_around_the_lists_open(path: str, sign_in: SignIn) -> None:
    browser = sign_in("kyc_approver")

    for _ in range(2):  # a page may come from the cache the second time
        assert browser.get(reverse("admin:index") + path).status_code in (200, 302)


@pytest.mark.parametrize("key", ["x", "019a0000-0000-7000-8000-000000000000", "99999999999999999999999"])
def test_a_page_that_does_not_exist_is_no_fault(key: str, sign_in: SignIn) -> None:
    browser = sign_in("admin")

    for model in MODELS:
        assert browser.get(address(model, "change", key)).status_code == 302
        for act in list_acts(model):
            assert browser.get(address(model, "act", key, act.name)).status_code == 404


def _list_all_addresses() -> list[str]:
    return [path for model in MODELS for path in list_addresses(model)]
