"""What the application is told: the variables of .env.example, with the embedded engines' addresses."""

import os

from bank.embedded.engines import Engines
from bank.embedded.folder import DataFolder
from bank.embedded.keys import keep_application_secrets
from bank.embedded.postgres import APP, OWNER, SUPERUSER
from bank.embedded.valkey import CACHE_DATABASE, QUEUE_DATABASE


def bank_environment(folder: DataFolder, engines: Engines, *, port: int) -> dict[str, str]:
    """Return the environment of the demo bank's programs."""
    return _common(folder, engines) | {
        "DATABASE_URL": engines.postgres.url(APP),
        "DATABASE_OWNER_URL": engines.postgres.url(OWNER),
        "STATIC_ROOT": str(folder.static),
        "PORT": str(port),
    }


def throwaway_environment(folder: DataFolder, engines: Engines) -> dict[str, str]:
    """Return the environment of tests and benchmarks: superuser, since they make databases of their own.

    What a benchmark measures signs in at DATABASE_RUNTIME_URL, as the bank's processes do.
    """
    return _common(folder, engines) | {
        "DATABASE_URL": engines.postgres.url(SUPERUSER),
        "DATABASE_OWNER_URL": engines.postgres.url(OWNER),
        "DATABASE_RUNTIME_URL": engines.postgres.url(APP),
        "STATIC_ROOT": str(folder.static),
    }


def as_owner(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment in which migrations run: as the role that owns the tables."""
    return environment | {"DATABASE_URL": environment["DATABASE_OWNER_URL"]}


def _common(folder: DataFolder, engines: Engines) -> dict[str, str]:
    return (
        dict(os.environ)
        | keep_application_secrets(folder.secrets)
        | {
            "DJANGO_SETTINGS_MODULE": "bank.settings",
            "REDIS_URL": engines.valkey.url(CACHE_DATABASE),
            "CELERY_BROKER_URL": engines.valkey.url(QUEUE_DATABASE),
            "KAFKA_BOOTSTRAP_SERVERS": engines.broker.address(),
            "KAFKA_API_VERSION": engines.broker.api_version,
            "EMAIL_URL": f"filemail://{folder.mail.resolve()}",
            "EMAIL_FROM": "Bank <no-reply@bank.example>",
            "DEBUG": "0",
            "DEMO": "1",
            "PYTHONUNBUFFERED": "1",
        }
    )
