"""Tokens of any shape, signed with real keys: also those that no library would make."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

Part = Mapping[str, Any] | bytes


def seal(header: Part, claims: Part, *, key: Any, algorithm: str) -> str:
    """Return the token of `header` and `claims`, signed by `algorithm` whatever the header says of it."""
    signed = f"{encode(header)}.{encode(claims)}"
    signature = jwt.get_algorithm_by_name(algorithm).sign(signed.encode(), key)
    return f"{signed}.{encode(signature)}"


def encode(part: Part) -> str:
    """Return a part of a token; a mapping as JSON."""
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


@cache
def make_key(name: str, *, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the RSA key of that name, the same one in all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def write_public_key(key: PrivateKey) -> bytes:
    """Return the public key as everybody can have it, in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def say_twice(claims: Mapping[str, Any], name: str, first: object) -> bytes:
    """Return `claims` as JSON in which `name` stands twice, at first with another value."""
    return b"{" + json.dumps({name: first}).encode()[1:-1] + b"," + json.dumps(claims).encode()[1:]
