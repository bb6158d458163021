"""The bank's settings, with each request recorded and with limits that a fuzzer does not reach."""

from bank.settings import *  # noqa: F403
from bank.settings import LOGGING as _BANKS_LOGGING
from bank.settings import MIDDLEWARE as _BANKS_MIDDLEWARE

_NEVER = 10**9

MIDDLEWARE = ["proofs.fuzz.record.RecordingMiddleware", *_BANKS_MIDDLEWARE]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # how slow the bank's own is matters not here
LOGGING = _BANKS_LOGGING | {"root": {"handlers": ["console"], "level": "ERROR"}}
SECURE_SSL_REDIRECT = False
ACCESS_TOKEN_SECONDS = 86_400

READS_PER_MINUTE = WRITES_PER_MINUTE = REFUSALS_PER_SOURCE = SIGN_UPS_PER_SOURCE = UPLOADS_PER_MINUTE = _NEVER
FAILED_SIGN_INS_PER_ACCOUNT = FAILED_SIGN_INS_PER_SOURCE = _NEVER
MAX_ACCOUNTS_PER_CLIENT = MAX_DOCUMENTS_PER_CLIENT = _NEVER
