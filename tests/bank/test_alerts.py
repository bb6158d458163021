"""What needs staff comes to a role of the bank's, whose members may see it and decide."""

import pytest
from django.test import Client as Browser
from django.urls import reverse

from approvals.operations import Operation, list_operations
from approvals.selectors import list_waiting_for
from bank.roles import ROLES
from core.models import User
from notifications.models import Notification
from notifications.states import StaffRole
from tests.admin.conftest import _quick_pages, make_member  # noqa: F401 - a fixture
from tests.antifraud.rulebook import ask_for, propose, put_in_force, rule
from tests.notifications.news import hear
from tests.transfers.desk import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def checker() -> User:
    """A member of the staff with exactly the role of operations checkers."""
    return make_member(StaffRole.OPS_CHECKER)


@pytest.mark.parametrize("role", StaffRole.values)
def test_who_is_told_things_is_a_role_that_may_see_notifications_and_decide_reviews(role: str) -> None:
    assert {"notifications.view_notification", "transfers.review_transfer"} <= ROLES[role].permissions


@pytest.mark.parametrize("operation", list_operations(), ids=lambda operation: operation.name)
def test_what_needs_two_people_has_roles_that_ask_and_approve(operation: Operation) -> None:
    asking = {name for name, terms in ROLES.items() if operation.request_permission in terms.permissions}
    approving = {name for name, terms in ROLES.items() if operation.approve_permission in terms.permissions}

    assert asking
    assert approving


def test_an_alert_reaches_a_checkers_page(checker: User, client: Browser) -> None:
    desk = Desk()
    put_in_force(rule("new_counterparty", from_amount={"*": 1}))
    desk.submit("alice -> carla 100")
    hear()
    client.force_login(checker)

    told = Notification.objects.get(role=StaffRole.OPS_CHECKER)
    page = client.get(reverse("admin:notifications_notification_change", args=[told.pk]))

    assert "An order waits for your decision" in page.content.decode()


def test_an_approval_waits_for_a_checker(checker: User) -> None:
    approval = ask_for(propose(rule("velocity", per_minute=1)))

    assert list(list_waiting_for(user=checker)) == [approval]
