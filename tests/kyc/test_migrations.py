"""What the migrations make of rows that are older than they are."""

from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from kyc.models import Client, KycCase
from tests.factories import make_bob

pytestmark = pytest.mark.django_db


def test_a_case_that_stayed_in_review_when_its_client_left_is_closed() -> None:
    left, stays = make_bob(), make_bob()
    Client.objects.filter(pk=left.pk).update(
        status="inactive", inactivated_at=timezone.now(), inactivation_reason="Asked to leave"
    )

    with connection.cursor() as cursor:
        cursor.execute(import_module("kyc.migrations.0006_close_abandoned_cases").CLOSE)

    left.refresh_from_db()
    closed, waiting = (KycCase.objects.get(client=client) for client in (left, stays))
    assert (closed.status, closed.reason, closed.decided_at) == ("closed", "Asked to leave", left.inactivated_at)
    assert waiting.status == "in_review"
