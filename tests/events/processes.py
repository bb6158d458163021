"""Other processes of the bank, for the test's own database, cache, queue and topics."""

import os
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def get_environment() -> dict[str, str]:
    """Return the variables by which another process finds what is the test's own."""
    database = connection.settings_dict
    user, password = quote(str(database["USER"])), quote(str(database["PASSWORD"]))
    address = f"{quote(str(database['HOST']), safe='')}:{database['PORT']}"
    return dict(os.environ) | {
        "DATABASE_URL": f"postgres://{user}:{password}@{address}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "CELERY_BROKER_URL": settings.REDIS_URL,  # a test's end empties it
        "KAFKA_BOOTSTRAP_SERVERS": ",".join(settings.KAFKA_BOOTSTRAP_SERVERS),
        "KAFKA_PREFIX": settings.KAFKA_PREFIX,
    }
