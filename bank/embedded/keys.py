"""The bank's secrets: random, made once for a data folder, each in a file that only its owner reads."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tink
from tink import aead, json_proto_keyset_format, secret_key_access


@dataclass(frozen=True, kw_only=True)
class EnginePasswords:
    """The passwords of PostgreSQL's three roles and of Valkey."""

    superuser: str
    owner: str
    app: str
    valkey: str


def read_passwords(folder: Path) -> EnginePasswords:
    """Return the engines' passwords kept in `folder`, making those that are missing."""
    superuser, owner, app, valkey = (
        _keep(folder / f"{role}-password", _new_hex)
        for role in ("postgres-superuser", "postgres-owner", "postgres-app", "valkey")
    )
    return EnginePasswords(superuser=superuser, owner=owner, app=app, valkey=valkey)


def keep_application_secrets(folder: Path) -> dict[str, str]:
    """Return the application's secrets as NAME_FILE variables, making those that are missing."""
    makers = {
        "SECRET_KEY": _new_hex,
        "JWT_SECRET": _new_hex,
        "PII_INDEX_KEY": _new_hex,
        "PII_KEYSET": _new_keyset,
        "REGULATOR_TOKEN": _new_hex,
        "RAIL_TOKEN": _new_hex,
    }
    for name, make in makers.items():
        _keep(folder / name, make)
    return {f"{name}_FILE": str(folder / name) for name in makers}


def _keep(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in `path`; make it first if missing, in one step so that no half of it can stay."""
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
        draft.rename(path)
    return path.read_text()


def _new_hex() -> str:
    return secrets.token_hex(32)


def _new_keyset() -> str:
    """Return a new Tink AEAD keyset as JSON, in clear text: the file's mode is what protects it."""
    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    keyset: str = json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return keyset
