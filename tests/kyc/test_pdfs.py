"""What is found in the depths of a PDF: whatever acts, wherever it stands, and streams that unfold to too much."""

from base64 import a85encode
from collections.abc import Callable
from zlib import compress as pack

import pytest
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject, StreamObject

from kyc.inspection import pdfs
from kyc.inspection.__main__ import inspect
from kyc.inspection.pdfs import MAX_UNFOLDED_BYTES
from kyc.inspection.verdicts import RefusedFileError
from tests.files import make_jpeg, make_pdf


def refuse(content: bytes) -> str:
    """Return why the file is refused."""
    with pytest.raises(RefusedFileError) as refused:
        inspect(content)
    return str(refused.value)


@pytest.mark.parametrize("key", ["JS", "JavaScript", "AA", "EF", "EmbeddedFiles", "XFA", "RichMediaContent"])
def test_a_pdf_is_refused_by_each_key_that_acts(key: str) -> None:
    def change(writer: PdfWriter) -> None:
        writer._add_object(DictionaryObject({NameObject(f"/{key}"): NullObject()}))

    assert "scripts" in refuse(make_pdf(change=change))


@pytest.mark.parametrize("field", ["S", "Type", "Subtype"])
@pytest.mark.parametrize(
    "kind",
    [
        "JavaScript", "Launch", "SubmitForm", "ImportData", "GoToR", "GoToE", "Rendition", "Movie", "Sound",
        "RichMediaExecute", "RichMedia", "Screen", "FileAttachment", "EmbeddedFile", "3D",
    ],
)  # fmt: skip
def test_a_pdf_is_refused_by_each_kind_of_thing_that_acts(field: str, kind: str) -> None:
    def change(writer: PdfWriter) -> None:
        writer._add_object(ArrayObject([DictionaryObject({NameObject(f"/{field}"): NameObject(f"/{kind}")})]))

    assert "scripts" in refuse(make_pdf(change=change))


def test_a_pdf_is_refused_if_its_trailer_acts() -> None:
    assert "scripts" in refuse(make_pdf().replace(b"trailer\n<<", b"trailer\n<<\n/JS null"))


def test_a_pdf_is_refused_if_it_acts_where_its_table_of_objects_does_not_lead() -> None:
    assert "scripts" in refuse(make_pdf().replace(b"%PDF-1.3\n", b"%PDF-1.3\n%/Launch\n", 1))


def test_a_pdf_is_refused_if_it_has_too_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdfs, "MAX_OBJECTS", 3)

    assert "parts" in refuse(make_pdf())


def make_pdf_with_object_stream(hidden: bytes) -> bytes:
    """Return a PDF, one of whose objects is packed into another together with its like."""
    packed = pack(b"5 0 " + hidden)
    parts = [
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Count 1 /Kids [3 0 R]>>",
        b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9]>>",
        b"<</Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d>> stream\n%s\nendstream"
        % (len(packed), packed),
    ]
    pdf, table = b"%PDF-1.7\n", b"\0\0\0\xff"
    for number, part in enumerate(parts, start=1):
        table += b"\1" + len(pdf).to_bytes(2, "big") + b"\0"
        pdf += b"%d 0 obj %s endobj\n" % (number, part)
    table += b"\2\0\4\0" + b"\1" + len(pdf).to_bytes(2, "big") + b"\0"
    head = b"<</Type /XRef /Size 7 /W [1 2 1] /Root 1 0 R /Length %d>>" % len(table)
    return pdf + b"6 0 obj %s stream\n%s\nendstream endobj\nstartxref\n%d\n%%%%EOF" % (head, table, len(pdf))


def test_a_pdf_is_refused_if_it_acts_in_an_object_that_is_packed_with_others() -> None:
    assert inspect(make_pdf_with_object_stream(b"<</S /URI>>"))
    assert "scripts" in refuse(make_pdf_with_object_stream(b"<</S /Rendition>>"))


