"""Is the process alive, and is it ready to serve?"""

import logging
from collections.abc import Callable
from functools import cache as cached
from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import NotReadyError
from core.api.fields import TextField
from core.api.jsend import render_refusal
from core.api.operations import operation
from core.api.views import PublicView

logger = logging.getLogger(__name__)


class LiveAnswer(serializers.Serializer[Any]):
    """Alive."""

    status = TextField(example="alive")


class ReadyAnswer(serializers.Serializer[Any]):
    """Ready; each check by name."""

    checks = serializers.DictField(child=TextField(example="ok"))


class LiveView(PublicView):
    """Liveness: no input or output, so that an outage of the database restarts no process."""

    throttle_classes = ()

    @operation(operation_id="livez", summary="Is the process alive?", scope=None, answers={200: LiveAnswer})
    def get(self, request: Request) -> Response:
        """Answer."""
        return Response({"status": "alive"})


class ReadyView(PublicView):
    """Readiness: what a request needs is there."""

    throttle_classes = ()

    @operation(
        operation_id="readyz",
        summary="Is the bank ready?",
        scope=None,
        answers={200: ReadyAnswer},
        refusals=[NotReadyError],
    )
    def get(self, request: Request) -> Response | HttpResponse:
        """Check the database, the cache and that all migrations are applied."""
        checks = {"database": _run("database", _check_database), "cache": _run("cache", _check_cache)}
        # Without a database, asking for its migrations would only wait for it once more.
        checks["migrations"] = _run("migrations", _check_migrations) if checks["database"] == "ok" else "failed"
        if set(checks.values()) == {"ok"}:
            return Response({"checks": checks})
        return render_refusal(NotReadyError(details={"checks": checks}))


def _run(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, the answer is that this check failed
        logger.warning("not ready, %s: %s", name, error)
        return "failed"
    return "ok"


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_cache() -> None:
    token = uuid4().hex
    cache.set(f"readyz:{token}", token, timeout=5)
    if cache.get(f"readyz:{token}") != token:
        raise RuntimeError("the cache forgets what it is told")


def _check_migrations() -> None:
    missing = _known_migrations() - MigrationRecorder(connection).applied_migrations().keys()
    if missing:
        raise RuntimeError(f"{len(missing)} migrations are not applied")


@cached
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations that this release has; they stand on the disk, and do not change while it runs."""
    return frozenset(MigrationLoader(None).disk_migrations)
