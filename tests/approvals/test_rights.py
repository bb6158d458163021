"""Roles and limits: requested by one administrator, approved by another, and kept by the database."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from approvals.errors import NotEntitledToRequestError, OverLimitError, SamePersonError
from approvals.models import Approval
from approvals.operations import Effect, Operation, _operations
from approvals.rights.errors import NotStaffError, OwnRightsError
from approvals.rights.models import RoleLimit
from approvals.rights.operations import LimitOrder, RolesOrder
from approvals.rights.selectors import find_limit
from approvals.services import approve, request_approval
from core.db import get_constraint_name
from core.errors import InvalidInputError
from core.history.tracking import histories
from core.models import RoleEntry, User, UserRole
from core.roles import RolesExcludeEachOtherError, set_roles
from tests.admin.addresses import address
from tests.admin.conftest import _quick_pages  # noqa: F401 - pages without a collected manifest
from tests.approvals.naming import GiveName, Naming
from tests.factories import make_staff
from tests.presence import enter_as

pytestmark = pytest.mark.django_db

ROLES = "rights.change_roles"
LIMIT = "rights.change_limit"


def make_member(username: str, *roles: str) -> User:
    """Make a member of staff with roles."""
    user = make_staff(username=username)
    with transaction.atomic():
        set_roles(user=user, roles=roles)
    return user


@pytest.fixture
def maker() -> User:
    """The administrator who requests."""
    return make_member("alice", "administrator")


@pytest.fixture
def checker() -> User:
    """The administrator who approves."""
    return make_member("carla", "administrator")


def decide(approval: Approval, by: User, now: datetime) -> Approval:
    """Approve what the page shows."""
    return approve(
        approval_id=approval.pk, seen=bytes(approval.content_hash).hex(), decided_by=by, reason="Right", now=now
    )


def ask_for_roles(maker: User, user: User, *roles: str, now: datetime) -> Approval:
    """Request roles."""
    order = RolesOrder(user_id=user.pk, roles=tuple(sorted(roles)))
    return request_approval(operation=ROLES, payload=order, reason="New desk", requested_by=maker, now=now)


def ask_for_limit(maker: User, role: str, amount: int | None, *, operation: str, now: datetime) -> Approval:
    """Request a limit in BRL."""
    order = LimitOrder(RoleEntry.objects.get(group__name=role).pk, operation, "BRL", amount)
    return request_approval(operation=LIMIT, payload=order, reason="Policy", requested_by=maker, now=now)


def test_two_administrators_give_roles(maker: User, checker: User, now: datetime) -> None:
    bob = make_member("bob", "teller")

    approval = ask_for_roles(maker, bob, "teller", "ops_maker", now=now)
    assert set(bob.groups.values_list("name", flat=True)) == {"teller"}
    decide(approval, checker, now)

    assert set(bob.groups.values_list("name", flat=True)) == {"teller", "ops_maker"}
    assert list(approval.effect["changes"]) == [
        {"name": "Roles", "before": "Teller", "after": "Teller, Operations maker"}
    ]


def test_one_administrator_alone_gives_nothing(maker: User, now: datetime) -> None:
    bob = make_member("bob", "teller")

    with pytest.raises(SamePersonError):
        decide(ask_for_roles(maker, bob, "auditor", now=now), maker, now)


def test_nobody_takes_part_in_deciding_about_rights_of_their_own(maker: User, checker: User, now: datetime) -> None:
    for user in (maker, checker):
        approval = ask_for_roles(maker, user, "ops_maker", now=now)
        with pytest.raises(OwnRightsError):
            decide(approval, checker, now)


def test_roles_that_exclude_each_other_cannot_be_requested(maker: User, now: datetime) -> None:
    with pytest.raises(RolesExcludeEachOtherError, match="Whoever asks"):
        ask_for_roles(maker, make_member("bob"), "ops_maker", "ops_checker", now=now)


def test_customers_superusers_and_who_left_get_no_roles(maker: User, now: datetime) -> None:
    left, customer = make_member("bob"), make_member("mallory")
    User.objects.filter(pk=left.pk).update(is_active=False)
    User.objects.filter(pk=customer.pk).update(is_staff=False)

    for user in (left, customer, make_staff(is_superuser=True)):
        with pytest.raises(NotStaffError):
            ask_for_roles(maker, user, "auditor", now=now)


def test_a_role_that_does_not_exist_cannot_be_requested(maker: User, now: datetime) -> None:
    with pytest.raises(InvalidInputError):
        ask_for_roles(maker, make_member("bob"), "king", now=now)


@pytest.mark.parametrize("role", ["teller", "ops_maker", "ops_checker", "kyc_approver", "auditor"])
def test_no_other_role_requests_rights(role: str, now: datetime) -> None:
    with pytest.raises(NotEntitledToRequestError):
        ask_for_roles(make_member("mallory", role), make_member("bob"), "auditor", now=now)


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch) -> str:
    """An operation about 1,000.00 BRL, which operations makers request and checkers approve."""

    class Pay(GiveName):
        name = "tests.pay"
        request_permission = "events.handle_deadletter"
        approve_permission = "rights.approve_rights"

        def describe(self, payload: Naming) -> Effect:
            return Effect(sentences=("Money moves.",), amount=1_000_00, currency="BRL")

    kinds: dict[str, Operation] = _operations
    monkeypatch.setitem(kinds, Pay.name, Pay())
    return Pay.name


def ask_to_pay(operation: str, by: User, now: datetime) -> Approval:
    """Request it about Bob."""
    payload = Naming(user_id=by.pk, name="Bob")
    return request_approval(operation=operation, payload=payload, reason="Why", requested_by=by, now=now)


def test_a_maker_requests_up_to_the_limit_of_the_role(
    operation: str, maker: User, checker: User, now: datetime
) -> None:
    bob = make_member("bob", "ops_maker")
    decide(ask_for_limit(maker, "ops_maker", 999_99, operation=operation, now=now), checker, now)
    with pytest.raises(OverLimitError, match=r"at most 999\.99 BRL"):
        ask_to_pay(operation, bob, now)

    decide(ask_for_limit(maker, "ops_maker", 1_000_00, operation=operation, now=now), checker, now)

    assert ask_to_pay(operation, bob, now).amount == 1_000_00


def test_a_checker_approves_up_to_the_limit_of_the_role(
    operation: str, maker: User, checker: User, now: datetime
) -> None:
    approval = ask_to_pay(operation, make_member("bob", "ops_maker"), now)
    limit = ask_for_limit(maker, "administrator", 5_00, operation=operation, now=now)
    decide(limit, checker, now)

    with pytest.raises(OverLimitError):
        decide(approval, checker, now)

    decide(ask_for_limit(maker, "administrator", None, operation=operation, now=now), checker, now)
    assert decide(approval, checker, now).status == "approved"


def test_of_several_roles_the_highest_limit_holds(operation: str, maker: User, checker: User, now: datetime) -> None:
    bob = make_member("bob", "ops_maker", "teller")
    asked: dict[str, Any] = {"user": bob, "operation": operation, "currency": "BRL"}
    decide(ask_for_limit(maker, "ops_maker", 7_00, operation=operation, now=now), checker, now)
    decide(ask_for_limit(maker, "teller", 9_00, operation=operation, now=now), checker, now)

    assert find_limit(permission="accounts.block_account", **asked) == 9_00
    assert find_limit(permission="events.handle_deadletter", **asked) == 7_00
    assert find_limit(permission="accounts.block_account", **{**asked, "currency": "USD"}) is None


@pytest.mark.django_db(transaction=True)
def test_the_database_takes_no_limit_without_its_approval(
    operation: str, maker: User, checker: User, now: datetime
) -> None:
    approval = decide(ask_for_limit(maker, "teller", 7_00, operation=operation, now=now), checker, now)
    role = RoleEntry.objects.get(group__name="ops_maker")

    for change in (
        lambda: RoleLimit.objects.update(amount=9_00),
        lambda: RoleLimit.objects.create(role=role, operation=operation, currency="BRL", amount=1, approval=approval),
        lambda: RoleLimit.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            change()
        assert get_constraint_name(refused.value).startswith("rights_rolelimit_")


def test_the_pages_request_roles_and_limits(operation: str, maker: User, checker: User, now: datetime) -> None:
    browser, bob = enter_as(maker), make_member("bob", "teller")
    role = RoleEntry.objects.get(group__name="teller")
    limit = {"operation": operation, "currency": "BRL", "amount": "10.50", "reason": "Policy"}

    page = browser.get(address(User, "act", bob.pk, "change-roles")).content.decode()
    roles = browser.post(
        address(User, "act", bob.pk, "change-roles"), {"roles": ["auditor"], "reason": "New desk"}, follow=True
    )
    limited = browser.post(address(RoleEntry, "act", role.pk, "change-limit"), limit)
    wrong = browser.post(address(RoleEntry, "act", role.pk, "change-limit"), {**limit, "amount": "10,5"})

    assert role.purpose in page
    assert "waits for somebody else" in roles.content.decode()
    assert (limited.status_code, wrong.status_code) == (302, 400)
    for approval in Approval.objects.all():
        decide(approval, checker, now)
    assert bob.groups.get().name == "auditor"
    assert RoleLimit.objects.get().amount == 10_50
    assert "10.50" in browser.get(address(RoleEntry, "change", role.pk)).content.decode()


def test_nobody_requests_roles_of_their_own_on_the_page(maker: User) -> None:
    browser = enter_as(maker)

    path = address(User, "act", maker.pk, "change-roles")

    assert browser.post(path, {"roles": ["ops_maker"], "reason": "Mine"}).status_code == 403


def test_the_first_administrator_gets_the_role_by_a_command_that_is_recorded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bob = make_staff(username="bob")

    call_command("grant_role", "bob", "administrator", reason="The first one")

    assert bob.groups.get().name == "administrator"
    assert "administrator" in capsys.readouterr().out
    assert histories[UserRole].objects.filter(user_id=bob.pk, pgh_label="made").count() == 1


@pytest.mark.parametrize(("who", "role"), [("nobody", "auditor"), ("bob", "king"), ("bob", "ops_checker")])
def test_the_command_says_what_is_wrong(who: str, role: str) -> None:
    make_member("bob", "ops_maker")

    with pytest.raises(CommandError):
        call_command("grant_role", who, role, reason="Why")
