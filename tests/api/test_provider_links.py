"""Which user a subject of the OpenID provider is."""

import logging
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.services import inactivate_client
from core.models import OpenIdLink, User
from kyc.models import Client
from kyc.services import update_client
from tests.api.caller import Answer, Caller
from tests.api.provider import Provider
from tests.api.session import run_together
from tests.factories import make_alice, make_bob, make_client, make_inactive_client, make_partner, make_staff
from tests.runtime_role import as_runtime_role, ensure_runtime_role

pytestmark = pytest.mark.django_db

REFUSED = (401, "not_authenticated")


def _call(provider: Provider, client: Client, **claims: object) -> Answer:
    return Caller(provider.issue(client, **claims)).get("clients/me")


class TestLinking:
    """The first call with a token of a new subject."""

    def test_links_by_the_verified_address(self, alice: Client, provider: Provider) -> None:
        answer = _call(provider, alice, sub="f:1")

        assert answer.data["id"] == str(alice.id)
        link = OpenIdLink.objects.get()
        assert (link.issuer, link.subject, link.user_id) == (provider.issuer, "f:1", alice.user_id)

    def test_does_so_with_the_rights_of_the_running_bank(self, alice: Client, provider: Provider) -> None:
        ensure_runtime_role()

        with as_runtime_role():
            assert _call(provider, alice).status == 200

    def test_capitals_make_no_other_address(self, provider: Provider) -> None:
        client = make_client(email="Carla.Costa@example.com")

        assert _call(provider, client, email="carla.COSTA@EXAMPLE.com").data["id"] == str(client.id)

    @pytest.mark.parametrize("verified", [False, None, ..., "true", 1, "false", [True]])
    def test_takes_no_address_that_is_not_verified(self, alice: Client, provider: Provider, verified: object) -> None:
        assert _call(provider, alice, email_verified=verified).refusal == REFUSED
        assert not OpenIdLink.objects.exists()

    @pytest.mark.parametrize(
        "email", [..., None, "", 7, ["x@example.com"], "nobody@example.com", "a\0b@example.com", "%", "x" * 4_000]
    )
    def test_takes_no_address_of_nobody(self, alice: Client, provider: Provider, email: object) -> None:
        assert _call(provider, alice, email=email).refusal == REFUSED

    def test_takes_no_look_alike(self, provider: Provider) -> None:
        client = make_client(email="kim@example.com")

        assert _call(provider, client, email="\u212aim@example.com").refusal == REFUSED  # the sign of Kelvin

    def test_takes_nobody_for_whom_the_database_takes_for_them(self, provider: Provider) -> None:
        client = make_client()
        Client.objects.filter(pk=client.pk).update(email="v\u0130ctim@example.com")  # as it once could be registered

        assert _call(provider, client, email="victim@example.com").refusal == REFUSED

    @pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}])
    def test_makes_no_member_of_staff_a_caller(
        self, alice: Client, provider: Provider, rights: dict[str, bool]
    ) -> None:
        User.objects.filter(pk=alice.user_id).update(**rights)

        assert _call(provider, alice).refusal == REFUSED

    def test_finds_nobody_who_is_no_client(self, alice: Client, provider: Provider) -> None:
        for user in (make_partner(), make_staff()):
            User.objects.filter(pk=user.pk).update(email="somebody@example.com")

            assert _call(provider, alice, email="somebody@example.com").refusal == REFUSED

    def test_is_refused_to_a_second_subject_of_the_same_user(self, alice: Client, provider: Provider) -> None:
        assert _call(provider, alice, sub="f:1").status == 200

        assert _call(provider, alice, sub="f:2").refusal == REFUSED
        assert _call(provider, alice, sub="f:1").status == 200

    def test_shuts_out_nobody_who_is_in_review(self, provider: Provider) -> None:
        assert _call(provider, make_bob()).data["kyc_status"] == "in_review"

    def test_says_in_the_log_why_not_but_not_of_whom(
        self, alice: Client, provider: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        _call(provider, alice, email_verified=False)
        _call(provider, alice, email="nobody@example.com")
        _call(provider, alice, sub="f:1")
        _call(provider, alice, sub="f:2")
        User.objects.update(is_active=False)
        _call(provider, alice, sub="f:1")

        reasons = [record.getMessage().split(": ")[1] for record in caplog.records if "OpenID" in record.getMessage()]
        assert reasons == [
            "its e-mail address is not verified",
            "nobody who may sign in with it has its e-mail address",
            "its user is linked to another subject",
            "its user is inactive",
        ]
        assert not [canary for canary in (alice.email, "f:1", "f:2", "nobody@") if canary in caplog.text]

    @pytest.mark.django_db(transaction=True)
    def test_happens_once_in_a_race_of_one_subject(self, alice: Client, provider: Provider) -> None:
        answers = run_together(10, lambda: _call(provider, alice))

        assert [answer.status for answer in answers] == [200] * 10
        assert OpenIdLink.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_happens_once_in_a_race_of_several_subjects(self, alice: Client, provider: Provider) -> None:
        subjects = iter(range(10))

        answers = run_together(10, lambda: _call(provider, alice, sub=f"f:{next(subjects)}"))

        assert sorted(answer.status for answer in answers) == [200] + [401] * 9
        assert OpenIdLink.objects.count() == 1


class TestLinked:
    """Who has called before."""

    def test_stays_the_same_whatever_the_token_says_of_the_address(self, alice: Client, provider: Provider) -> None:
        assert _call(provider, alice, sub="f:1").status == 200
        other = make_alice()

        answer = _call(provider, other, sub="f:1", email=other.email)

        assert answer.data["id"] == str(alice.id)

    def test_stays_the_same_when_the_client_changes_its_address(self, alice: Client, provider: Provider) -> None:
        assert _call(provider, alice, sub="f:1").status == 200
        update_client(client_id=alice.id, email="new@example.com", now=timezone.now())

        assert _call(provider, alice, sub="f:1", email_verified=False).data["id"] == str(alice.id)

    def test_is_somebody_else_at_another_provider(self, alice: Client, provider: Provider, settings: Settings) -> None:
        assert _call(provider, alice, sub="f:1").status == 200
        other, second = make_alice(), Provider()
        settings.OIDC_ISSUER = second.issuer

        assert _call(second, other, sub="f:1").data["id"] == str(other.id)
        second.stop()

    def test_is_shut_out_at_once_with_its_user(self, alice: Client, provider: Provider) -> None:
        token = Caller(provider.issue(alice))
        assert token.get("clients/me").status == 200
        User.objects.filter(pk=alice.user_id).update(is_active=False)

        assert token.get("clients/me").refusal == REFUSED

    def test_is_shut_out_at_once_with_its_client(self, alice: Client, provider: Provider) -> None:
        token = Caller(provider.issue(alice))
        assert token.get("clients/me").status == 200
        inactivate_client(client_id=alice.id, reason="Asked to leave", actor=None, now=timezone.now())

        assert token.get("clients/me").refusal == REFUSED

    def test_does_not_begin_with_an_inactive_client(self, provider: Provider) -> None:
        assert _call(provider, make_inactive_client()).refusal == REFUSED

    def test_is_linked_anew_as_the_page_says(self, alice: Client, provider: Provider) -> None:
        assert _call(provider, alice, sub="f:1").status == 200
        page = (Path(__file__).parents[2] / "docs/openid.md").read_text()
        command = re.search(r'shell -c "(.*)"', page)
        assert command is not None

        ensure_runtime_role()
        with as_runtime_role():
            call_command("shell", command=command[1].replace("alice", alice.user.username), verbosity=0)

        assert _call(provider, alice, sub="f:2").data["id"] == str(alice.id)
        assert _call(provider, alice, sub="f:1").refusal == REFUSED

    @pytest.mark.parametrize("field", ["issuer", "subject", "user_id"])
    def test_cannot_be_turned_into_somebody_else(self, alice: Client, provider: Provider, field: str) -> None:
        assert _call(provider, alice).status == 200
        value = make_alice().user_id if field == "user_id" else "other"

        with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
            OpenIdLink.objects.update(**{field: value})
