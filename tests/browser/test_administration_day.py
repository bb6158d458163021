"""A day of two administrators, who let people in and see no money."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Account
from approvals.models import Approval
from core.admin.cells import find_list
from core.models import User
from tests.browser.desk import Desk
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_role_is_given_by_two_administrators(sit_down: Callable[..., Desk]) -> None:
    bruno = make_staff(username="bruno")
    maker = sit_down(make_administrator("alice"))

    maker.open_page(bruno)
    maker.find_button("Change the roles").click()
    maker.page.get_by_label("Teller:").check()
    maker.confirm("Change the roles", reason="New at the counter")
    maker.expect_text("waits for somebody else")
    assert not bruno.groups.exists()
    checker = sit_down(make_administrator("carla"))
    checker.open_page(Approval.objects.get())
    checker.take_picture("roles")
    checker.act("Approve", reason="Agreed with the branch")

    checker.expect_text("approved and done")
    assert [group.name for group in bruno.groups.all()] == ["teller"]


def test_an_administrator_sees_no_client_and_no_money(sit_down: Callable[..., Desk]) -> None:
    account = make_account(balance=100_00)
    desk = sit_down(make_administrator("alice"))

    expect(desk.page.get_by_role("link", name="Users")).to_be_visible()
    assert desk.page.get_by_role("link", name="Accounts").count() == 0
    assert desk.page.get_by_text("BRL").count() == 0
    assert desk.read_status(find_list(Account)) == 403
    desk.open_list(User)
    desk.take_picture("users")
    desk.page.locator(f"a[href^='{reverse('admin:core_user_add')}']").click()
    desk.page.get_by_label("Username").fill("bruno")
    for field in desk.page.locator("input[type=password]").all():
        field.fill("a-Long-passphrase-43")
    desk.page.get_by_role("button", name="Save", exact=True).click()

    desk.expect_text("bruno")
    bruno = User.objects.get(username="bruno")
    assert (bruno.is_staff, bruno.is_superuser, list(bruno.groups.all())) == (True, False, [])
    assert account.client.name not in desk.page.content()


def make_administrator(username: str) -> User:
    """Make an administrator."""
    user = make_staff(username=username)
    user.groups.add(Group.objects.get(name="administrator"))
    return user
