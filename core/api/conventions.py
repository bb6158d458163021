"""What holds for all calls, as the OpenAPI document tells it to whoever reads its first page."""

from typing import Any

_DESCRIPTION = """\
The customers' API: accounts, balances, statements, and the ways to move money.

## First steps

`POST /clients` registers a client, whom the bank then verifies. `POST /auth/token` exchanges name and password for an
access token, which goes into each call as `Authorization: Bearer ...`, and a refresh token, which works once. Each call
names the scope that its token needs. What belongs to somebody else is answered like what does not exist: 404.

## Answers

Answers are JSON in the form of JSend: `{"status": "success", "data": ...}`, or for what is refused
`{"status": "fail", "data": {"code": ..., "message": ...}}` with a status of 4xx. The `code` is for programs and does
not change; the `message` is for people. A refused body or query tells the fields at fault in `errors`. A fault of the
bank's own is `{"status": "error", "code": ..., "message": ...}` with a status of 5xx.

A path that does not exist is 404 `not_found`, a method that a path does not take 405 `method_not_allowed`. The web
server itself may answer 408 `request_timeout`, 414 `uri_too_long` and 431 `headers_too_large`.

## Money

An amount is a decimal string, and its currency stands beside it: `{"amount": "10.50", "currency": "BRL"}`, with no more
decimals than the currency has. Numbers are refused, as they lose cents on their way.

## Repeating safely

A call that moves money takes an `Idempotency-Key`. Under one key money moves once: the same request again gets the
first answer, with `Idempotent-Replayed: true`; another request under it is 422 `idempotency_key_reused`. So after a
time-out or a 503, send the same again with the same key.

## Lists

A list comes in pages: `results`, and the addresses of the pages around it in `next` and `previous`. `page_size` is up
to 200.

## Limits

Calls, failed sign-ins and registrations are limited by the minute. One too many is 429 `rate_limited`; `Retry-After`
says in how many seconds to come back.

## Which request was it?

Each answer has an `X-Request-ID`: the one that the request had, or a new one. `traceparent` (W3C) is taken over into
what the bank records of a request.
"""

_TAGS = {
    "auth": "Sign in, stay signed in, sign out.",
    "clients": "Who you are: registration, your data, and leaving the bank.",
    "accounts": "Your accounts: balances, statements, what happened to them, cash in and out.",
    "transfers": "Money between accounts of this bank.",
    "holds": "Money that is reserved, then captured or released.",
    "payments": "Money to accounts at other banks.",
    "standing-orders": "Transfers that the bank makes for you on the days that you name.",
    "notifications": "What the bank told you, and what it tells you by e-mail.",
    "health": "For those who run the bank.",
}


def add_conventions(document: dict[str, Any]) -> None:
    """Put the description of what all calls share, and of each group of calls, into the document."""
    document["info"]["description"] = _DESCRIPTION
    document["servers"] = [{"url": "/", "description": "This bank"}]
    used = {tag for calls in document["paths"].values() for call in calls.values() for tag in call["tags"]}
    document["tags"] = [{"name": tag, "description": _TAGS[tag]} for tag in _TAGS if tag in used]
