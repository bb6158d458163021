"""What counts as a form with a file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import PayloadTooLargeError
from core.api.forms import MAX_PARTS, Upload, parse_form
from core.errors import InvalidInputError
from tests.files import make_form

KIND = 'Content-Disposition: form-data; name="kind"'
FILE = 'Content-Disposition: form-data; name="file"; filename="a.pdf"'


def parse(body: bytes) -> dict[str, Any]:
    """Return the form's values, the files as bytes."""
    values = parse_form(body, boundary=b"frontier")
    return {name: value.content if isinstance(value, Upload) else value for name, value in values.items()}


def test_an_empty_line_may_stand_before_the_first_boundary() -> None:
    assert parse(b"\r\n" + make_form((KIND, b"identity"))) == {"kind": "identity"}


def test_reads_texts_and_files_by_name() -> None:
    body = make_form((KIND, b"identity"), (f"{FILE}\r\nContent-Type: application/pdf", b"\0\r\n--front\xff"))

    assert parse(body) == {"kind": "identity", "file": b"\0\r\n--front\xff"}


@given(content=st.binary(max_size=2_000), text=st.text(max_size=100))
def test_what_was_sent_is_what_is_read(content: bytes, text: str) -> None:
    assert parse(make_form((FILE, content), (KIND, text.encode()))) == {"file": content, "kind": text}


@given(body=st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    for content in (body, b"--frontier" + body, make_form((FILE, body))[: len(body)]):
        try:
            parse(content)
        except InvalidInputError:
            continue


@pytest.mark.parametrize(
    "head",
    [
        "content-disposition:form-data;name=file;filename=a.pdf",
        'CONTENT-DISPOSITION: Form-Data; NAME="file"; FILENAME="a.pdf"',
        "Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''a%C3%A9.pdf",
        "Content-Disposition: form-data; name=\"file\"; filename*=nonsense''%ff",
        'Content-Disposition: form-data; name="file"; filename=""',
        'Content-Disposition: form-data; name="file"; filename="../../etc/passwd"',
        'Content-Disposition: form-data; name="file"; filename="a\\"; name=b.pdf"',
        f'Content-Disposition: form-data; name="file"; filename="{"é" * 1_000}"',
        f"{FILE}\r\nContent-Type: text/html; charset=nonsense\r\nContent-Transfer-Encoding: binary",
    ],
)
def test_what_a_file_is_called_does_not_matter(head: str) -> None:
    assert parse(make_form((head, b"content"))) == {"file": b"content"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"kind=identity", b"--frontier", b"--frontier--x", b"--frontier\r\n",
        b"--frontier\r\n\r\n\r\n--frontier--",
        b"preamble\r\n" + make_form((KIND, b"x")), make_form((KIND, b"x")) + b"epilogue",
        make_form((KIND, b"x"))[:-4], make_form((FILE, b"content"))[:-10],
        make_form((KIND, b"x")).replace(b"\r\n", b"\n"), make_form((KIND, b"x"), boundary="other"),
        make_form(("Content-Type: text/plain", b"x")), make_form(("", b"x")),
        make_form(("Content-Disposition: attachment; name=kind", b"x")),
        make_form(("Content-Disposition: form-data", b"x")),
        make_form(("Content-Disposition: form-data; filename=a", b"x")),
        make_form((f"{KIND}; name=other", b"x")), make_form((f"{KIND}\r\n{KIND}", b"x")),
        make_form((f"{FILE}\r\nContent-Transfer-Encoding: base64", b"eA==")),
        make_form(('Content-Disposition: form-data; name="file"; filename="a\0.pdf"', b"x")),
        make_form(('Content-Disposition: form-data; name="file"; filename="a\n.pdf"', b"x")),
        make_form((f'Content-Disposition: form-data; name="file"; filename="{"a" * 4_096}"', b"x")),
        make_form((KIND, b"\xff")), make_form((KIND, b"x" * 4_097)),
        make_form(*((f"Content-Disposition: form-data; name=n{number}", b"x") for number in range(MAX_PARTS + 1))),
    ],
    ids=lambda body: repr(body[:40]),
)  # fmt: skip
def test_refuses_what_is_no_strict_form(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse(body)


def test_names_what_stands_twice() -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse(make_form((FILE, b"a"), (FILE, b"b")))

    assert list(refused.value.errors) == ["file"]


def test_takes_as_many_parts_as_said() -> None:
    parts = [(f"Content-Disposition: form-data; name=n{number}", b"x") for number in range(MAX_PARTS)]

    assert len(parse(make_form(*parts))) == MAX_PARTS


def test_a_file_has_its_own_limit(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 10

    assert parse(make_form((FILE, b"x" * 10)))
    with pytest.raises(PayloadTooLargeError):
        parse(make_form((FILE, b"x" * 11)))


@pytest.mark.parametrize(
    "body",
    [b"--frontier\r\n" * 700_000, b"--frontier" + b"\r\n--frontie" * 800_000, b"--frontier\r\n" + b"\r\n" * 5_000_000],
    ids=["boundaries", "near boundaries", "lines"],
)
def test_ten_megabytes_of_malice_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse(body)
