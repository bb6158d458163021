"""What ends a session: signing out, a token that is used again, a user that is shut out, a new password."""

import threading
from collections.abc import Callable
from io import StringIO
from unittest import mock

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.test import Client as Browser

from core.models import RefreshToken, User
from kyc.models import Client
from tests.admin.addresses import address
from tests.api.caller import Answer, Caller
from tests.api.session import refresh, revoke, run_together, sign_in
from tests.factories import make_alice, make_staff

pytestmark = pytest.mark.django_db


class TestRevocation:
    """The end of a session."""

    def test_reuse_revokes_the_family_for_good(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        other_session = sign_in(alice.user.username).data
        second = refresh(first["refresh"]).data

        refresh(first["refresh"])

        assert refresh(second["refresh"]).status == 401
        assert refresh(other_session["refresh"]).status == 200

    @pytest.mark.django_db(transaction=True)
    def test_a_revocation_also_meets_the_successor_that_is_being_made(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        second = refresh(first["refresh"]).data
        tokens = iter([first["refresh"], second["refresh"]] * 5)
        lock = threading.Lock()

        def use_next() -> Answer:
            with lock:
                token = next(tokens)
            return refresh(token)

        run_together(10, use_next)

        assert not RefreshToken.objects.filter(used_at=None, revoked_at=None).exists()

    def test_signing_out_ends_the_session_and_can_be_repeated(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        second = refresh(first["refresh"]).data

        assert [revoke(second["refresh"]).data, revoke(second["refresh"]).data] == [{}, {}]
        assert refresh(second["refresh"]).status == 401

    @pytest.mark.parametrize("token", ["x", "a.b.c", "é", "." * 4096])
    def test_signing_out_of_nothing_is_no_error(self, token: str) -> None:
        assert revoke(token).data == {}
        assert refresh(token).refusal == (401, "not_authenticated")

    def test_an_inactive_user_gets_no_new_token(self, alice: Client) -> None:
        pair = sign_in(alice.user.username).data
        User.objects.filter(pk=alice.user_id).update(is_active=False)

        assert refresh(pair["refresh"]).refusal == (401, "not_authenticated")
        assert Caller(pair["access"]).get("clients/me").refusal == (401, "not_authenticated")


NEW_PASSWORD = "another-Passphrase-7"


def _change_in_the_admin(user: User) -> None:
    browser = Browser()
    browser.force_login(make_staff(is_superuser=True))
    path = address(User, "change", user.pk).removesuffix("change/") + "password/"
    body = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert browser.post(path, body).status_code == 302


def _change_by_command(user: User) -> None:
    with mock.patch("getpass.getpass", return_value=NEW_PASSWORD):
        call_command("changepassword", user.username, stdout=StringIO())


def _change_in_the_table(user: User) -> None:
    User.objects.filter(pk=user.pk).update(password=make_password(NEW_PASSWORD))


class TestNewPassword:
    """A new password ends what came of the old one."""

    @pytest.mark.parametrize("change", [_change_in_the_admin, _change_by_command, _change_in_the_table])
    def test_ends_all_sessions_however_it_was_changed(self, alice: Client, change: Callable[[User], None]) -> None:
        pairs = [sign_in(alice.user.username).data for _ in range(2)]

        change(alice.user)

        assert [refresh(pair["refresh"]).refusal for pair in pairs] == [(401, "not_authenticated")] * 2
        assert [Caller(pair["access"]).get("clients/me").status for pair in pairs] == [401] * 2
        assert sign_in(alice.user.username, NEW_PASSWORD).status == 200

    def test_lets_the_sessions_of_others_be(self, alice: Client) -> None:
        pair = sign_in(alice.user.username).data

        _change_in_the_table(make_alice().user)

        assert Caller(pair["access"]).get("clients/me").status == 200
        assert refresh(pair["refresh"]).status == 200

    def test_a_token_from_before_tags_were_kept_is_over(self, alice: Client) -> None:
        pair = sign_in(alice.user.username).data
        RefreshToken.objects.update(password_tag="")

        assert refresh(pair["refresh"]).status == 401
