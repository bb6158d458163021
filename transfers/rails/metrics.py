"""How far the bank is behind with its rail, for Prometheus."""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from transfers.rails.selectors import measure_backlog


class RailCollector(Collector):
    """Asks the database when it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Yield what waits."""
        backlog = measure_backlog(now=timezone.now())
        submissions = GaugeMetricFamily(
            "bank_rail_submissions", "Payments on their way to the rail.", labels=["status"]
        )
        submissions.add_metric(["waiting"], backlog.waiting)
        submissions.add_metric(["sending"], backlog.sending)
        yield submissions
        yield GaugeMetricFamily(
            "bank_rail_oldest_submission_age_seconds", "Age of the oldest of them.", value=backlog.oldest_age_seconds
        )
        messages = GaugeMetricFamily(
            "bank_rail_messages", "Messages of the rail that are not taken in.", labels=["status"]
        )
        messages.add_metric(["waiting"], backlog.messages_waiting)
        messages.add_metric(["odd"], backlog.messages_odd)
        yield messages
        yield GaugeMetricFamily(
            "bank_rail_breaks_open", "Open differences between the rail's books and ours.", value=backlog.breaks_open
        )
