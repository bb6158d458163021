"""Users: staff are managed by who may, rights and customers' passwords by superusers only."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser
from django.utils.html import escape

from bank.roles import ROLES
from core.models import User
from tests.admin.addresses import address
from tests.admin.conftest import make_member
from tests.factories import make_alice, make_staff

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]

PASSWORDS = {"password1": "another-Passphrase-7", "password2": "another-Passphrase-7"}


@pytest.fixture
def manager() -> Browser:
    """The browser of somebody who manages staff, but is no superuser."""
    browser = Browser()
    browser.force_login(make_staff(permissions=("core.view_user", "core.add_user", "core.change_user")))
    return browser


def test_a_new_user_is_staff_and_has_no_rights(manager: Browser) -> None:
    response = manager.post(
        address(User, "add"), {"username": "carla", "usable_password": "true", "is_superuser": "on", **PASSWORDS}
    )

    assert response.status_code == 302
    carla = User.objects.get(username="carla")
    assert (carla.is_staff, carla.is_superuser, carla.groups.count()) == (True, False, 0)


def test_a_manager_gives_nobody_rights(manager: Browser) -> None:
    maker = make_member("ops_maker")
    body = {
        "username": "ops_maker",
        "is_active": "on",
        "is_superuser": "on",
        "groups": [Group.objects.get(name="kyc_approver").pk],
    }

    assert manager.post(address(User, "change", maker.pk), body).status_code == 302

    maker.refresh_from_db()
    assert not maker.is_superuser
    assert set(maker.groups.values_list("name", flat=True)) == {"ops_maker"}


def test_a_manager_touches_neither_superusers_nor_customers(manager: Browser) -> None:
    for user in (make_member("admin"), make_alice().user):
        path = address(User, "change", user.pk)

        assert manager.get(path).status_code == 200
        assert manager.post(path, {"username": "mine", "is_active": "on"}).status_code == 403
        assert manager.post(f"{path.removesuffix('change/')}password/", PASSWORDS).status_code == 403
        assert User.objects.get(pk=user.pk).username == user.username


def test_a_superuser_sets_a_customers_password(sign_in: SignIn) -> None:
    alice = make_alice().user
    path = address(User, "change", alice.pk).removesuffix("change/") + "password/"

    sign_in("admin").post(path, {**PASSWORDS, "usable_password": "true"})

    alice.refresh_from_db()
    assert alice.check_password(PASSWORDS["password1"])


def test_nobody_deletes_a_user(sign_in: SignIn) -> None:
    alice = make_alice().user

    assert sign_in("admin").post(address(User, "delete", alice.pk), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()


def test_a_users_page_says_in_words_what_each_role_may_do_and_what_switching_off_does(sign_in: SignIn) -> None:
    browser, maker = sign_in("admin"), make_member("ops_maker")
    page = browser.get(address(User, "change", maker.pk)).content.decode()
    roles = browser.get(address(User, "act", maker.pk, "change-roles")).content.decode()

    assert all(escape(terms.purpose) in roles for name, terms in ROLES.items() if name != "partner")
    assert "when a person leaves" in page
    assert "user_permissions" not in page


def test_no_form_gives_a_role_not_even_to_a_superuser(sign_in: SignIn) -> None:
    maker, auditor = make_member("ops_maker"), Group.objects.get(name="auditor")
    body = {"username": "ops_maker", "is_active": "on", "is_staff": "on", "groups": [auditor.pk]}

    assert sign_in("admin").post(address(User, "change", maker.pk), body).status_code == 302

    assert maker.groups.get().name == "ops_maker"


def test_an_administrator_makes_and_ends_staff_without_being_superuser(sign_in: SignIn) -> None:
    browser, maker = sign_in("administrator"), make_member("ops_maker")
    path = address(User, "change", maker.pk)

    made = browser.post(address(User, "add"), {"username": "carla", "usable_password": "true", **PASSWORDS})
    reset = browser.post(f"{path.removesuffix('change/')}password/", {**PASSWORDS, "usable_password": "true"})
    ended = browser.post(path, {"username": "ops_maker"})

    assert [made.status_code, reset.status_code, ended.status_code] == [302, 302, 302]
    maker.refresh_from_db()
    assert (maker.is_active, maker.check_password(PASSWORDS["password1"])) == (False, True)


def test_an_administrator_gives_itself_nothing(sign_in: SignIn) -> None:
    browser = sign_in("administrator")
    own = User.objects.get(username="administrator")
    body = {
        "username": "administrator",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [Group.objects.get(name="ops_maker").pk],
    }

    browser.post(address(User, "change", own.pk), body)

    own.refresh_from_db()
    assert not own.is_superuser
    assert set(own.groups.values_list("name", flat=True)) == {"administrator"}
