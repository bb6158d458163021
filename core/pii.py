"""Personal data: finding a document again without storing it in clear, and showing it without giving it away."""

import hashlib
import hmac

from django.conf import settings

_SHOWN_CHARACTERS = 3


def index_document(*, document_type: str, number: str) -> bytes:
    """Return the 32 bytes by which a document is found, made of its type and normalised number."""
    return index_parts(document_type, number)


def index_parts(*parts: str) -> bytes:
    """Return the 32 bytes by which personal data is recognised: an HMAC-SHA256 of its parts.

    The key is PII_INDEX_KEY: without it, a hash of a CPF is found by trying all of them. Each part is prefixed with
    its length, so that no characters can move from one to the other and give the same index.
    """
    mac = hmac.new(bytes.fromhex(settings.PII_INDEX_KEY), digestmod=hashlib.sha256)
    for part in (each.encode() for each in parts):
        mac.update(len(part).to_bytes(4, "big") + part)
    return mac.digest()


def mask_document(*, number: str) -> str:
    """Return `number` with all but its last three characters hidden: its owner knows it by them, nobody else does."""
    return "*" * (len(number) - _SHOWN_CHARACTERS) + number[-_SHOWN_CHARACTERS:]
