"""Files that a client might send."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image
from pypdf import PdfWriter


def make_image(*, image_format: str, mode: str = "RGB", size: tuple[int, int] = (40, 20), **options: Any) -> bytes:
    """Return a grey image."""
    image = Image.new("L", size, 128).convert("P") if mode == "P" else Image.new(mode, size, _GREY[mode])
    return encode(image, image_format=image_format, **options)


def encode(image: Image.Image, *, image_format: str, **options: Any) -> bytes:
    """Return an image as a file."""
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def make_jpeg(**options: Any) -> bytes:
    """Return a small JPEG."""
    return make_image(image_format="JPEG", **options)


def make_pdf(*, pages: int = 1, change: Callable[[PdfWriter], object] | None = None) -> bytes:
    """Return a PDF of blank pages, after a `change` to what is written."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=100, height=100)
    if change is not None:
        change(writer)
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


def make_form(*parts: tuple[str, bytes], boundary: str = "frontier") -> bytes:
    """Return a multipart body of parts, each its head's lines and its content."""
    written = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts]
    return b"".join(written) + f"--{boundary}--\r\n".encode()


_GREY: dict[str, Any] = {
    "1": 1,
    "L": 128,
    "I;16": 0x8000,
    "LA": (128, 255),
    "RGB": (128, 128, 128),
    "RGBA": (128, 128, 128, 255),
    "CMYK": (0, 0, 0, 127),
}
