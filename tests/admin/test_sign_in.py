"""Staff sign in under the same limits of failures as customers."""

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import Settings

from core.models import User
from tests.admin.conftest import make_member
from tests.api.session import redis_away, run_together
from tests.api.session import sign_in as sign_in_to_the_api
from tests.factories import PASSWORD, make_alice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.FAILED_SIGN_INS_PER_ACCOUNT = 3
    settings.FAILED_SIGN_INS_PER_SOURCE = 5


@pytest.fixture
def maker(db: None) -> User:
    """A member of staff."""
    return make_member("ops_maker")


def sign_in(username: str, password: str = PASSWORD, **environ: str) -> HttpResponse:
    """Fill in the form."""
    body = {"username": username, "password": password, "next": reverse("admin:index")}
    return Browser(**environ).post(reverse("admin:login"), body)  # type: ignore[return-value, arg-type]


def test_staff_get_in(maker: User) -> None:
    browser = Browser()

    response = browser.post(reverse("admin:login"), {"username": "Ops_Maker", "password": PASSWORD})

    assert (response.status_code, response["Location"]) == (302, reverse("admin:index"))
    assert browser.get(reverse("admin:index")).status_code == 200


def test_an_account_is_closed_for_a_minute_after_too_many_failures(maker: User) -> None:
    statuses = [sign_in("ops_maker", "wrong").status_code for _ in range(4)]
    refused = sign_in("ops_maker")

    assert statuses == [200, 200, 200, 429]
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert f"Too many failed sign-ins. Try again in {refused['Retry-After']} seconds." in refused.content.decode()


def test_a_source_is_closed_after_too_many_failures(maker: User) -> None:
    statuses = [sign_in(f"nobody-{number}").status_code for number in range(6)]

    assert statuses == [200] * 5 + [429]
    assert sign_in("ops_maker").status_code == 429
    assert sign_in("ops_maker", REMOTE_ADDR="192.0.2.7").status_code == 302


def test_the_api_gives_no_further_guesses(maker: User) -> None:
    statuses = [sign_in("ops_maker", "wrong").status_code, sign_in_to_the_api("ops_maker", "wrong").status]
    statuses += [sign_in("ops_maker", "wrong").status_code, sign_in_to_the_api("ops_maker", "wrong").status]

    assert statuses == [200, 401, 200, 429]


def test_the_right_password_of_a_customer_looks_like_a_wrong_one() -> None:
    username = make_alice().user.username

    answers = [sign_in(username), sign_in(username, "wrong"), sign_in("nobody")]
    statuses = [sign_in(username).status_code for _ in range(2)]

    assert all("Please enter the correct" in answer.content.decode() for answer in answers)
    assert statuses == [200, 429]


def test_somebody_who_left_does_not_get_in(maker: User) -> None:
    User.objects.update(is_active=False)

    assert sign_in("ops_maker").status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"username": "ops_maker"}, {"password": "x"}, {"username": "a\0", "password": "x"}]
)
def test_an_incomplete_form_is_no_failure(body: dict[str, str], maker: User) -> None:
    statuses = [Browser().post(reverse("admin:login"), body).status_code for _ in range(10)]

    assert set(statuses) == {200}
    assert sign_in("ops_maker").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_get_no_more_answers(maker: User) -> None:
    statuses = run_together(20, lambda: sign_in("ops_maker", "wrong").status_code)

    assert sorted(statuses) == [200] * 3 + [429] * 17


def test_failures_are_counted_without_redis(maker: User, settings: Settings) -> None:
    with redis_away(settings):
        statuses = [sign_in("ops_maker", "wrong").status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
