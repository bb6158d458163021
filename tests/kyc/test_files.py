"""What an uploaded file is, by its content alone; what is kept of it, and what is refused."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from zlib import crc32

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    TextStringObject,
)

from kyc import files
from kyc.errors import InspectionBusyError, UnsupportedDocumentError
from kyc.files import inspect_file
from kyc.inspection.__main__ import CPU_SECONDS, MEMORY_BYTES, inspect
from kyc.inspection.images import KEPT_SIDE
from kyc.inspection.pdfs import MAX_PAGES
from kyc.inspection.verdicts import RefusedFileError
from tests.files import encode, make_image, make_jpeg, make_pdf

Change = Callable[[PdfWriter], object]


def refuse(content: bytes) -> str:
    """Return why the file is refused."""
    with pytest.raises(RefusedFileError) as refused:
        inspect(content)
    return str(refused.value)


def open_kept(content: bytes) -> Image.Image:
    """Return the picture that is kept of an image."""
    return Image.open(BytesIO(inspect(content).kept or b""))


class TestImages:
    """JPEG and PNG."""

    @pytest.mark.parametrize(
        ("image_format", "mode"),
        [(name, mode) for name, modes in {"JPEG": "L RGB CMYK", "PNG": "1 L P I;16 LA RGB RGBA"}.items()
         for mode in modes.split()],
    )  # fmt: skip
    def test_are_kept_as_they_look(self, image_format: str, mode: str) -> None:
        kept = open_kept(make_image(image_format=image_format, mode=mode))

        assert (kept.format, kept.mode, kept.size) == ("JPEG", "RGB", (40, 20))
        expected = 255 if mode == "1" else 128
        assert all(abs(value - expected) < 4 for value in kept.getpixel((5, 5)) or ())  # type: ignore[union-attr]

    def test_lose_everything_but_the_picture(self) -> None:
        exif = Image.Exif()
        exif[0x010F], exif[0x8825] = "CANARY", {1: "N", 2: (23.0, 33.0, 1.0)}  # the camera's maker, and where
        sent = make_jpeg(exif=exif, comment=b"CANARY", icc_profile=b"CANARY" * 30) + b"<script>CANARY</script>"

        kept = inspect(sent).kept or b""

        assert b"CANARY" in sent
        assert b"CANARY" not in kept
        assert not Image.open(BytesIO(kept)).getexif()

    def test_stand_upright(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # lies on its side

        assert open_kept(make_jpeg(exif=exif)).size == (20, 40)

    def test_are_on_white_where_they_are_transparent(self) -> None:
        sent = encode(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), image_format="PNG")

        assert open_kept(sent).getpixel((3, 3)) == (255, 255, 255)

    def test_of_two_pictures_in_one_file_keep_the_first(self) -> None:
        sent = make_jpeg() + make_jpeg(size=(60, 60))
        doubled = encode(
            Image.new("RGB", (40, 20)), image_format="MPO", save_all=True, append_images=[Image.new("RGB", (60, 60))]
        )

        assert open_kept(sent).size == open_kept(doubled).size == (40, 20)

    def test_are_brought_down_to_what_can_be_looked_at(self) -> None:
        kept = open_kept(make_jpeg(size=(8_000, 1_000)))

        assert max(kept.size) <= KEPT_SIDE
        assert kept.width == 8 * kept.height

    @pytest.mark.parametrize("size", [(7_100, 7_100), (60_000, 60_000)], ids=["51 megapixels", "3600 megapixels"])
    def test_are_refused_by_their_head_if_they_are_huge(self, size: tuple[int, int]) -> None:
        head = make_image(image_format="PNG", mode="1", size=(1, 1))
        bomb = head[:16] + size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + head[24:]

        assert "pixels" in refuse(with_checksum(bomb))

    def test_are_refused_if_they_move(self) -> None:
        frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]

        assert "animated" in refuse(encode(frames[0], image_format="PNG", save_all=True, append_images=frames[1:]))

    @pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
    @pytest.mark.parametrize("kept_bytes", [12, 60, -60])
    def test_are_refused_if_they_are_cut_off(self, image_format: str, kept_bytes: int) -> None:
        noise = Image.frombytes("RGB", (40, 40), os.urandom(40 * 40 * 3))

        assert refuse(encode(noise, image_format=image_format)[:kept_bytes])


def with_checksum(png: bytes) -> bytes:
    """Return a PNG whose head was changed, with the head's checksum."""
    return png[:29] + crc32(png[12:29]).to_bytes(4, "big") + png[33:]


