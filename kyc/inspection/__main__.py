"""Reads a file from its standard input and writes what it is; kyc/files.py starts it and reads that.

The answer is a line with the media type of what came and that of what is to be kept, and behind it what is to be kept
if that is not what came. Where a file is refused, it is the reason, and the exit status REFUSED.
"""

import resource
import sys
from contextlib import suppress

from kyc.inspection.verdicts import Finding, RefusedFileError

REFUSED = 3

CPU_SECONDS = 8
MEMORY_BYTES = 1024**3
"""Three times what the largest picture takes."""

JPEG, PNG, PDF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-"


def main() -> int:
    """Answer about the file; return the exit status."""
    _limit_resources()
    try:
        finding = inspect(sys.stdin.buffer.read())
    except RefusedFileError as refusal:
        sys.stdout.write(str(refusal))
        return REFUSED
    sys.stdout.buffer.write(f"{finding.media_type} {finding.kept_media_type}\n".encode() + (finding.kept or b""))
    return 0


def inspect(content: bytes) -> Finding:
    """Return what the file is. Raises RefusedFileError."""
    try:
        return _look_into(content)
    except RefusedFileError:
        raise
    except Exception as error:  # decoders raise anything over a broken file
        raise RefusedFileError("The file is broken.") from error


def _look_into(content: bytes) -> Finding:
    # Each decoder is only loaded for its own files.
    if content.startswith(PDF):
        from kyc.inspection.pdfs import inspect_pdf

        return inspect_pdf(content)
    if content.startswith((JPEG, PNG)):
        from kyc.inspection.images import inspect_image

        return inspect_image(content, media_type="image/png" if content.startswith(PNG) else "image/jpeg")
    raise RefusedFileError("The file is no PDF, JPEG or PNG.")


def _limit_resources() -> None:
    """Let the system end this process if it takes too much; where a limit is unknown, the caller's patience ends it."""
    limits = {
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    sys.exit(main())
