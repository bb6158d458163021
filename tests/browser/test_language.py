"""Choosing a language in the user's menu."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group

from accounts.models import Account
from tests.browser.desk import Desk
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_chooses_portuguese_stays_on_the_page_and_has_the_others_in_it_too(sit_down: Callable[..., Desk]) -> None:
    account, teller = make_account(balance=1234_56), make_staff()
    teller.groups.add(Group.objects.get(name="teller"))
    desk = sit_down(teller)
    desk.open_page(account)

    desk.page.get_by_text(teller.username, exact=True).click()
    desk.page.get_by_role("button", name="Português").click()

    desk.expect_text("1.234,56")
    assert desk.page.url.endswith(f"/{account.pk}/change/")
    desk.open_list(Account)
    desk.expect_text("As contas dos clientes com seus saldos.")
