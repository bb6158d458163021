"""The WSGI entry. The system checks run here too: gunicorn would not run them."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")


class _Request(WSGIRequest):
    """A request whose Content-Type may be nonsense.

    Django reads it before any middleware could answer for it, and raises ValueError over some.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)
        except ValueError:
            meta["CONTENT_TYPE"] = ""  # a body of no type, which every call that reads one refuses
            super()._set_content_type_params(meta)


class _Handler(WSGIHandler):
    request_class = _Request


django.setup(set_prefix=False)
application = _Handler()
call_command("check", "--fail-level", "ERROR", verbosity=0)
