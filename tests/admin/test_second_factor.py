"""A password alone lets no member of staff in; a code works once, under the limits of passwords."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import Settings

from approvals.models import Approval
from approvals.states import ApprovalStatus
from core.factors import accept_code, add_app, propose_secret
from core.history.tracking import histories
from core.models import Factor, RoleEntry, User
from tests.admin.addresses import address
from tests.admin.conftest import make_member
from tests.api.session import run_together
from tests.approvals.naming import get_seen, make_checker, request_name
from tests.factories import PASSWORD, make_staff
from tests.presence import enter_as

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
INDEX, ASK, SET_UP = "/admin/", "/admin/second-factor/", "/admin/second-factor/set-up/"
SECRET = propose_secret()


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until a test moves it."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def _required(settings: Settings) -> None:
    settings.STAFF_MFA_REQUIRED = True


def make_code(*, at: datetime = NOW, secret: str = SECRET) -> str:
    """Return what the app shows."""
    return str(format_hotp_value(hotp_value(secret, int(at.timestamp()) // 30)))


@pytest.fixture
def maker(clock: time_machine.Traveller) -> User:
    """A member of staff who set up an app an hour ago."""
    user = make_member("ops_maker")
    before = NOW - timedelta(hours=1)
    add_app(user=user, secret=SECRET, code=make_code(at=before), now=before)
    return user


def give_password(username: str = "ops_maker") -> Browser:
    """Return the browser of somebody who gave the right password."""
    browser = Browser()
    response = browser.post(reverse("admin:login"), {"username": username, "password": PASSWORD})
    assert response.status_code == 302
    return browser


def give_code(browser: Browser, code: str, **fields: str) -> HttpResponse:
    """Fill in the form."""
    return browser.post(ASK, {"code": code, **fields})  # type: ignore[return-value]


def is_in(browser: Browser) -> bool:
    """Tell whether the first page is shown."""
    return browser.get(INDEX).status_code == 200


def test_the_password_alone_shows_no_page(maker: User) -> None:
    browser = give_password()

    for path in (INDEX, address(User, "changelist"), "/admin/nothing/", "/admin/password_change/"):
        response = browser.get(path)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, ASK), path
        assert browser.post(path).status_code == 302, path


def test_password_and_code_let_in_to_the_page_that_was_asked_for(maker: User) -> None:
    browser = give_password()

    response = give_code(browser, make_code(), next="/admin/kyc/client/")

    assert (response.status_code, response["Location"]) == (302, "/admin/kyc/client/")
    assert is_in(browser)


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/admin/", "/api/docs/", "javascript:x"])
def test_nobody_is_sent_elsewhere(maker: User, address: str) -> None:
    assert give_code(give_password(), make_code(), next=address)["Location"] == INDEX


def test_a_code_works_once(maker: User) -> None:
    first, second = give_password(), give_password()

    give_code(first, make_code())
    refused = give_code(second, make_code())

    assert (is_in(first), is_in(second)) == (True, False)
    assert "was used before" in refused.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_give_the_same_code_at_once_one_gets_in(maker: User) -> None:
    taken = run_together(8, lambda: accept_code(user=maker, code=make_code(), now=NOW))

    assert taken.count(True) == 1


@pytest.mark.parametrize(("seconds", "taken"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_a_step_off(maker: User, seconds: int, *, taken: bool) -> None:
    browser = give_password()

    give_code(browser, make_code(at=NOW + timedelta(seconds=seconds)))

    assert is_in(browser) is taken


@pytest.mark.parametrize("code", ["", "000000x", "١٢٣٤٥٦", "a\0", "9" * 16, "'; --"])
def test_nonsense_is_a_wrong_code(maker: User, code: str) -> None:
    browser = give_password()

    assert give_code(browser, code).status_code == 200
    assert not is_in(browser)


def test_wrong_codes_close_the_account_as_wrong_passwords_do(maker: User, settings: Settings) -> None:
    settings.FAILED_SIGN_INS_PER_ACCOUNT = 3
    browser = give_password()

    statuses = [give_code(browser, "000000").status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert give_code(browser, make_code()).status_code == 429
    assert not is_in(browser)
    response = Browser().post(reverse("admin:login"), {"username": "ops_maker", "password": PASSWORD})
    assert response.status_code == 429


def test_wrong_codes_are_counted_over_a_day(maker: User, settings: Settings) -> None:
    settings.FAILED_CODES_PER_DAY = 2
    settings.FAILED_SIGN_INS_PER_ACCOUNT = 1_000

    statuses = [give_code(give_password(), "000000").status_code for _ in range(4)]

    assert statuses == [200, 200, 429, 429]
    assert give_code(give_password(), make_code()).status_code == 429


def test_a_recovery_code_works_once() -> None:
    user = make_member("ops_maker")
    codes = add_app(user=user, secret=SECRET, code=make_code(), now=NOW)
    first, second = give_password(), give_password()

    give_code(first, codes[3])
    give_code(second, codes[3])

    assert (is_in(first), is_in(second)) == (True, False)
    assert len(set(codes)) == 10


def test_who_has_none_reaches_the_page_that_sets_one_up_and_no_other() -> None:
    make_member("auditor")
    browser = give_password("auditor")

    response = browser.get(INDEX)

    assert (response.status_code, response["Location"].split("?")[0]) == (302, SET_UP)
    assert browser.get(SET_UP).status_code == 200
    assert browser.get(address(User, "changelist")).status_code == 302


def test_an_app_is_set_up_and_the_recovery_codes_are_shown_once() -> None:
    make_member("auditor")
    browser = give_password("auditor")
    secret = browser.get(SET_UP).context["secret"].replace(" ", "")

    page = browser.post(SET_UP, {"do": "app", "code": make_code(secret=secret)})

    codes = page.context["codes"]
    assert all(code in page.content.decode() for code in codes)
    assert is_in(browser)
    assert codes[0] not in browser.get(SET_UP).content.decode()
    assert not is_in(give_password("auditor"))


def test_a_wrong_code_sets_nothing_up() -> None:
    user = make_member("auditor")
    browser = give_password("auditor")
    browser.get(SET_UP)

    assert browser.post(SET_UP, {"do": "app", "code": "000000"}).status_code == 400
    assert not Authenticator.objects.filter(user=user).exists()


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", '{"id": 1}', "x", '{"response": {}}'])
def test_what_is_no_passkey_is_refused(credential: str) -> None:
    make_member("auditor")
    browser = give_password("auditor")
    browser.get(SET_UP)

    assert browser.post(SET_UP, {"do": "passkey", "name": "Key", "credential": credential}).status_code == 400
    assert give_code(browser, "", credential=credential).status_code in (200, 302)
    assert not is_in(browser)


def test_who_has_given_the_password_alone_changes_no_factor(maker: User) -> None:
    browser = give_password()

    assert browser.get(SET_UP)["Location"].split("?")[0] == ASK
    browser.post(SET_UP, {"do": "codes"})
    browser.post(SET_UP, {"do": "remove", "factor": Authenticator.objects.first().pk})

    assert Authenticator.objects.filter(user=maker).count() == 2


def test_the_factor_is_asked_for_again_before_it_is_changed(maker: User, clock: time_machine.Traveller) -> None:
    browser = give_password()
    give_code(browser, make_code())
    assert browser.get(SET_UP).status_code == 200

    clock.shift(timedelta(minutes=11))

    assert browser.get(SET_UP)["Location"].split("?")[0] == ASK
    give_code(browser, make_code(at=NOW + timedelta(minutes=11)))
    assert browser.get(SET_UP).status_code == 200


def test_the_last_factor_is_not_taken_away(maker: User) -> None:
    browser = give_password()
    give_code(browser, make_code())
    app = Authenticator.objects.get(type="totp")

    assert browser.post(SET_UP, {"do": "remove", "factor": app.pk}).status_code == 409
    assert Authenticator.objects.filter(pk=app.pk).exists()


def test_where_none_is_required_who_has_one_is_asked_all_the_same(maker: User, settings: Settings) -> None:
    settings.STAFF_MFA_REQUIRED = False
    make_member("auditor")

    assert not is_in(give_password())
    assert is_in(give_password("auditor"))


def test_a_secret_is_encrypted_at_rest(maker: User) -> None:
    app = Authenticator.objects.get(type="totp")

    assert SECRET not in str(app.data)


def test_an_administrator_resets_what_another_has_lost(maker: User) -> None:
    administrator, signed_in = make_member("administrator"), give_password()
    give_code(signed_in, make_code())
    browser = enter_as(administrator)

    done = browser.post(address(User, "act", maker.pk, "reset-factors"), {"reason": "Lost telephone, called back"})

    assert done.status_code == 302
    assert not is_in(signed_in)
    assert give_password().get(INDEX)["Location"].split("?")[0] == SET_UP
    record = histories[Factor].objects.filter(user_id=maker.pk, pgh_label="deleted")
    assert {row.pgh_user_id for row in record} == {administrator.pk}
    assert {row.pgh_context["reason"] for row in record} == {"Lost telephone, called back"}


def test_nobody_resets_their_own_factors_and_no_administrator_those_of_a_superuser(maker: User) -> None:
    administrator, superuser = make_member("administrator"), make_member("admin")
    browser = enter_as(administrator)

    for user in (administrator, superuser):
        path = address(User, "act", user.pk, "reset-factors")
        assert browser.post(path, {"reason": "Mine"}).status_code == 403


def test_a_session_ends_after_half_an_hour_without_a_request(maker: User, clock: time_machine.Traveller) -> None:
    browser = give_password()
    give_code(browser, make_code())

    for _ in range(3):
        clock.shift(timedelta(minutes=29))
        assert is_in(browser)
    clock.shift(timedelta(minutes=32))

    assert browser.get(INDEX)["Location"].startswith(reverse("admin:login"))


def test_a_session_ends_after_twelve_hours_whatever_happens(maker: User, clock: time_machine.Traveller) -> None:
    browser = give_password()
    give_code(browser, make_code())

    for _ in range(28):
        clock.shift(timedelta(minutes=25))
        assert is_in(browser)
    clock.shift(timedelta(minutes=25))

    assert not is_in(browser)


def test_who_is_set_inactive_and_active_again_signs_in_anew(maker: User) -> None:
    signed_in, administrator = give_password(), enter_as(make_member("admin"))
    give_code(signed_in, make_code())
    body = {"username": "ops_maker", "is_staff": "on", "groups": [group.pk for group in maker.groups.all()]}

    administrator.post(address(User, "change", maker.pk), body)
    assert not is_in(signed_in)
    administrator.post(address(User, "change", maker.pk), {**body, "is_active": "on"})

    maker.refresh_from_db()
    assert maker.is_active
    assert not is_in(signed_in)


def test_a_new_password_ends_the_sessions_on_all_other_devices(maker: User) -> None:
    browser = give_password()
    give_code(browser, make_code())

    maker.set_password("another-Passphrase-7")
    maker.save()

    assert not is_in(browser)


def test_the_key_of_the_session_is_another_after_each_step(maker: User) -> None:
    browser = give_password()
    before = browser.session.session_key

    give_code(browser, make_code())

    assert browser.session.session_key != before


@pytest.mark.parametrize("path", ["signup", "email", "password/reset", "2fa", "2fa/totp/activate", "3rdparty"])
@pytest.mark.parametrize("prefix", ["/accounts/", "/admin/accounts/", "/admin/", "/"])
def test_no_page_of_the_library_is_there(prefix: str, path: str) -> None:
    for address_ in (f"{prefix}{path}/", f"{prefix}{path}"):
        response = Browser().get(address_, follow=True)
        ended = response.redirect_chain[-1][0] if response.redirect_chain else address_
        assert response.status_code == 404 or ended.startswith(reverse("admin:login")), ended


class TestProvingAgain:
    """What is worth asking twice asks who sits there, unless they said so within ten minutes."""

    @pytest.fixture
    def browser(self, maker: User) -> Browser:
        """Somebody who may request rights, with an app."""
        maker.groups.set([Group.objects.get(name="administrator")])
        return enter_as(maker)

    @pytest.fixture
    def bob(self) -> User:
        """Whose rights are requested."""
        return make_staff(username="bob")

    def test_is_not_asked_within_ten_minutes(self, browser: Browser, bob: User) -> None:
        path = address(User, "act", bob.pk, "change-roles")

        assert browser.get(path).status_code == 200

    @pytest.mark.parametrize("name", ["change-roles", "reset-factors"])
    def test_comes_before_rights_and_factors_of_others(
        self, browser: Browser, bob: User, clock: time_machine.Traveller, name: str
    ) -> None:
        path = address(User, "act", bob.pk, name)
        clock.shift(timedelta(minutes=11))

        for response in (browser.get(path), browser.post(path, {"roles": ["teller"], "reason": "New desk"})):
            assert (response.status_code, response["Location"]) == (302, f"{ASK}?{urlencode({'next': path})}")
        assert not Approval.objects.exists()

    def test_comes_before_a_limit(self, browser: Browser, clock: time_machine.Traveller) -> None:
        clock.shift(timedelta(minutes=11))

        path = address(RoleEntry, "act", RoleEntry.objects.all()[0].pk, "change-limit")

        assert browser.get(path)["Location"].startswith(ASK)

    def test_comes_before_an_approval_and_not_before_a_refusal(self, clock: time_machine.Traveller) -> None:
        approval, checker = request_name(now=NOW), enter_as(make_checker())
        clock.shift(timedelta(minutes=11))

        pages = [checker.get(address(Approval, "act", approval.pk, name)) for name in ("approve", "reject")]
        checker.post(address(Approval, "act", approval.pk, "approve"), {"seen": get_seen(approval), "reason": "Right"})

        assert [page.status_code for page in pages] == [302, 200]
        approval.refresh_from_db()
        assert approval.status == ApprovalStatus.PENDING

    def test_is_by_a_new_code_and_leads_back(self, browser: Browser, bob: User, clock: time_machine.Traveller) -> None:
        path = address(User, "act", bob.pk, "change-roles")
        clock.shift(timedelta(minutes=11))

        given = give_code(browser, make_code(at=NOW + timedelta(minutes=11)), next=path)

        assert given["Location"] == path
        assert browser.get(path).status_code == 200
