"""What the streams of a PDF unfold to: one of a megabyte can become a thousand of them for whoever opens the file."""

import zlib
from collections.abc import Callable
from contextlib import suppress

from pypdf.filters import ASCII85Decode, ASCIIHexDecode, LZWDecode, RunLengthDecode
from pypdf.generic import ArrayObject, NullObject, StreamObject

from kyc.inspection.verdicts import RefusedFileError

_STEP_BYTES = 8 * 1024**2


def measure_stream(stream: StreamObject, *, most: int) -> int:
    """Return how many bytes the stream unfolds to; one that is not packed, or only as a picture, to none.

    Raises RefusedFileError beyond `most`, or if nobody can tell, and what pypdf raises over a broken stream.
    """
    filters = _list_filters(stream)
    packed = [name for name in filters if name in _PACKED]
    if len(packed) > 1 or not set(filters) <= _PACKED.keys() | _WRITTEN.keys() | _PICTURES:
        raise RefusedFileError("The PDF is packed twice, or in an unknown way.")
    if not packed:
        return 0
    data = stream._data
    for name in filters[: filters.index(packed[0])]:
        data = _WRITTEN[name](data)  # a picture is never unpacked any further
    size = _PACKED[packed[0]](data, most)
    if size > most:
        raise RefusedFileError("The PDF unfolds to too much.")
    return size


def _list_filters(stream: StreamObject) -> list[str]:
    """Return the names of what was done to the data, in the order in which it is undone."""
    filters = stream["/Filter"] if "/Filter" in stream else ArrayObject()
    names = [name.get_object() for name in filters] if isinstance(filters, ArrayObject) else [filters]
    return [str(name) for name in names if not isinstance(name, NullObject)]


def _measure_flate(data: bytes, most: int) -> int:
    """Return the size, also of what comes before a fault, but for a step; just over `most` if it is larger."""
    inflater, size = zlib.decompressobj(), 0
    with suppress(zlib.error):
        while data and size <= most:
            size += len(inflater.decompress(data, _STEP_BYTES))
            data = inflater.unconsumed_tail
    return size


def _measure_lzw(data: bytes, most: int) -> int:
    return len(LZWDecode.decode(data))  # which stops by a limit of its own, as does the next


def _measure_run_length(data: bytes, most: int) -> int:
    return len(RunLengthDecode.decode(data))


_PACKED: dict[str, Callable[[bytes, int], int]] = {
    **dict.fromkeys(("/FlateDecode", "/Fl"), _measure_flate),
    **dict.fromkeys(("/LZWDecode", "/LZW"), _measure_lzw),
    **dict.fromkeys(("/RunLengthDecode", "/RL"), _measure_run_length),
}
_WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    **dict.fromkeys(("/ASCII85Decode", "/A85"), ASCII85Decode.decode),
    **dict.fromkeys(("/ASCIIHexDecode", "/AHx"), ASCIIHexDecode.decode),
}
_PICTURES = {"/DCTDecode", "/DCT", "/JPXDecode", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode"}
