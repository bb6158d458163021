"""A day with KYC cases."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group

from kyc.models import KycCase
from tests.browser.desk import Desk
from tests.factories import make_bob, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_case_is_found_on_the_first_page_and_approved(sit_down: Callable[..., Desk]) -> None:
    bob, checker = make_bob(), make_staff()
    checker.groups.add(Group.objects.get(name="kyc_approver"))
    desk = sit_down(checker)

    desk.page.get_by_role("link", name="KYC cases waiting").click()
    desk.open_page(KycCase.objects.get(client=bob))
    desk.act("Approve", reason="Identity card seen")

    desk.expect_text("is verified")
    bob.refresh_from_db()
    assert bob.kyc_status == "verified"
