"""Staying signed in: a refresh token works once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from core import sessions
from core.models import RefreshToken, User
from core.tasks import delete_stale_keys
from core.tokens import read_refresh_token, sign_refresh_token
from kyc.models import Client
from tests.api.caller import Caller
from tests.api.session import refresh, run_together, sign_in
from tests.factories import PASSWORD, make_partner

pytestmark = pytest.mark.django_db

THREADS = 20


class TestRefreshing:
    """POST /auth/token/refresh."""

    def test_a_token_works_once(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data
        second = refresh(first["refresh"])

        assert second.status == 200
        assert Caller(second.data["access"]).get("clients/me").status == 200
        assert refresh(first["refresh"]).refusal == (401, "not_authenticated")

    @pytest.mark.django_db(transaction=True)
    def test_exactly_one_of_many_concurrent_uses_succeeds(self, alice: Client) -> None:
        first = sign_in(alice.user.username).data

        answers = run_together(THREADS, lambda: refresh(first["refresh"]))

        assert sorted(answer.status for answer in answers) == [200] + [401] * (THREADS - 1)
        winner = next(answer for answer in answers if answer.status == 200)
        assert refresh(winner.data["refresh"]).status == 401

    @pytest.mark.django_db(transaction=True)
    def test_a_session_that_is_busy_stays_as_good(self, alice: Client, settings: Settings) -> None:
        settings.LOCK_TIMEOUT_MS = 50
        pair = sign_in(alice.user.username).data

        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=alice.user_id)
            [answer] = run_together(1, lambda: refresh(pair["refresh"]))

        assert answer.refusal == (409, "session_busy")
        assert refresh(pair["refresh"]).status == 200

    def test_a_scope_that_is_no_longer_granted_is_not_renewed(self) -> None:
        partner = make_partner()
        pair = sign_in(partner.username).data
        partner.groups.clear()

        assert refresh(pair["refresh"]).refusal == (401, "not_authenticated")

    def test_no_token_is_refused_by_its_field(self) -> None:
        for body in ({}, {"refresh": None}, {"refresh": 1}, {"refresh": "x" * 5000}):
            assert Caller().post("auth/token/refresh", body).refusal == (400, "validation_error")
            assert Caller().post("auth/token/revoke", body).refusal == (400, "validation_error")

    def test_the_database_holds_nothing_that_signs_in(self, alice: Client) -> None:
        sign_in(alice.user.username)
        row = RefreshToken.objects.get()

        for stored in (row.id, row.family, row.id.hex):
            assert refresh(str(stored)).status == 401

    def test_old_tokens_are_deleted_and_no_others(self, alice: Client) -> None:
        pair = sign_in(alice.user.username).data
        RefreshToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert refresh(pair["refresh"]).status == 401
        in_time = sign_in(alice.user.username).data
        assert delete_stale_keys() == 1
        assert RefreshToken.objects.count() == 1
        assert refresh(in_time["refresh"]).status == 200

    def test_an_access_token_refreshes_nothing(self, alice: Client) -> None:
        assert refresh(sign_in(alice.user.username).data["access"]).status == 401

    def test_a_forged_row_id_refreshes_nothing(self, alice: Client) -> None:
        now = timezone.now()
        token = sign_refresh_token(
            token_id=uuid4(), user_id=alice.user_id, expires_at=now + timedelta(hours=1), now=now
        )

        assert read_refresh_token(token=token)
        assert refresh(token).status == 401

    def test_a_session_ends_with_its_time(self, alice: Client) -> None:
        long_ago = timezone.now() - timedelta(seconds=settings.REFRESH_TOKEN_SECONDS + 1)
        pair = sessions.sign_in(
            username=alice.user.username, password=PASSWORD, scope=None, source="here", now=long_ago
        )

        assert refresh(pair.refresh).status == 401