def act_on_opening(**action: PdfObject) -> Change:
    """Return a change that lets the PDF do something when it is opened."""
    fields = {NameObject(f"/{name}"): value for name, value in action.items()}
    return lambda writer: writer.root_object.update({NameObject("/OpenAction"): DictionaryObject(fields)})


def hide_script(writer: PdfWriter) -> None:
    """Put a script where nothing leads to."""
    writer._add_object(DictionaryObject({NameObject("/JS"): TextStringObject("app.alert(1)")}))


def name_kind_elsewhere(writer: PdfWriter) -> None:
    """Let an action say by a reference of what kind it is."""
    kind = writer._add_object(NameObject("/GoToR"))
    act_on_opening(S=kind)(writer)


class TestPdfs:
    """PDF."""

    @pytest.mark.parametrize("pages", [1, MAX_PAGES])
    def test_are_kept_byte_by_byte(self, pages: int) -> None:
        assert inspect(make_pdf(pages=pages)) == ("application/pdf", "application/pdf", None)

    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n", b"\0\0"])
    def test_may_end_with_empty_lines(self, end: bytes) -> None:
        assert inspect(make_pdf().rstrip() + end)

    def test_may_have_links_and_say_where_to_begin(self) -> None:
        def change(writer: PdfWriter) -> None:
            writer.add_annotation(0, Link(rect=(0, 0, 10, 10), url="https://example.com"))
            page = IndirectObject(4, 0, writer)
            writer.root_object[NameObject("/OpenAction")] = ArrayObject([page, NameObject("/XYZ"), NumberObject(0)])

        assert inspect(make_pdf(change=change))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (act_on_opening(S=NameObject("/JavaScript"), JS=TextStringObject("app.alert(1)")), "scripts"),
            (act_on_opening(S=NameObject("/Launch"), F=TextStringObject("cmd.exe")), "actions"),
            (act_on_opening(S=NameObject("/SubmitForm")), "actions"),
            (act_on_opening(S=NameObject("/GoToR")), "actions"),
            (name_kind_elsewhere, "actions"),
            (hide_script, "scripts"),
            (lambda writer: writer.add_attachment("a.exe", b"MZ"), "files"),
            (lambda writer: writer.pages[0].update({NameObject("/AA"): DictionaryObject()}), "actions"),
            (lambda writer: writer.encrypt("secret"), "encrypted"),
            (lambda writer: writer.encrypt("", "owner"), "encrypted"),
        ],
    )
    def test_are_refused_if_they_act_carry_or_hide_something(self, change: Change, reason: str) -> None:
        assert reason in refuse(make_pdf(change=change))

    def test_are_refused_if_they_act_under_another_spelling(self) -> None:
        launching = make_pdf(change=act_on_opening(S=NameObject("/Launch")))

        assert "actions" in refuse(launching.replace(b"/Launch", b"/L#61unch"))

    @pytest.mark.parametrize("pages", [0, MAX_PAGES + 1])
    def test_are_refused_without_a_page_and_with_too_many(self, pages: int) -> None:
        assert "page" in refuse(make_pdf(pages=pages))

    @pytest.mark.parametrize("markup", [b"<html>", b"< HTML", b"<!DOCTYPE html>", b"<script>", b"<svg onload=x>"])
    def test_are_refused_if_they_are_web_pages_too(self, markup: bytes) -> None:
        assert "web page" in refuse(make_pdf().replace(b"%PDF-1.3\n", b"%PDF-1.3\n%" + markup + b"\n", 1))

    @pytest.mark.parametrize("more", [b"x", b"PK\x03\x04", b"\x89PNG", b"%%EO"])
    def test_are_refused_if_something_follows_their_end(self, more: bytes) -> None:
        assert "follows" in refuse(make_pdf() + more)

    def test_are_refused_if_they_are_cut_off(self) -> None:
        assert refuse(make_pdf()[:-20])
        assert refuse(b"%PDF-1.7\n%%EOF")


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00", b"<html></html>", b"GIF89a" + b"\0" * 50, b"BM" + b"\0" * 60, b"PK\x03\x04", b"x",
        b"\n" + make_pdf(), b"\xff\xd8", make_image(image_format="GIF"), make_image(image_format="TIFF"),
        make_image(image_format="WEBP"), b"%!PS-Adobe-3.0 EPSF-3.0",
    ],
    ids=lambda content: repr(content[:12]),
)  # fmt: skip
def test_other_files_are_refused(content: bytes) -> None:
    assert refuse(content) == "The file is no PDF, JPEG or PNG."


