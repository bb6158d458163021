"""`GET /metrics`: what events/lag.py measures, and what upper apps have registered, for Prometheus.

Open to whoever knows METRICS_TOKEN; without one, to the machine itself only. Nothing here names a client or an account.
"""

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from events.lag import count_waiting_letters, find_group_lags, measure_outbox

_LOOPBACK = ("127.0.0.1", "::1")


class EventsCollector(Collector):
    """Measures when it is asked, so it is right whichever process answers."""

    def collect(self) -> Iterator[Metric]:
        """Yield all gauges. Those of Kafka are missing while it is away, and bank_kafka_up is 0."""
        outbox = measure_outbox(now=timezone.now())
        yield _gauge("bank_outbox_events", "Events that the relay has still to publish.", outbox.unrelayed)
        yield _gauge(
            "bank_outbox_oldest_age_seconds", "Age of the oldest event not published.", outbox.oldest_age_seconds
        )
        letters = GaugeMetricFamily(
            "bank_dead_letters_waiting", "Dead letters that wait for staff.", labels=["consumer_group"]
        )
        for group, (waiting, _) in count_waiting_letters().items():
            letters.add_metric([group], waiting)
        yield letters
        yield from _collect_lags()


def _collect_lags() -> Iterator[Metric]:
    lags = find_group_lags()
    yield _gauge("bank_kafka_up", "Whether Kafka answers.", lags is not None)
    if lags is not None:
        family = GaugeMetricFamily(
            "bank_consumer_lag_messages", "Messages still to be taken in.", labels=["consumer_group", "topic"]
        )
        for lag in lags:
            family.add_metric([lag.group, lag.topic], lag.messages)
        yield family


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


_registry = CollectorRegistry(auto_describe=False)
_registry.register(EventsCollector())


def register_collector(collector: Collector) -> None:
    """Have what `collector` measures shown, too: an upper app says at its start what there is to know of it."""
    _registry.register(collector)


@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus's text format; to strangers, as if there were no such page."""
    if not _may_read(request):
        raise Http404
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    # A proxy on the same machine is no reason to trust whoever stands behind it.
    return request.META.get("REMOTE_ADDR") in _LOOPBACK and "X-Forwarded-For" not in request.headers
