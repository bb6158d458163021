"""The trace of a request: a caller's is kept, anything else begins a new one."""

import re

import pytest

from core.tracing import enter_trace, get_trace_id, get_traceparent

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"),
        (f" 00-{TRACE}-{PARENT}-00\t", f"00-{TRACE}-{PARENT}-00"),
        (f"00-{TRACE}-{PARENT}-ff", f"00-{TRACE}-{PARENT}-01"),
        (f"01-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"),
        (f"cc-{TRACE}-{PARENT}-00-what-comes-later", f"00-{TRACE}-{PARENT}-00"),
    ],
)
def test_keeps_the_callers_trace_in_the_version_that_it_speaks(header: str, kept: str) -> None:
    enter_trace(header=header)

    assert get_traceparent() == kept
    assert get_trace_id() == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-01-more",
        f"01-{TRACE}-{PARENT}-01more",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        f"01-{TRACE}-{PARENT}-01-\n",
        "00-" + "\u0660" * 32 + f"-{PARENT}-01",
        "x" * 100_000,
    ],
)
def test_begins_a_new_trace_where_the_header_is_none(header: str) -> None:
    enter_trace(header=header)
    first = get_traceparent()
    enter_trace(header=header)

    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", first)
    assert get_traceparent() != first
    assert TRACE not in first
