"""The environment's variables, read and judged one by one.

A missing or malformed variable stops the start with a sentence that names it.
"""

import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()  # every variable can also be given as NAME_FILE, the path of a file that holds it
environ.Env.read_env(Path(__file__).resolve().parent.parent / ".env")


def read_positive_int(name: str, default: int) -> int:
    """Return the whole number in variable `name`; raise ImproperlyConfigured unless it is at least 1."""
    raw = env.str(name, default=str(default))
    if not raw.isascii() or not raw.isdigit() or int(raw) < 1:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least 1, not {raw!r}.")
    return int(raw)


def read_url(name: str, *schemes: str) -> str:
    """Return the URL in variable `name`; raise ImproperlyConfigured unless it has one of `schemes` and a host."""
    url = env.str(name)
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must be a URL that begins with {' or '.join(schemes)}://.")
    return str(url)


def read_url_or_none(name: str, *schemes: str) -> str:
    """Return the URL in variable `name`, or "" if it is empty; raise ImproperlyConfigured as `read_url` does."""
    return read_url(name, *schemes) if env.str(name, default="") else ""


def read_one_of(name: str, default: str, choices: Collection[str]) -> str:
    """Return variable `name`; raise ImproperlyConfigured unless it is one of `choices`."""
    value = env.str(name, default=default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} has no meaning as {value!r}.")
    return str(value)


def read_servers(name: str) -> list[str]:
    """Return the addresses in variable `name`; raise ImproperlyConfigured unless each is host:port."""
    servers = env.list(name)
    if not servers or not all(re.fullmatch(r"[^:,\s]+:[0-9]+|\[[0-9a-fA-F:]+\]:[0-9]+", server) for server in servers):
        raise ImproperlyConfigured(f"{name} must be a list such as kafka-1:9092,kafka-2:9092.")
    return list(servers)


def read_version(name: str) -> tuple[int, ...]:
    """Return variable `name` as numbers, () if it is empty; raise ImproperlyConfigured unless it looks like 2.3."""
    raw = env.str(name, default="")
    if raw and not re.fullmatch(r"[0-9]+\.[0-9]+", raw):
        raise ImproperlyConfigured(f"{name} must look like 2.3, or be empty.")
    return tuple(int(part) for part in raw.split(".") if part)


def read_email(name: str) -> dict[str, object]:
    """Return Django's settings of e-mail from the URL in variable `name`; raise ImproperlyConfigured for no such URL.

    Also of filemail:///folder, of which the folder is absolute.
    """
    try:
        email: dict[str, object] = env.email_url(name)
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} is not the URL of a mail server: {error}") from error
    return email | {"EMAIL_FILE_PATH": f"/{str(email['EMAIL_FILE_PATH']).lstrip('/')}"}


def read_database(url_name: str) -> dict[str, object]:
    """Return Django's description of the PostgreSQL database in variable `url_name`."""
    try:
        database: dict[str, object] = env.db_url(url_name)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{url_name} is not a database URL: {error}") from error
    if database.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{url_name} must be a postgres:// URL.")
    return database
