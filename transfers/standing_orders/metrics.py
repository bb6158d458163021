"""How far standing orders are behind, for Prometheus."""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from transfers.standing_orders.selectors import measure_due_orders


class StandingOrdersCollector(Collector):
    """Asks the database when it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Yield how many orders are due, and for how many days the oldest has been."""
        due = measure_due_orders(today=timezone.localdate())
        yield GaugeMetricFamily("bank_standing_orders_due", "Standing orders to be carried out.", value=due.orders)
        yield GaugeMetricFamily(
            "bank_standing_orders_days_late",
            "Days since the oldest of them was to be carried out.",
            value=due.days_late,
        )
