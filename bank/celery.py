"""The Celery application: `celery -A bank worker`, `celery -A bank beat`."""

import os
from typing import Any

from celery import Celery, Task

from core.history.origin import Edge, origin

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")


class BankTask(Task):  # type: ignore[misc]  # Celery ships no types
    """A task, whose name and id the histories of what it changes tell."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Work under its name."""
        with origin(edge=Edge.TASK, work=self.name, request=self.request.id or ""):
            return super().__call__(*args, **kwargs)


app = Celery("bank", task_cls=BankTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
