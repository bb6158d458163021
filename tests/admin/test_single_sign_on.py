"""Staff sign in at an OpenID provider: who they are is its word, what they may do and their second factor are ours."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from core.factors import add_app, propose_secret
from core.models import OpenIdLink, User
from tests.admin.conftest import make_member
from tests.admin.staff_provider import CLIENT, RETURN, SECRET, SIGN_IN, StaffProvider, come_back, follow
from tests.admin.test_second_factor import make_code
from tests.factories import make_alice, make_staff
from tests.runtime_role import as_runtime_role, ensure_runtime_role

pytestmark = pytest.mark.django_db

INDEX, LOGIN, ASK, SET_UP = "/admin/", "/admin/login/", "/admin/second-factor/", "/admin/second-factor/set-up/"
WITH_FACTOR = {"amr": ["pwd", "otp"]}


@pytest.fixture
def provider(settings: Settings) -> Iterator[StaffProvider]:
    """A provider that the back office trusts."""
    provider = StaffProvider()
    settings.STAFF_OIDC_ISSUER, settings.STAFF_OIDC_CLIENT_ID = provider.issuer, CLIENT
    settings.STAFF_OIDC_CLIENT_SECRET = SECRET
    yield provider
    provider.stop()


@pytest.fixture
def maker(db: None) -> User:
    """A member of staff with an address."""
    user = make_member("ops_maker")
    User.objects.filter(pk=user.pk).update(email="Ops_Maker@example.com")
    return user


def is_in(browser: Browser) -> bool:
    """Tell whether the first page is shown."""
    return browser.get(INDEX).status_code == 200


def set_up_app(user: User) -> str:
    """Let the user have an app since an hour ago, and return its secret."""
    secret, before = str(propose_secret()), timezone.now() - timedelta(hours=1)
    add_app(user=user, secret=secret, code=make_code(at=before, secret=secret), now=before)
    return secret


class TestTheWayIn:
    """From the page of signing in to the provider and back."""

    def test_is_offered_where_there_is_a_provider(self, provider: StaffProvider) -> None:
        page = Browser().get(LOGIN, {"next": "/admin/kyc/client/"}).content.decode()

        assert "Sign in with 127.0.0.1" in page
        assert 'href="/admin/openid/?next=%2Fadmin%2Fkyc%2Fclient%2F"' in page

    def test_is_not_there_otherwise(self) -> None:
        assert "Sign in with" not in Browser().get(LOGIN).content.decode()
        assert [Browser().get(path).status_code for path in (SIGN_IN, RETURN)] == [404, 404]

    def test_leads_to_the_page_that_was_asked_for(self, maker: User, provider: StaffProvider) -> None:
        browser = Browser()

        response = come_back(browser, onward="/admin/kyc/client/")

        assert (response.status_code, response["Location"]) == (302, "/admin/kyc/client/")
        assert is_in(browser)
        assert browser.session["_auth_user_id"] == str(maker.pk)

    def test_is_walked_with_the_rights_of_the_running_bank(self, maker: User, provider: StaffProvider) -> None:
        ensure_runtime_role()
        browser = Browser()

        with as_runtime_role():
            come_back(browser)
            assert is_in(browser)

    def test_asks_for_no_more_than_who_it_is(self, maker: User, provider: StaffProvider) -> None:
        come_back(Browser())

        [question] = provider.asked
        assert (question["scope"], question["response_type"]) == ("openid email", "code")
        assert "max_age" not in question

    def test_leads_nowhere_else(self, maker: User, provider: StaffProvider) -> None:
        assert come_back(Browser(), onward="https://evil.example/admin/")["Location"] == INDEX

    def test_gives_the_session_another_key(self, maker: User, provider: StaffProvider) -> None:
        browser = Browser()
        begun = browser.get(SIGN_IN)
        before = browser.session.session_key

        browser.get(follow(begun))  # type: ignore[arg-type]

        assert is_in(browser)
        assert browser.session.session_key != before


class TestWhoIsLetIn:
    """Somebody of our staff, linked once by a verified address."""

    def test_is_linked_by_the_address_once(self, maker: User, provider: StaffProvider) -> None:
        come_back(Browser())
        link = OpenIdLink.objects.get()
        assert (link.issuer, link.subject, link.user_id) == (provider.issuer, "f:1", maker.pk)

        provider.claims = {"email": "other@example.com"}
        browser = Browser()
        come_back(browser)

        assert is_in(browser)

    def test_is_not_who_gets_the_address_later(self, maker: User, provider: StaffProvider) -> None:
        come_back(Browser())
        provider.claims = {"sub": "f:2"}
        browser = Browser()

        come_back(browser)

        assert not is_in(browser)

    @pytest.mark.parametrize(
        "claims",
        [
            {"email_verified": False},
            {"email_verified": "true"},
            {"email": ...},
            {"email": "nobody@example.com"},
            {"email": "%"},
        ],
    )
    def test_is_nobody_without_a_verified_address_of_ours(
        self, maker: User, provider: StaffProvider, claims: dict[str, Any]
    ) -> None:
        provider.claims, browser = claims, Browser()

        assert come_back(browser)["Location"] == LOGIN
        assert not is_in(browser)
        assert "could not be signed in" in browser.get(LOGIN).content.decode()

    @pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": True}, {"is_staff": False}])
    def test_is_neither_gone_nor_a_superuser_nor_a_customer(
        self, maker: User, provider: StaffProvider, change: dict[str, bool]
    ) -> None:
        User.objects.filter(pk=maker.pk).update(**change)
        come_back(Browser())
        assert not OpenIdLink.objects.exists()

        User.objects.filter(pk=maker.pk).update(is_active=True, is_superuser=False, is_staff=True)
        come_back(Browser())
        User.objects.filter(pk=maker.pk).update(**change)
        browser = Browser()
        come_back(browser)

        assert not is_in(browser)

    def test_is_no_client_with_that_address(self, provider: StaffProvider) -> None:
        alice = make_alice()
        provider.claims, browser = {"email": alice.email}, Browser()

        come_back(browser)

        assert not is_in(browser)

    def test_is_not_one_of_two_with_the_address(self, maker: User, provider: StaffProvider) -> None:
        User.objects.filter(pk=make_staff(username="second").pk).update(email="ops_maker@example.com")
        browser = Browser()

        come_back(browser)

        assert not is_in(browser)

    def test_has_no_more_rights_than_ours(self, maker: User, provider: StaffProvider) -> None:
        provider.claims = {"roles": ["administrator"], "groups": ["administrator"]}
        browser = Browser()

        come_back(browser)

        assert browser.get(reverse("admin:core_user_changelist")).status_code == 403


class TestWhatIsRefused:
    """What the provider did not say to this browser, now."""

    def test_a_state_of_another_browser(self, maker: User, provider: StaffProvider) -> None:
        victim = Browser()
        victim.get(SIGN_IN)

        victim.get(follow(Browser().get(SIGN_IN)))  # type: ignore[arg-type]

        assert not is_in(victim)

    def test_a_way_back_that_nobody_began(self, maker: User, provider: StaffProvider) -> None:
        browser = Browser()

        browser.get(follow(Browser().get(SIGN_IN)))  # type: ignore[arg-type]

        assert not is_in(browser)
        assert "was not begun here" in browser.get(LOGIN).content.decode()

    def test_a_code_that_was_begun_elsewhere(self, maker: User, provider: StaffProvider) -> None:
        victim, thief = Browser(), Browser()
        code = dict(parse_qsl(urlsplit(follow(victim.get(SIGN_IN))).query))["code"]  # type: ignore[arg-type]
        back = dict(parse_qsl(urlsplit(follow(thief.get(SIGN_IN))).query))  # type: ignore[arg-type]

        thief.get(f"{RETURN}?{urlencode({**back, 'code': code})}")

        assert not is_in(thief)

    def test_a_way_back_for_the_second_time(self, maker: User, provider: StaffProvider) -> None:
        browser = Browser()
        back = follow(browser.get(SIGN_IN))  # type: ignore[arg-type]
        browser.get(back)
        browser.logout()

        browser.get(back)

        assert not is_in(browser)

    def test_a_way_back_much_later(self, maker: User, provider: StaffProvider) -> None:
        browser = Browser()
        back = follow(browser.get(SIGN_IN))  # type: ignore[arg-type]

        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            browser.get(back)
            assert not is_in(browser)

    @pytest.mark.parametrize(
        "claims",
        [
            {"nonce": "another"},
            {"nonce": ...},
            {"aud": "another"},
            {"azp": "another"},
            {"iss": "https://evil.example"},
            {"exp": 1},
            {"iat": 4_000_000_000},
            {"sub": ""},
        ],
        ids=str,
    )
    def test_an_id_token_that_is_not_for_this(
        self, maker: User, provider: StaffProvider, claims: dict[str, Any]
    ) -> None:
        provider.claims, browser = claims, Browser()

        assert come_back(browser)["Location"] == LOGIN
        assert not is_in(browser)

    @pytest.mark.parametrize("query", ["", "?error=access_denied", "?code=", "?code=a%00&state=%ff", "?state=x"])
    def test_a_way_back_that_says_no(self, maker: User, provider: StaffProvider, query: str) -> None:
        browser = Browser()
        browser.get(SIGN_IN)

        assert browser.get(f"{RETURN}{query}").status_code == 302
        assert not is_in(browser)

    def test_anybody_while_the_provider_is_away(self, maker: User, provider: StaffProvider) -> None:
        provider.stop()
        browser = Browser()

        assert browser.get(SIGN_IN)["Location"] == LOGIN
        assert "could not be signed in" in browser.get(LOGIN).content.decode()

    def test_too_many_failures_from_one_source(self, maker: User, provider: StaffProvider, settings: Settings) -> None:
        settings.FAILED_SIGN_INS_PER_SOURCE = 2
        provider.claims = {"email": "nobody@example.com"}
        for _ in range(2):
            come_back(Browser())
        provider.claims = {}
        browser = Browser()

        come_back(browser)

        assert not is_in(browser)


class TestTheSecondFactor:
    """Is the provider's only where it says so."""

    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.STAFF_MFA_REQUIRED = True

    @pytest.mark.parametrize(
        "claims",
        [{}, {"amr": ["pwd"]}, {"amr": ["otp"]}, {"amr": "mfa"}, {"amr": [["mfa"]]}, {"acr": "2"}, {"acr": ""}],
    )
    def test_is_ours_unless_the_provider_says_so(
        self, maker: User, provider: StaffProvider, claims: dict[str, Any]
    ) -> None:
        secret = set_up_app(maker)
        provider.claims, browser = claims, Browser()

        come_back(browser)

        assert browser.get(INDEX)["Location"].startswith(ASK)
        browser.post(ASK, {"code": make_code(at=timezone.now(), secret=secret)})
        assert is_in(browser)

    @pytest.mark.parametrize("claims", [{"amr": ["mfa"]}, {"amr": ["pwd", "otp"]}, {"amr": ["pin", "hwk"]}])
    def test_is_the_providers_if_it_says_so(self, maker: User, provider: StaffProvider, claims: dict[str, Any]) -> None:
        set_up_app(maker)
        provider.claims, browser = claims, Browser()

        come_back(browser)

        assert is_in(browser)

    def test_is_asked_for_and_known_by_the_acr_that_is_set(
        self, maker: User, provider: StaffProvider, settings: Settings
    ) -> None:
        settings.STAFF_OIDC_MFA_ACR = "2"
        provider.claims, browser = {"acr": "2"}, Browser()

        come_back(browser)

        assert is_in(browser)
        assert provider.asked[0]["acr_values"] == "2"

    def test_is_set_up_by_who_has_just_proved_to_be_there(self, maker: User, provider: StaffProvider) -> None:
        long_ago = int(timezone.now().timestamp()) - 7_200
        provider.claims, browser = {"auth_time": long_ago}, Browser()
        come_back(browser)
        assert browser.get(INDEX)["Location"].startswith(SET_UP)
        asked = browser.get(SET_UP)
        assert asked["Location"].startswith(ASK)
        assert "Sign in with 127.0.0.1" in browser.get(ASK).content.decode()

        provider.claims = {}
        response = come_back(browser, onward=SET_UP)

        assert (response["Location"], provider.asked[-1]["max_age"]) == (SET_UP, "0")
        assert browser.get(SET_UP).status_code == 200


