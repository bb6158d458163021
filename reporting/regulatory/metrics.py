"""How far reports to the regulator are behind, for Prometheus."""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reporting.regulatory.circuit import get_circuit
from reporting.regulatory.selectors import measure_backlog


class RegulatoryCollector(Collector):
    """Asks the database when it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Yield how many reports wait, how many need somebody, and whether the regulator is called."""
        now = timezone.now()
        backlog, circuit = measure_backlog(now=now), get_circuit()
        age = (now - backlog.oldest_at).total_seconds() if backlog.oldest_at else 0.0
        for name, documentation, value in (
            ("bank_reports_waiting", "Reports that the regulator has still to acknowledge.", backlog.waiting),
            ("bank_reports_failing", "Those of them that were tried in vain.", backlog.failing),
            ("bank_reports_overdue", "Those of them that wait for too long.", backlog.overdue),
            ("bank_reports_refused", "Reports that the regulator refused, for staff.", backlog.refused),
            ("bank_reports_oldest_age_seconds", "Age of the oldest report that waits.", age),
            ("bank_regulator_failures", "Calls that failed since one succeeded.", circuit.failures),
            ("bank_regulator_circuit_open", "Whether the regulator is left alone.", circuit.open_until is not None),
        ):
            yield GaugeMetricFamily(name, documentation, value=float(value))
