"""Notifications in the back office: what was told, what could not be delivered, and sending it again."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events.models import Event
from kyc.models import Client
from notifications.models import Delivery, Notification
from notifications.services import Draft, make_notifications
from notifications.states import Kind
from tests.admin.addresses import address
from tests.admin.conftest import Bank
from tests.plans import explain

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]


def test_a_clients_page_shows_what_it_was_told_and_what_failed(bank: Bank, sign_in: SignIn) -> None:
    page = sign_in("auditor").get(address(Client, "change", bank.alice.pk)).content.decode()

    assert address(Notification, "change", bank.delivery.notification_id) in page
    delivery = address(Delivery, "change", bank.delivery.pk)
    assert f'href="{delivery}"><span class="status bad">Failed</span></a>' in page
    assert "The client reads English and gets e-mail about money in, money out, accounts, security." in page


def test_a_notifications_page_shows_its_text_and_its_delivery(bank: Bank, sign_in: SignIn) -> None:
    page = sign_in("auditor").get(address(Notification, "change", bank.delivery.notification_id)).content.decode()

    assert "We have verified your identity." in page
    assert address(Delivery, "change", bank.delivery.pk) in page


def test_a_deliverys_page_shows_each_attempt_and_escapes_what_the_mail_server_said(bank: Bank, sign_in: SignIn) -> None:
    page = sign_in("auditor").get(address(Delivery, "change", bank.delivery.pk)).content.decode()

    assert "Refused for good" in page
    assert "550 &lt;b&gt;unknown&lt;/b&gt;" in page


def test_the_overview_counts_what_failed(bank: Bank, sign_in: SignIn) -> None:
    page = sign_in("ops_maker").get(reverse("admin:index")).content.decode()

    assert "Failed e-mails" in page
    assert "They can be sent again" in page


def test_a_list_is_narrowed_by_state(bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("auditor")

    shown = {
        state: address(Delivery, "change", bank.delivery.pk)
        in browser.get(f"{address(Delivery, 'changelist')}?state__exact={state}").content.decode()
        for state in ("failed", "sent")
    }

    assert shown == {"failed": True, "sent": False}


def test_a_delivery_is_found_by_its_id_its_notification_and_its_client(bank: Bank, sign_in: SignIn) -> None:
    browser, shown = sign_in("auditor"), address(Delivery, "change", bank.delivery.pk)

    for key in (bank.delivery.pk, bank.delivery.notification_id, bank.delivery.notification.client_id):
        assert shown in browser.get(f"{address(Delivery, 'changelist')}?q={key}").content.decode()
    assert shown not in browser.get(f"{address(Delivery, 'changelist')}?q={uuid4()}").content.decode()


def test_a_search_by_id_looks_into_indexes_and_joins_no_whole_tables(bank: Bank, sign_in: SignIn) -> None:
    plan = plan_of(sign_in("auditor"), f"{address(Delivery, 'changelist')}?q={bank.alice.pk}", Delivery)

    assert "Index Cond: (client_id = " in plan
    assert " OR " not in plan


@pytest.mark.parametrize(
    ("days", "is_shown"),
    [
        ({"from": "2026-03-02", "to": "2026-03-02"}, True),
        ({"from": "2026-03-02"}, True),
        ({"to": "2026-03-02"}, True),
        ({"from": "0001-01-02", "to": "9999-12-30"}, True),
        ({"from": "2026-03-03"}, False),
        ({"to": "2026-03-01"}, False),
        ({"to": "0001-01-02"}, False),
    ],
)
@pytest.mark.parametrize("moment", ["2026-03-02T00:00:00-03:00", "2026-03-02T23:59:59.999999-03:00"])
def test_a_day_of_the_bank_is_shown_from_its_first_moment_to_its_last(
    bank: Bank, sign_in: SignIn, moment: str, days: dict[str, str], is_shown: bool
) -> None:
    draft = Draft(
        uuid4(), 1, datetime.fromisoformat(moment), Kind.CLIENT_VERIFIED, {}, bank.alice.pk, client_id=bank.alice.pk
    )
    with transaction.atomic():
        make_notifications(drafts=[draft], now=timezone.now())
    query = urlencode({f"happened_at_{end}": day for end, day in days.items()})

    page = sign_in("auditor").get(f"{address(Notification, 'changelist')}?{query}").content.decode()

    assert (address(Notification, "change", draft.notification_id) in page) == is_shown


@pytest.mark.parametrize(("model", "moment"), [(Notification, "happened_at"), (Delivery, "created_at")])
def test_a_list_of_days_long_ago_does_not_read_all_that_came_since(
    bank: Bank, sign_in: SignIn, model: type[Model], moment: str
) -> None:
    days = urlencode({f"{moment}_from": "2026-03-02", f"{moment}_to": "2026-03-02"})

    plan = plan_of(sign_in("auditor"), f"{address(model, 'changelist')}?{days}", model)

    assert f"Index Scan Backward using {model._meta.db_table}_pkey" in plan
    assert "Index Cond: ((id >= " in plan


def test_what_staff_were_told_is_found_among_what_clients_were(bank: Bank, sign_in: SignIn) -> None:
    page = f"{address(Notification, 'changelist')}?role__exact=checker"

    assert "Scan using notifications_of_staff" in plan_of(sign_in("kyc_approver"), page, Notification)


def plan_of(browser: Browser, page: str, model: type[Model]) -> str:
    """Return how PostgreSQL would find the rows of a list if there were many."""
    with CaptureQueriesContext(connection) as captured:
        browser.get(page)
    [search] = [query["sql"] for query in captured if f'FROM "{model._meta.db_table}"' in query["sql"]]
    return explain(search)


def test_a_maker_sends_again_with_a_reason(bank: Bank, sign_in: SignIn) -> None:
    act = address(Delivery, "act", bank.delivery.pk, "send-again")

    response = sign_in("ops_maker").post(act, {"reason": "The address was mended"})

    assert response.status_code == 302
    bank.delivery.refresh_from_db()
    assert bank.delivery.state == "waiting"
    assert Event.objects.get(type="delivery.retried").payload["reason"] == "The address was mended"


def test_a_second_click_is_refused(bank: Bank, sign_in: SignIn) -> None:
    browser, act = sign_in("ops_maker"), address(Delivery, "act", bank.delivery.pk, "send-again")
    browser.post(act, {"reason": "The address was mended"})

    response = browser.post(act, {"reason": "Once more"})

    assert response.status_code == 409
    assert "Only a delivery that failed can be sent again." in response.content.decode()


@pytest.mark.parametrize("role", ["kyc_approver", "auditor"])
def test_others_may_not_send_again(role: str, bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in(role)

    assert "/act/" not in browser.get(address(Delivery, "change", bank.delivery.pk)).content.decode()
    assert browser.post(address(Delivery, "act", bank.delivery.pk, "send-again"), {"reason": "x"}).status_code == 403
