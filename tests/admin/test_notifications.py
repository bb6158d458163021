"""Notifications in the back office: what was told, what could not be delivered, and sending it again."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import Event
from kyc.models import Client
from notifications.models import Delivery, Notification
from tests.admin.addresses import address
from tests.admin.conftest import Bank

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
    page = sign_in("maker").get(reverse("admin:index")).content.decode()

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
    with CaptureQueriesContext(connection) as captured:
        sign_in("auditor").get(f"{address(Delivery, 'changelist')}?q={bank.alice.pk}")
    [search] = [query["sql"] for query in captured if 'FROM "notifications_delivery"' in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as if there were many rows
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "Index Cond: (client_id = " in plan
    assert " OR " not in plan


def test_a_maker_sends_again_with_a_reason(bank: Bank, sign_in: SignIn) -> None:
    act = address(Delivery, "act", bank.delivery.pk, "send-again")

    response = sign_in("maker").post(act, {"reason": "The address was mended"})

    assert response.status_code == 302
    bank.delivery.refresh_from_db()
    assert bank.delivery.state == "waiting"
    assert Event.objects.get(type="delivery.retried").payload["reason"] == "The address was mended"


def test_a_second_click_is_refused(bank: Bank, sign_in: SignIn) -> None:
    browser, act = sign_in("maker"), address(Delivery, "act", bank.delivery.pk, "send-again")
    browser.post(act, {"reason": "The address was mended"})

    response = browser.post(act, {"reason": "Once more"})

    assert response.status_code == 409
    assert "Only a delivery that failed can be sent again." in response.content.decode()


@pytest.mark.parametrize("role", ["checker", "auditor"])
def test_others_may_not_send_again(role: str, bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in(role)

    assert "/act/" not in browser.get(address(Delivery, "change", bank.delivery.pk)).content.decode()
    assert browser.post(address(Delivery, "act", bank.delivery.pk, "send-again"), {"reason": "x"}).status_code == 403