class TestProvingAgain:
    """Who came from the provider proves there to be at the desk still."""

    def test_needs_that_the_provider_asks_anew(self, maker: User, provider: StaffProvider) -> None:
        browser = self._sign_in_long_ago(provider)
        provider.claims |= {"auth_time": self._moment(minutes=5)}

        come_back(browser, onward=SET_UP)

        assert browser.get(SET_UP)["Location"].startswith(ASK)

    def test_needs_the_same_person(self, maker: User, provider: StaffProvider) -> None:
        browser = self._sign_in_long_ago(provider)
        User.objects.filter(pk=make_member("ops_checker").pk).update(email="checker@example.com")
        provider.claims = WITH_FACTOR | {"sub": "f:2", "email": "checker@example.com"}

        come_back(browser, onward=SET_UP)

        assert browser.get(SET_UP)["Location"].startswith(ASK)
        assert browser.session["_auth_user_id"] == str(maker.pk)

    def test_needs_a_second_factor_of_who_has_one_here(self, maker: User, provider: StaffProvider) -> None:
        set_up_app(maker)
        browser = self._sign_in_long_ago(provider)
        provider.claims = {}

        come_back(browser, onward=SET_UP)

        assert browser.get(SET_UP)["Location"].startswith(ASK)

    def test_is_good_then(self, maker: User, provider: StaffProvider) -> None:
        set_up_app(maker)
        browser = self._sign_in_long_ago(provider)
        provider.claims = WITH_FACTOR

        come_back(browser, onward=SET_UP)

        assert browser.get(SET_UP).status_code == 200

    def _sign_in_long_ago(self, provider: StaffProvider) -> Browser:
        provider.claims, browser = WITH_FACTOR | {"auth_time": self._moment(minutes=120)}, Browser()
        come_back(browser)
        assert is_in(browser)
        assert browser.get(SET_UP)["Location"].startswith(ASK)
        return browser

    def _moment(self, *, minutes: int) -> int:
        return int((timezone.now() - timedelta(minutes=minutes)).timestamp())
