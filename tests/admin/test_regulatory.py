"""The back office's pages of what goes to the regulator: what is shown, and what staff may do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from reporting.regulatory.circuit import FAILURES, note_failure
from reporting.regulatory.metrics import RegulatoryCollector
from reporting.regulatory.models import Circuit, DailySummary, Report, ReportAttempt
from tests.admin.addresses import address
from tests.admin.conftest import Bank
from tests.regulatory.test_reports import forge
from transfers.models import Transfer

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]

REASON = {"reason": "Mended"}


def refuse(report: Report) -> None:
    """Let the regulator have refused it."""
    now = timezone.now()
    ReportAttempt.objects.create(
        report=report, number=1, began_at=now, ended_at=now, outcome="refused", http_status=200, code="rejected_by_rule"
    )
    Report.objects.filter(pk=report.pk).update(
        state="refused", attempts=1, failures=1, refusal_code="rejected_by_rule", decided_at=now
    )


def make_overdue() -> None:
    """Let the only report have waited for two days."""
    forge(created_at=timezone.now() - timedelta(days=2))


def read(browser: Browser, model: type[Model], page: str, *keys: object, query: str = "") -> str:
    return browser.get(address(model, page, *keys) + query).content.decode()


def test_a_report_shows_why_it_was_refused_and_the_maker_submits_it_again(bank: Bank, sign_in: SignIn) -> None:
    report = Report.objects.get(pk=bank.transfer.pk)
    refuse(report)
    browser = sign_in("ops_maker")
    page = read(browser, Report, "change", report.pk)
    assert "rejected_by_rule" in page
    assert address(Report, "act", report.pk, "resubmit") in page

    answered = browser.post(address(Report, "act", report.pk, "resubmit"), REASON)

    report.refresh_from_db()
    assert (answered.status_code, report.state) == (302, "waiting")
    again = browser.post(address(Report, "act", report.pk, "resubmit"), REASON)
    assert (again.status_code, "can be submitted again" in again.content.decode()) == (409, True)


@pytest.mark.parametrize(("model", "act"), [(Report, "retry-now"), (Circuit, "retry-all-now")])
def test_what_waits_is_tried_at_once_when_the_maker_says_so(
    bank: Bank, sign_in: SignIn, model: type[Model], act: str
) -> None:
    Report.objects.update(due_at=timezone.now() + timedelta(hours=1))
    subject = bank.transfer.pk if model is Report else 1

    answered = sign_in("ops_maker").post(address(model, "act", subject, act), REASON)

    assert answered.status_code == 302
    assert Report.objects.get(pk=bank.transfer.pk).due_at <= timezone.now()


def test_the_transfers_page_shows_its_report(bank: Bank, sign_in: SignIn) -> None:
    page = read(sign_in("auditor"), Transfer, "change", bank.transfer.pk)

    assert "Report to the regulator" in page
    assert address(Report, "change", bank.transfer.pk) in page


def test_the_list_is_narrowed_to_what_is_overdue(bank: Bank, sign_in: SignIn) -> None:
    browser, link = sign_in("auditor"), address(Transfer, "change", bank.transfer.pk)
    assert link not in read(browser, Report, "changelist", query="?overdue=yes")

    make_overdue()

    shown = read(browser, Report, "changelist", query="?overdue=yes")
    assert link in shown
    assert '<span class="status bad">Overdue</span>' in shown


def test_the_connections_page_says_whether_calls_go_through_and_what_waits(bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("auditor")
    assert "Calls go through" in read(browser, Circuit, "change", 1)

    for _ in range(FAILURES):
        note_failure(now=timezone.now() + timedelta(hours=1))

    page = read(browser, Circuit, "change", 1)
    assert "No calls, for it has failed too often" in page
    assert "Not acknowledged" in page
    assert "By day of the transfer" in page


def test_a_summarys_page_shows_its_totals(bank: Bank, sign_in: SignIn) -> None:
    page = read(sign_in("auditor"), DailySummary, "change", DailySummary.objects.get().pk)

    assert "Control totals" in page
    assert "25.00" in page


def test_the_overview_shows_what_needs_somebody(bank: Bank, sign_in: SignIn) -> None:
    refuse(Report.objects.get(pk=bank.transfer.pk))

    page = sign_in("ops_maker").get(reverse("admin:index")).content.decode()

    assert "Reports refused or overdue" in page
    assert "Reports to the regulator" in page


def test_prometheus_is_shown_what_waits_and_what_was_refused(bank: Bank) -> None:
    refuse(Report.objects.get(pk=bank.transfer.pk))

    gauges = {
        metric.name: metric.samples[0].value
        for metric in RegulatoryCollector().collect()
        if isinstance(metric, GaugeMetricFamily)
    }

    assert gauges["bank_reports_refused"] == 1
    assert gauges["bank_reports_waiting"] == Report.objects.count() - 1
    assert gauges["bank_regulator_circuit_open"] == 0