BOMB = pack(bytes(MAX_UNFOLDED_BYTES + 16 * 1024**2))
"""A quarter of a megabyte."""


def carry(data: bytes, *, filters: str) -> Callable[[PdfWriter], object]:
    """Return a change that adds a stream of `data`, which the filters, in that order, unfold."""

    def change(writer: PdfWriter) -> None:
        stream = StreamObject()
        stream._data = data
        stream[NameObject("/Filter")] = ArrayObject(NameObject(f"/{name}") for name in filters.split())
        writer._add_object(stream)

    return change


def pack_zeros_by_lzw(size: int) -> bytes:
    """Return at least `size` zeros, packed by LZW: its codes are one zero, then one more each time."""
    bits, packed = "", 0
    one_round = f"{256:09b}{0:09b}"
    for count in range(2, 3_838):
        code = 256 + count
        one_round += f"{code:0{9 if code < 511 else 10 if code < 1023 else 11 if code < 2047 else 12}b}"
        packed += count
    bits = one_round * (size // packed + 1)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


@pytest.mark.parametrize(
    ("filters", "data"),
    [
        ("FlateDecode", pack(b"a stream of text " * 1_000)),
        ("Fl", pack(b"x")),
        ("ASCII85Decode FlateDecode", a85encode(pack(b"x" * 1_000)) + b"~>"),
        ("ASCIIHexDecode FlateDecode", pack(b"x" * 1_000).hex().encode() + b">"),
        ("FlateDecode DCTDecode", pack(make_jpeg())),
        ("LZWDecode", b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"),
        ("RunLengthDecode", b"\xffx\x80"),
        ("DCTDecode", make_jpeg()),
        ("FlateDecode", pack(b"x" * 1_000)[:-4]),  # without its checksum, which viewers do not miss
        ("FlateDecode", b"not packed at all"),
        ("", b"as it is"),
    ],
)
def test_its_streams_may_be_packed_in_all_the_usual_ways(filters: str, data: bytes) -> None:
    assert inspect(make_pdf(change=carry(data, filters=filters)))


@pytest.mark.parametrize(
    ("filters", "data"),
    [
        ("FlateDecode", BOMB),
        ("FlateDecode", BOMB[:-4] + b"oops"),
        ("Fl", BOMB),
        ("ASCIIHexDecode FlateDecode", BOMB.hex().encode() + b">"),
    ],
)
def test_a_pdf_is_refused_if_a_stream_of_it_unfolds_to_too_much(filters: str, data: bytes) -> None:
    assert "unfolds" in refuse(make_pdf(change=carry(data, filters=filters)))


def test_a_pdf_is_refused_if_its_streams_together_unfold_to_too_much() -> None:
    third = pack(bytes(MAX_UNFOLDED_BYTES // 3))

    def carry_four(writer: PdfWriter) -> None:
        for _ in range(4):
            carry(third, filters="FlateDecode")(writer)

    assert inspect(make_pdf(change=carry(third, filters="FlateDecode")))
    assert "unfolds" in refuse(make_pdf(change=carry_four))


@pytest.mark.parametrize("filters", ["FlateDecode FlateDecode", "FlateDecode RunLengthDecode", "BrotliDecode"])
def test_a_pdf_is_refused_if_nobody_can_tell_what_it_unfolds_to(filters: str) -> None:
    assert "packed" in refuse(make_pdf(change=carry(pack(pack(b"x")), filters=filters)))


@pytest.mark.parametrize("filters", ["RunLengthDecode", "LZWDecode"])
def test_a_pdf_is_refused_if_older_packings_unfold_to_too_much(filters: str) -> None:
    data = b"\x81x" * 700_000 if filters == "RunLengthDecode" else pack_zeros_by_lzw(100_000_000)

    assert refuse(make_pdf(change=carry(data, filters=filters))) == "The file is broken."
