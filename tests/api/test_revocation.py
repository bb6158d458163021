"""What ends a session: signing out, a token that is used again, a user that is shut out, a new password."""

import threading

import pytest

from core.models import RefreshToken, User
from kyc.models import Client
from tests.api.caller import Answer, Caller
from tests.api.session import refresh, revoke, run_together, sign_in

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
