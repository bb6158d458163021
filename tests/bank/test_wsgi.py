"""What reaches the application before any middleware: a Content-Type that Django cannot read."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.test import RequestFactory

from bank.wsgi import application

pytestmark = pytest.mark.django_db

NONSENSE = [
    "application/json; charset*=nonsense''x",
    "application/json; boundary*=nonsense''x",
    "application/json; anything*=undefined''x",
    "application/json; charset*=base64''x",
    "application/json; charset*0*=nonsense''x; charset*1=y",
    "multipart/form-data; boundary*=nonsense''x",
    "application/x-www-form-urlencoded; charset*=nonsense''x",
]


def ask(method: str, path: str, *, content_type: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Return status, header fields and content of the answer."""
    environ = RequestFactory().generic(method, path, body, content_type="text/plain").environ
    environ |= {"CONTENT_TYPE": content_type, "wsgi.input": BytesIO(body)}
    begun: list[Any] = []
    content = b"".join(application(environ, lambda *head: begun.append(head)))
    [(status, fields)] = begun
    return int(status.split()[0]), dict(fields), content


@pytest.mark.parametrize("content_type", NONSENSE)
@pytest.mark.parametrize("path", ["/api/v1/auth/token", "/api/v1/clients"])
def test_a_body_of_no_readable_type_is_refused_as_one_of_another_type(path: str, content_type: str) -> None:
    status, fields, content = ask("POST", path, content_type=content_type, body=b"{}")

    assert (status, json.loads(content)["data"]["code"]) == (415, "unsupported_media_type")
    assert fields["X-Request-ID"]


@pytest.mark.parametrize("content_type", NONSENSE)
@pytest.mark.parametrize(("path", "status"), [("/api/v1/clients/me", 401), ("/api/v1/nowhere", 404), ("/livez", 200)])
def test_without_a_body_it_does_not_matter_what_type_it_would_be_of(path: str, status: int, content_type: str) -> None:
    assert ask("GET", path, content_type=content_type)[0] == status
