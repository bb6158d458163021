"""The WSGI entry. The system checks run here too: gunicorn would not run them."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management import call_command
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")


class _Request(WSGIRequest):
    """A request whose Content-Type may be nonsense, and whose charset is that of its body alone.

    Django reads the type before any middleware could answer for it, and fails over some. It would also read the query
    by the charset: as another text than the path's, or not at all if the charset is none of texts (base64).
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            meta["CONTENT_TYPE"] = ""  # a body of no type, which every call that reads one refuses
            self.content_type, self.content_params = "", {}


class _Handler(WSGIHandler):
    request_class = _Request


django.setup(set_prefix=False)
application = _Handler()
call_command("check", "--fail-level", "ERROR", verbosity=0)
