"""Approvals in the back office: who is offered which button, and what is confirmed."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse

from approvals.models import Approval
from approvals.states import ApprovalStatus
from core.models import User
from tests.admin.addresses import address
from tests.approvals.naming import approve_as_seen, get_seen, make_checker, make_maker, read_name, request_name
from tests.presence import enter_as

pytestmark = pytest.mark.django_db

Enter = Callable[[User], Browser]


@pytest.fixture
def enter() -> Enter:
    """Return a function that gives somebody's browser."""

    return enter_as


def _show(browser: Browser, approval: Approval) -> str:
    return browser.get(address(Approval, "change", approval.pk)).content.decode()


def test_a_checker_approves_what_the_page_shows(enter: Enter, now: datetime) -> None:
    approval, browser = request_name(now=now), enter(make_checker())
    path = address(Approval, "act", approval.pk, "approve")

    page = browser.get(path).content.decode()
    done = browser.post(path, {"seen": get_seen(approval), "reason": "Right"}, follow=True)

    assert get_seen(approval) in page
    assert "First name" in page
    assert "Alice" in page
    assert "approved and done" in done.content.decode()
    assert read_name(approval) == "Alice"


def test_the_page_of_a_request_shows_its_effect_to_the_maker_who_can_only_withdraw_it(
    enter: Enter, now: datetime
) -> None:
    maker = make_checker()  # may approve as well, but not this
    approval, browser = request_name(now=now, requested_by=maker), enter(maker)

    page = _show(browser, approval)
    refused = browser.post(
        address(Approval, "act", approval.pk, "approve"), {"seen": get_seen(approval), "reason": "x"}
    )
    browser.post(address(Approval, "act", approval.pk, "withdraw"), {"reason": "A slip"})

    assert "Before and after" in page
    assert ("/act/withdraw/" in page, "/act/approve/" in page) == (True, False)
    assert refused.status_code == 403
    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.WITHDRAWN


def test_a_checker_rejects(enter: Enter, now: datetime) -> None:
    approval = request_name(now=now)

    enter(make_checker()).post(address(Approval, "act", approval.pk, "reject"), {"reason": "Wrong"})

    approval.refresh_from_db()
    assert (approval.status, approval.decision_reason) == (ApprovalStatus.REJECTED, "Wrong")


def test_who_may_not_approve_sees_no_button_and_is_refused(enter: Enter, now: datetime) -> None:
    approval, browser = request_name(now=now), enter(make_maker())

    assert "/act/" not in _show(browser, approval)
    for name in ("approve", "reject", "withdraw"):
        assert browser.post(address(Approval, "act", approval.pk, name), {"reason": "x"}).status_code == 403


def test_what_was_decided_has_no_buttons(enter: Enter, now: datetime) -> None:
    approval, checker = request_name(now=now), make_checker()
    approve_as_seen(approval=approval, decided_by=checker, now=now)

    assert "/act/" not in _show(enter(checker), approval)


def test_what_has_changed_meanwhile_is_told_before_and_refused_after(enter: Enter, now: datetime) -> None:
    approval, browser = request_name(now=now), enter(make_checker())
    User.objects.filter(pk=approval.payload["user_id"]).update(first_name="Bob")
    path = address(Approval, "act", approval.pk, "approve")

    page = browser.get(path).content.decode()
    refused = browser.post(path, {"seen": get_seen(approval), "reason": "Right"})

    assert "It would do something else by now" in page
    assert refused.status_code == 409
    assert read_name(approval) == "Bob"


def test_what_is_refused_when_it_is_carried_out_says_why(enter: Enter, now: datetime) -> None:
    approval = request_name(now=now, name="Refused")
    path = address(Approval, "act", approval.pk, "approve")

    refused = enter(make_checker()).post(path, {"seen": get_seen(approval), "reason": "Right"})

    assert refused.status_code == 400
    assert "Nobody is called that." in refused.content.decode()


@pytest.mark.parametrize(("whose", "shown"), [("to_decide", 1), ("requested", 2), ("nonsense", 4), ("", 4)])
def test_the_list_shows_whose_part_it_is(whose: str, shown: int, enter: Enter, now: datetime) -> None:
    checker = make_checker()
    request_name(now=now)
    approve_as_seen(approval=request_name(now=now), decided_by=checker, now=now)
    for _ in range(2):
        request_name(now=now, requested_by=checker)

    page = enter(checker).get(f"{address(Approval, 'changelist')}?whose={whose}").content.decode()

    assert page.count(">Give a name</a>") == shown


def test_the_first_page_counts_what_waits_for_its_reader(enter: Enter, now: datetime) -> None:
    request_name(now=now)

    of_checker = enter(make_checker()).get(reverse("admin:index"))
    of_maker = enter(make_maker()).get(reverse("admin:index"))

    counts = [page.context["queues"][0].waiting for page in (of_checker, of_maker)]
    assert counts == [1, 0]


def test_an_approval_is_found_by_what_it_is_about(enter: Enter, now: datetime) -> None:
    approval, other = request_name(now=now), request_name(now=now)

    page = enter(make_checker()).get(f"{address(Approval, 'changelist')}?q={approval.subject}").content.decode()

    assert str(approval.pk) in page
    assert str(other.pk) not in page
