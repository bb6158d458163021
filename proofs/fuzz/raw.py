"""Bodies that no schema describes: what is no JSON, or JSON of a kind that parsers fall over."""

import json
from collections.abc import Iterator, Sequence

from core.api.examples import make_example
from proofs.fuzz.bank import Bank
from proofs.fuzz.document import Call, list_calls
from tests.api.caller import Caller, get_document

_JSON = "application/json"
_FORM = "multipart/form-data; boundary=x"
_PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'

BODIES: tuple[tuple[str, bytes], ...] = (
    (_JSON, b""),
    (_JSON, b" "),
    (_JSON, b"\x00"),
    (_JSON, b'{"amount": "\x00"}'),
    (_JSON, b'{"amount": "\\u0000"}'),
    (_JSON, b'{"\\u0000": 1}'),
    (_JSON, b'{"amount": "\\ud800"}'),
    (_JSON, b'{"\\udfff": {"\\ud800": 1}}'),
    (_JSON, b'{"amount": "\xed\xa0\x80"}'),
    (_JSON, b"\xff\xfe{\x00}\x00"),
    (_JSON, b"\xef\xbb\xbf{}"),
    (_JSON, b"[" * 100_000),
    (_JSON, b'{"a":' * 100_000),
    (_JSON, b"[" * 100_000 + b"]" * 100_000),
    (_JSON, b'{"amount": "1.00", "amount": "2.00"}'),
    (_JSON, b'{"a": {"b": 1, "b": 2}}'),
    (_JSON, b'{"amount": 1' + b"0" * 10_000 + b"}"),
    (_JSON, b'{"amount": 1e999999}'),
    (_JSON, b'{"amount": -0.0e-999999}'),
    (_JSON, b'{"amount": NaN, "x": Infinity}'),
    (_JSON, b'{"' + b"a" * 1_000_000 + b'": 1}'),
    (_JSON, b'{"amount": "' + b"9" * 1_000_000 + b'"}'),
    (_JSON, b"{" + b",".join(b'"k%d": 1' % number for number in range(100_000)) + b"}"),
    (_JSON, b'{"amount": {"$gt": ""}, "__proto__": {"x": 1}}'),
    (_JSON, b"null"),
    (_JSON, b"[]"),
    (_JSON, b'"text"'),
    (_JSON, b"{" + b" " * 6_000_000 + b"}"),
    ("application/json; charset=utf-16", b"\xff\xfe{\x00}\x00"),
    ("application/json; charset=nonsense", b"{}"),
    ("application/xml", b"<amount/>"),
    ("application/x-www-form-urlencoded", b"amount=1.00&amount=2.00"),
    ("text/plain", b"{}"),
    ("", b"{}"),
    ("\xff/\xfe", b"{}"),
    ("multipart/form-data", b"{}"),
    (_FORM, b""),
    (_FORM, b"--x--"),
    (_FORM, b"--x\r\n" * 100_000),
    (_FORM, _PART % (b"kind", b"a") + _PART % (b"kind", b"b") + b"--x--"),
    (_FORM, _PART % (b"kind", b"\xed\xa0\x80\x00") + b"--x--"),
    (_FORM, _PART % (b"a" * 100_000, b"a") + b"--x--"),
    (_FORM, _PART % (b'file"; filename="../../x\x00.png', b"\x89PNG\r\n\x1a\n" + b"\x00" * 100) + b"--x--"),
)


def send_raw_bodies(bank: Bank) -> list[str]:
    """Send each of BODIES, and good ones that were spoiled, to each call that takes a body.

    Return what was not refused as the document says.
    """
    calls = [call for call in list_calls() if "requestBody" in call.operation]
    return [finding for call in calls for finding in _send(bank, call, [*BODIES, *_spoil_good_body(bank, call)])]


def _spoil_good_body(bank: Bank, call: Call) -> list[tuple[str, bytes]]:
    """Return bodies that would be taken but for one thing, which makes them no strict JSON, or none of this call."""
    content = call.operation["requestBody"]["content"].get(_JSON)
    if content is None:
        return []
    components = get_document()["components"]["schemas"]
    body = bank.fill_body(make_example(content["schema"], components), content["schema"], components)
    good = json.dumps(body).encode()
    first = json.dumps(next(iter(body))).encode()
    return [
        (_JSON, b"{" + first + b": null, " + good[1:]),
        (_JSON, good[:-1] + b', "nobody_knows_this": 1}'),
        (_JSON, good[:-1] + b",}"),
        (_JSON, good + b"\x00"),
        (_JSON, good + good),
        (_JSON, b"[" + good + b"]"),
        (_JSON, b"\xef\xbb\xbf" + good),
        (_JSON, good.decode().encode("utf-16")),
        (f"{_JSON}; charset=utf-16", good),
        ("text/plain", good),
        ("application/x-www-form-urlencoded", good),
    ]


def _send(bank: Bank, call: Call, bodies: Sequence[tuple[str, bytes]]) -> Iterator[str]:
    caller = Caller(bank.get_token(call.operation), SERVER_NAME="localhost")
    may_be_empty = not call.operation["requestBody"].get("required")
    for position, (content_type, content) in enumerate(bodies):
        path = bank.fill_path(call.path)
        headers = {"Idempotency-Key": f"raw-{call.name}-{position}"}
        try:
            answer = caller.call(call.method, path, content=content, content_type=content_type, headers=headers)
        except AssertionError as wrong:
            yield f"undocumented at {call.method} {call.path}, {content_type!r} {content[:40]!r}: {wrong}"
            continue
        if answer.status < 400 and not (may_be_empty and not content.strip()):
            yield f"taken at {call.method} {call.path}: {content_type!r} {content[:40]!r}"
