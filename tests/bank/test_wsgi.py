"""What reaches the application before any middleware: a Content-Type that Django cannot read."""

import json
from collections.abc import Callable
from io import BytesIO

import pytest
from django.test import RequestFactory

from bank.wsgi import application
from kyc.scopes import CUSTOMER_SCOPES
from tests.api.caller import make_token
from tests.factories import make_bob

pytestmark = pytest.mark.django_db(transaction=True)  # the start of a request looks after connections

NONSENSE = [
    "application/json; charset*=nonsense''x",
    "application/json; boundary*=nonsense''x",
    "application/json; anything*=undefined''x",
    "application/json; charset*=base64''x",
    "application/json; charset*0*=nonsense''x; charset*1=y",
    "multipart/form-data; boundary*=nonsense''x",
    "application/x-www-form-urlencoded; charset*=nonsense''x",
]


def ask(
    method: str, path: str, *, content_type: str, body: bytes = b"", token: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """Return status, header fields and content of the answer."""
    environ = RequestFactory().generic(method, path, body, content_type="text/plain").environ
    environ |= {"CONTENT_TYPE": content_type, "wsgi.input": BytesIO(body), "HTTP_AUTHORIZATION": f"Bearer {token}"}
    begun: dict[str, str] = {}

    def start(status: str, fields: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        begun.update(fields, status=status)
        return bytes

    content = b"".join(application(environ, start))
    return int(begun.pop("status").split()[0]), begun, content


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


@pytest.mark.parametrize("charset", ["base64", "zlib", "punycode", "utf-16", "cp037", "undefined"])
def test_the_charset_of_a_body_is_not_that_of_the_query(charset: str) -> None:
    path = "/api/v1/clients/me/documents?page_size=many"
    token = make_token(make_bob().user, *CUSTOMER_SCOPES)

    status, _, content = ask("GET", path, content_type=f"application/json; charset={charset}", token=token)

    assert (status, list(json.loads(content)["data"]["errors"])) == (400, ["page_size"])
