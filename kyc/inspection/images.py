"""JPEG and PNG: decoded and encoded anew, so that only the picture stays.

What else was in the file - where and when it was taken, a preview of what was cut away, a second file behind the first
one - is gone, and what browsers get is what our own encoder wrote.
"""

import warnings
from io import BytesIO

from PIL import Image, ImageOps

from kyc.inspection.verdicts import Finding, RefusedFileError

MAX_PIXELS = 50_000_000
"""As many as the cameras of telephones make. Refused by the head of the file, before a decoder takes the memory."""

KEPT_SIDE = 4096
"""A picture is made no larger than this: a sheet of A4 then still has 350 dots an inch."""

QUALITY = 85


def inspect_image(content: bytes, *, media_type: str) -> Finding:
    """Return the picture as a JPEG. Raises RefusedFileError, and whatever the decoder raises over a broken file."""
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is lower
    image_format = media_type.removeprefix("image/").upper()
    with _open(content, image_format) as image:
        if image_format == "PNG" and getattr(image, "is_animated", False):
            raise RefusedFileError("The image is animated.")
        image.draft("RGB", (KEPT_SIDE, KEPT_SIDE))  # of a JPEG, the decoder then makes no more than is kept
        image.load()
        return Finding(media_type, "image/jpeg", _encode(_flatten(ImageOps.exif_transpose(image))))


def _open(content: bytes, image_format: str) -> Image.Image:
    """Return the image, not decoded yet. Raises RefusedFileError for too large a one."""
    try:
        image = Image.open(BytesIO(content), formats=[image_format])
        if image.width * image.height <= MAX_PIXELS:
            return image
    except Image.DecompressionBombError:
        pass  # it has even more
    raise RefusedFileError(f"The image has more than {MAX_PIXELS // 1_000_000} million pixels.")


def _flatten(image: Image.Image) -> Image.Image:
    """Return the picture in opaque colours: what shows through is white paper."""
    if image.mode.startswith("I"):  # 16 bits of grey, which would be cut off instead of brought down to 8
        image = image.point(lambda grey: grey / 256).convert("L")
    image.thumbnail((KEPT_SIDE, KEPT_SIDE))
    if not image.has_transparency_data:
        return image.convert("RGB")
    coloured = image.convert("RGBA")
    paper = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(paper, coloured).convert("RGB")


def _encode(image: Image.Image) -> bytes:
    image.info.clear()  # profile, comment and resolution, which the encoder would write again
    encoded = BytesIO()
    image.save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue()