@pytest.mark.parametrize("sent", [make_jpeg(), make_image(image_format="PNG"), make_pdf(change=hide_script)])
def test_a_damaged_file_is_read_or_refused_and_nothing_else(sent: bytes) -> None:
    dice = random.Random(7)  # noqa: S311 - no secret

    for _ in range(200):
        damaged = bytearray(sent)
        for _ in range(dice.randint(1, 20)):
            damaged[dice.randrange(8, len(sent))] = dice.randrange(256)
        try:
            inspect(bytes(damaged))
        except RefusedFileError:
            continue


def test_a_process_of_its_own_gives_the_same_answers() -> None:
    image, pdf = make_image(image_format="PNG"), make_pdf()

    assert inspect_file(content=image) == ("image/png", "image/jpeg", inspect(image).kept)
    assert inspect_file(content=pdf) == ("application/pdf", "application/pdf", pdf)
    with pytest.raises(UnsupportedDocumentError, match=r"^The file is no PDF, JPEG or PNG\.$"):
        inspect_file(content=b"MZ")


def run_instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let another program of Python's look into files; it finds `limit`, which sets the limits."""
    start = f"from kyc.inspection.__main__ import _limit_resources as limit\n{program}"
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **options: run([sys.executable, "-c", start], **options))


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "limit(); bytes(2 * 1024**3)",
        "limit(); open('/tmp/left-behind', 'wb', 0).write(b'x')",
        "import resource; limit(); resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
        "import time; time.sleep(30)",
    ],
    ids=["crashes", "takes all memory", "writes files", "computes for ever", "hangs"],
)
def test_a_decoder_that_goes_wrong_takes_nothing_with_it(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TIMEOUT_SECONDS", 5.0)
    run_instead(monkeypatch, program)

    with pytest.raises(UnsupportedDocumentError):
        inspect_file(content=make_pdf())


def test_a_decoder_is_limited_before_it_sees_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    program = """
import resource, sys
from kyc.inspection import __main__ as inspection
def inspect(content):
    limits = [resource.getrlimit(each)[0] for each in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)]
    return inspection.Finding("a", "b", str(limits).encode())
inspection.inspect = inspect
sys.exit(inspection.main())"""
    run_instead(monkeypatch, program)

    assert inspect_file(content=b"x").kept == str([MEMORY_BYTES, CPU_SECONDS, 0]).encode()


def test_a_decoder_is_told_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "canary")
    run_instead(monkeypatch, "import os; print('a b'); print('canary' in str(os.environ))")

    assert inspect_file(content=b"x").kept == b"False\n"


def test_a_file_whose_turn_does_not_come_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.01)
    with files._turns, files._turns, pytest.raises(InspectionBusyError):
        inspect_file(content=make_pdf())

    assert inspect_file(content=make_pdf())


def test_only_so_many_files_wait_that_other_callers_find_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 600)
    with ExitStack() as stack:
        for taken in (files._turns, files._turns, files._places, files._places, files._places, files._places):
            stack.enter_context(taken)

        with pytest.raises(InspectionBusyError):
            inspect_file(content=make_pdf())

    assert inspect_file(content=make_pdf())


def test_a_place_is_free_again_after_a_turn_that_did_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.01)
    with files._turns, files._turns:
        for _ in range(5):
            with pytest.raises(InspectionBusyError):
                inspect_file(content=make_pdf())

    assert inspect_file(content=make_pdf())
