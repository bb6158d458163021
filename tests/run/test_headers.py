"""Header fields of any kind, over the wire: none of them makes a fault of ours."""

import json
from collections.abc import Iterator

import pytest

from tests.run.server import Server

REFRESH = (b"POST /api/v1/auth/token/refresh", b'{"refresh": "a"}')
ASKED = [
    (b"GET /livez", b""),
    (b"GET /api/v1/clients/me?a=b", b""),
    REFRESH,
    (b"POST /api/v1/clients/me/documents", b"x"),
]
USUAL = {b"Host": b"localhost", b"Content-Type": b"application/json", b"Connection": b"close"}

GARBAGE = [
    b"",
    b" ",
    b"\xff\xfe",
    b"nonsense",
    b";",
    b",",
    b"=",
    b'"',
    b'"\\',
    b"9" * 5_000,
    b"-1",
    b"\xb2",
    b"a," * 2_000,
]
OTHERS = {
    b"Accept": [b"*/*;q=x", b"text/html;q=" + b"9" * 400, b"a/b; c*=nonsense''x"],
    b"Accept-Encoding": [b"gzip;q=x", b"br;q=\xff"],
    b"Accept-Language": [b"pt;q=" + b"9" * 400, b"x-" * 1_000, b"zh-hant-" * 300],
    b"Authorization": [b"Bearer", b"Bearer \xff", b"Bearer a.b.c", b"Bearer e30.e30.e30", b"Bearer " + b"." * 4_000],
    b"Connection": [b"close, upgrade", b"keep-alive, close"],
    b"Content-Length": [b"+2", b"2, 2", b"0x2", b"2.0", b"9" * 400],
    b"Content-Type": [
        b"application/json; charset*=nonsense''x", b"application/json; boundary*=nonsense''x",
        b"application/json; charset=undefined", b"application/json; charset=base64", b"application/json; x*=idna''%ff",
        b"application/json; x*=punycode''%ff", b"application/json; x*=a%00b''x", b"application/json; x*1*=x; x*1=y",
        b"application/json; *=x", b"multipart/form-data; boundary*=nonsense''x", b'multipart/form-data; boundary="\\"',
        b"multipart/form-data; boundary*=utf-16''x", b"application/x-www-form-urlencoded; charset=undefined",
    ],
    b"Cookie": [b"sessionid=\xff; csrftoken=\xff", b'sessionid="\\377"', b"=;=;=", b"sessionid=" + b"a" * 5_000],
    b"Expect": [b"100-continue", b"200-ok"],
    b"Host": [b"localhost:99999999999", b"[", b"[::1", b"a@b", b"localhost:\xb2", b"."],
    b"Idempotency-Key": [b"a\tb", b"\x80"],
    b"If-Modified-Since": [b"Sun, 06 Nov 99999999999 08:49:37 GMT", b"Sun, 99 Nov 0000 99:99:99 GMT"],
    b"If-None-Match": [b'W/"', b"*", b'"\xff"'],
    b"Origin": [b"null", b"http://[", b"http://\xff"],
    b"Range": [b"bytes=0-", b"bytes=-" + b"9" * 500, b"bytes=\xb2-", b"bytes=9-1"],
    b"Referer": [b"http://[::1", b"//", b"http://localhost:99999999"],
    b"Transfer-Encoding": [b"chunked", b"identity", b"chunked, gzip"],
    b"X-Forwarded-For": [b"1.2.3.4, \xff", b"::1%eth0", b"1.2.3.4:80", b"[::1]"],
    b"X-Forwarded-Proto": [b"https", b"https,http"],
    b"X-Request-ID": [b"a\tb", b"a" * 5_000],
    b"traceparent": [b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00", b"00-\xff", b"ff-" + b"1" * 32 + b"-1-1"],
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    plenty = "1000000"
    server = Server(TRUSTED_PROXIES="1", REFUSALS_PER_SOURCE=plenty, WRITES_PER_MINUTE=plenty)
    yield server
    server.stop()


@pytest.mark.parametrize("name", OTHERS, ids=bytes.decode)
def test_no_field_is_a_fault_of_ours_whatever_it_says(server: Server, name: bytes) -> None:
    for value in GARBAGE + OTHERS[name]:
        for line, body in ASKED:
            fields = USUAL | {b"Content-Length": b"%d" % len(body), name: value}
            head = line + b" HTTP/1.1\r\n" + b"".join(b"%s: %s\r\n" % field for field in fields.items())
            answer, content = server.ask(head + b"\r\n" + body)

            assert answer.status < 500, (line, value)
            assert json.loads(content)["status"] in ("success", "fail"), (line, value)
