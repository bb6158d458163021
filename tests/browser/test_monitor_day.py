"""A day at the monitor: what failed on its way is looked at and tried once more."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events.models import DeadLetter
from reporting.regulatory.models import Report
from tests.admin.conftest import bury_message, make_member
from tests.browser.desk import Desk
from tests.regulatory.reports import make_reports

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_dead_letter_is_replayed(sit_down: Callable[..., Desk]) -> None:
    letter = bury_message()
    desk = sit_down(make_member("ops_maker"))

    desk.open(reverse("admin:events_event_flow"))
    desk.expect_text("Dead letters")
    desk.open_page(letter)
    desk.expect_text("not today")
    desk.take_picture("dead-letter")
    desk.act("Replay", reason="The consumer is mended")

    desk.expect_text("The message has taken effect")
    replayed = DeadLetter.objects.get(pk=letter.pk)
    told = (replayed.state, str(replayed.handled_by), replayed.reason)
    assert told == ("replayed", "ops_maker", "The consumer is mended")


def test_a_report_that_waits_for_its_next_attempt_is_tried_at_once(sit_down: Callable[..., Desk]) -> None:
    (report_id,) = make_reports(1)
    now = timezone.now()
    Report.objects.update(attempts=1, failures=1, due_at=now + timedelta(hours=1))
    desk = sit_down(make_member("ops_maker"))

    desk.open_page(Report.objects.get(pk=report_id))
    desk.take_picture("report")
    desk.act("Try now", reason="The regulator is back")

    desk.expect_text("will be tried in a moment")
    assert Report.objects.get(pk=report_id).due_at <= timezone.now()
