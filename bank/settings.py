"""All settings of the bank, in one file, read from the environment (see .env.example) by bank/variables.py.

A missing or malformed variable stops the start with a sentence that names it. What can only be judged with
the other settings at hand is judged by the system checks in bank/checks.py.
"""

from pathlib import Path
from zoneinfo import available_timezones

import pghistory
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from bank.variables import (
    env,
    read_database,
    read_email,
    read_one_of,
    read_positive_int,
    read_servers,
    read_url,
    read_url_or_none,
    read_version,
)

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)  # a bank of invented customers on one machine: plain http, seed_demo
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "allauth",
    "allauth.account",  # allauth.mfa needs its models; none of its pages is routed
    "allauth.mfa",
    "localflavor",
    "bank",
    "core",
    "events",
    "approvals",
    "approvals.rights",
    "ledger",
    "kyc",
    "accounts",
    "transfers",
    "transfers.antifraud",
    "transfers.payments",
    "transfers.rails",
    "transfers.reversals",
    "transfers.standing_orders",
    "reporting.analytics",
    "reporting.regulatory",
    "notifications",
    "audit",
]

MIDDLEWARE = [
    "core.api.middleware.RequestIdMiddleware",
    "core.api.middleware.HeadMiddleware",
    "core.browsers.BrowserMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "core.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.api.middleware.OriginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "core.staff_sessions.StaffSessionMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "bank.urls"
WSGI_APPLICATION = "bank.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
    {  # what clients are told: plain text, in which nothing is escaped
        "NAME": "texts",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "notifications"],
        "APP_DIRS": False,
        "OPTIONS": {"autoescape": False},
    },
]

# The bank itself, as statements name it
BANK_NAME = env.str("BANK_NAME", default="Bank")
BANK_CODE = env.str("BANK_CODE", default="000")  # what other banks and programs know it by

# Database. The runtime role has no DDL and cannot change the ledger's history; migrations run as the owner:
# DATABASE_URL=$DATABASE_OWNER_URL manage.py migrate
DATABASE_RUNTIME_ROLE = env.str("DATABASE_RUNTIME_ROLE", default="bank_app")
DATABASE_POOL_SIZE = read_positive_int("DATABASE_POOL_SIZE", 10)
LOCK_TIMEOUT_MS = read_positive_int("LOCK_TIMEOUT_MS", 2_000)
IDEMPOTENCY_WAIT_MS = read_positive_int("IDEMPOTENCY_WAIT_MS", 500)  # for a key in use; shorter than the above
STATEMENT_TIMEOUT_MS = read_positive_int("STATEMENT_TIMEOUT_MS", 30_000)
IDLE_IN_TRANSACTION_TIMEOUT_MS = read_positive_int("IDLE_IN_TRANSACTION_TIMEOUT_MS", 10_000)

DATABASES = {
    "default": read_database("DATABASE_URL")
    | {
        "ENGINE": "core.postgresql",  # looks after the pool's health itself, in place of CONN_HEALTH_CHECKS
        "OPTIONS": {
            # Longer than requests wait, it would try ever more rarely to reach a database that is away.
            "pool": {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 5, "reconnect_timeout": 5},
            "connect_timeout": 5,
            "prepare_threshold": 5,  # Django turns prepared statements off; core.db.Statement wants them
            "application_name": "bank",
            "options": (
                "-c plan_cache_mode=force_generic_plan"  # a prepared statement is planned once, not at each use
                f" -c lock_timeout={LOCK_TIMEOUT_MS}"
                f" -c statement_timeout={STATEMENT_TIMEOUT_MS}"
                f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
            ),
        },
    }
}
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)  # a history has the indexes that it names
SILENCED_SYSTEM_CHECKS = ["models.W045"]  # CHECKs in SQL are not validated in Python; PostgreSQL keeps them
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache and Celery. Two databases: the cache may be emptied at any time, the queue may not.
REDIS_URL = read_url("REDIS_URL", "redis", "rediss")
REDIS_TIMEOUT_SECONDS = 0.5  # then a balance is read elsewhere, and limits are not exact
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT_SECONDS,
            "SOCKET_TIMEOUT": REDIS_TIMEOUT_SECONDS,
        },
    }
}
BALANCE_CACHE_SECONDS = read_positive_int("BALANCE_CACHE_SECONDS", 60)  # no cached balance is older, come what may
ACCOUNT_SNAPSHOT_EVENTS = read_positive_int(
    "ACCOUNT_SNAPSHOT_EVENTS", 5
)  # how many events of an account one covers more
CELERY_BROKER_URL = read_url("CELERY_BROKER_URL", "redis", "rediss")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_ROUTES = {"events.tasks.relay_events": {"queue": "relay"}}  # with a worker of its own: it never waits
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "expire-holds": {"task": "ledger.tasks.expire_holds", "schedule": 30.0},
    "expire-approvals": {"task": "approvals.tasks.expire_due", "schedule": 60.0, "options": {"expires": 60}},
    "lift-due-blocks": {"task": "accounts.tasks.lift_due_blocks", "schedule": 30.0, "options": {"expires": 30}},
    "delete-stale-keys": {"task": "core.tasks.delete_stale_keys", "schedule": 3600.0},
    # Only starts the relay again if it has ended; one that is late is of no use.
    "relay-events": {"task": "events.tasks.relay_events", "schedule": 1.0, "options": {"expires": 5}},
    "run-standing-orders": {
        "task": "transfers.standing_orders.tasks.run_standing_orders",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # The schedule sends what no message has woken a worker for; what the rail has to say is asked for by it alone.
    "send-payments": {"task": "transfers.rails.tasks.send_due", "schedule": 5.0, "options": {"expires": 5}},
    "receive-from-rail": {
        "task": "transfers.rails.tasks.receive_messages",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "reconcile-rail": {"task": "transfers.rails.tasks.reconcile_rail", "schedule": 3600.0},
    "expire-reviews": {"task": "transfers.antifraud.tasks.expire_reviews", "schedule": 300.0},
    "take-snapshots": {"task": "accounts.tasks.take_snapshots", "schedule": 10.0, "options": {"expires": 10}},
    # For what no message has woken a worker, and what one left when it died.
    "screen-clients": {"task": "kyc.tasks.screen_due", "schedule": 30.0, "options": {"expires": 30}},
    "load-sanctions-file": {"task": "kyc.tasks.load_sanctions_file", "schedule": 3600.0},
    "run-kyc-reviews": {"task": "kyc.tasks.run_reviews", "schedule": 3600.0},
    # For what no message has woken a worker: what was put off, and what a worker left when it died.
    "deliver-notifications": {
        "task": "notifications.tasks.deliver_due",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    # For what is to be tried again, what a worker left when it died, and what no message has woken a worker for.
    "send-due-reports": {
        "task": "reporting.regulatory.tasks.send_due_reports",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "summarise-days": {
        "task": "reporting.regulatory.tasks.summarise_days",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "delete-stale-inbox": {"task": "events.tasks.delete_stale_inbox", "schedule": 3600.0},
}

# Kafka. An empty KAFKA_API_VERSION lets client and broker agree; the embedded broker needs 2.3.
KAFKA_BOOTSTRAP_SERVERS = read_servers("KAFKA_BOOTSTRAP_SERVERS")
KAFKA_API_VERSION = read_version("KAFKA_API_VERSION")
KAFKA_PREFIX = env.str("KAFKA_PREFIX", default="")  # of topics and groups, where several banks share a cluster
KAFKA_MAX_MESSAGE_BYTES = read_positive_int("KAFKA_MAX_MESSAGE_BYTES", 1_000_000)  # no more than the brokers take
CONSUMER_ATTEMPTS = read_positive_int("CONSUMER_ATTEMPTS", 5)  # then a message becomes a dead letter
INBOX_DAYS = read_positive_int("INBOX_DAYS", 7)  # how old what Kafka delivers may be; it keeps less

# Who may read GET /metrics: whoever sends this as a Bearer token; if it is empty, this machine only.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# Who reads the topics: manage.py consume_events --group NAME. Each app says in consumers.py what it does with which.
CONSUMER_GROUPS = {
    "balances": "accounts.consumers.BALANCES",
    "accounts": "accounts.consumers.ACCOUNTS",
    "analytics": "reporting.analytics.consumers.ANALYTICS",
    "regulatory": "reporting.regulatory.consumers.REGULATORY",
    "notifications": "notifications.consumers.NOTIFICATIONS",
}
# Whose effects can be undone and made anew from the events, and by what they are undone.
CONSUMER_RESETS = {
    "balances": "accounts.consumers.reset_balances",
    "analytics": "reporting.analytics.services.reset_projections",
}

# The rail that carries payments to other banks. Without one they stay held.
RAIL_URL = read_url_or_none("RAIL_URL", "https", "http")
RAIL_TOKEN = env.str("RAIL_TOKEN", default="")  # shown to the rail as a Bearer token
RAIL_TIMEOUT_SECONDS = read_positive_int("RAIL_TIMEOUT_SECONDS", 10)  # for each step of a call
RAIL_SENDER = "transfers.rails.tasks.send_due"  # the task that is woken when a payment is ordered
# How long staff may take to decide about a transfer in review; then it fails. See docs/antifraud.md.
ANTIFRAUD_REVIEW_DAYS = read_positive_int("ANTIFRAUD_REVIEW_DAYS", 7)

# E-mail: smtp+tls://user:password@host:587; filemail:///folder and consolemail:// send nothing
_EMAIL = read_email("EMAIL_URL")
EMAIL_BACKEND = _EMAIL["EMAIL_BACKEND"]
EMAIL_HOST = _EMAIL["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _EMAIL["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _EMAIL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _EMAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _EMAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _EMAIL["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = read_positive_int("EMAIL_TIMEOUT_SECONDS", 10)  # for each step of SMTP
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM")
NOTIFICATION_ATTEMPTS = read_positive_int("NOTIFICATION_ATTEMPTS", 8)  # within 17 hours, then staff decide
NOTIFICATION_NEWS_HOURS = read_positive_int("NOTIFICATION_NEWS_HOURS", 72)  # what is older is told in the list alone

# The regulator. While REGULATOR_URL is empty, reports are written and wait.
REGULATOR_URL = read_url_or_none("REGULATOR_URL", "https", "http")
REGULATOR_TOKEN = env.str("REGULATOR_TOKEN", default="")
REGULATOR_TIMEOUT_SECONDS = read_positive_int("REGULATOR_TIMEOUT_SECONDS", 10)  # for each part of an answer
REGULATOR_RETRY_MINUTES: float = read_positive_int("REGULATOR_RETRY_MINUTES", 5)  # after the first failure; then longer
REGULATOR_OVERDUE_HOURS = read_positive_int(
    "REGULATOR_OVERDUE_HOURS", 24
)  # then staff are shown it, and it is still tried

# People
AUTH_USER_MODEL = "core.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
CSRF_FAILURE_VIEW = "core.api.refusals.answer_csrf_failure"
STAFF_SESSION_MINUTES = read_positive_int("STAFF_SESSION_MINUTES", 30)  # without a request
STAFF_SESSION_HOURS = 12  # whatever happens
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=not DEMO)
# An OpenID provider at which staff may sign in; none if the first is empty. See core/openid/sign_in.py
STAFF_OIDC_ISSUER = read_url_or_none("STAFF_OIDC_ISSUER", "https", "http")
STAFF_OIDC_CLIENT_ID = env.str("STAFF_OIDC_CLIENT_ID", default="")
STAFF_OIDC_CLIENT_SECRET = env.str("STAFF_OIDC_CLIENT_SECRET", default="")
STAFF_OIDC_MFA_ACR = env.str("STAFF_OIDC_MFA_ACR", default="")  # the `acr` by which it says that there were two factors
MFA_ADAPTER = "core.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Bank back office"
SESSION_COOKIE_AGE = STAFF_SESSION_HOURS * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# Personal data at rest: a Tink keyset encrypts it, a keyed hash makes it findable.
PII_INDEX_KEY = env.str("PII_INDEX_KEY")
TINK_FIELDS_CONFIG = {"default": {"path": env.str("PII_KEYSET_FILE"), "cleartext": True}}

# Customers' tokens
JWT_SECRET = env.str("JWT_SECRET")
JWT_ISSUER = env.str("JWT_ISSUER", default="bank")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="bank-api")
ACCESS_TOKEN_SECONDS = read_positive_int("ACCESS_TOKEN_SECONDS", 900)
REFRESH_TOKEN_SECONDS = read_positive_int("REFRESH_TOKEN_SECONDS", 14 * 86_400)
SCOPE_GRANTS = "kyc.scopes.get_granted_scopes"
SIGN_IN_RECORDER = "kyc.services.record_sign_in"

# The OpenID provider whose access tokens are good here besides our own; none if OIDC_ISSUER is empty (docs/openid.md)
OIDC_ISSUER = read_url_or_none("OIDC_ISSUER", "https", "http")
OIDC_AUDIENCE = env.str("OIDC_AUDIENCE", default="bank-api")
OIDC_JWKS_URL = read_url_or_none("OIDC_JWKS_URL", "https", "http")  # empty: the provider is asked where its keys are
EMAIL_OWNER_FINDER = "kyc.selectors.find_user_by_email"

# Limits, each a caller and minute
READS_PER_MINUTE = read_positive_int("READS_PER_MINUTE", 6_000)
WRITES_PER_MINUTE = read_positive_int("WRITES_PER_MINUTE", 3_000)
FAILED_SIGN_INS_PER_ACCOUNT = read_positive_int("FAILED_SIGN_INS_PER_ACCOUNT", 10)
FAILED_SIGN_INS_PER_SOURCE = read_positive_int("FAILED_SIGN_INS_PER_SOURCE", 30)
FAILED_CODES_PER_DAY = read_positive_int("FAILED_CODES_PER_DAY", 50)  # of a member of staff's second factor
REFUSALS_PER_SOURCE = read_positive_int("REFUSALS_PER_SOURCE", 300)  # answers 401 and 403
SIGN_UPS_PER_SOURCE = read_positive_int("SIGN_UPS_PER_SOURCE", 20)
UPLOADS_PER_MINUTE = read_positive_int("UPLOADS_PER_MINUTE", 20)
TRUSTED_PROXIES = int(
    read_one_of("TRUSTED_PROXIES", "0", [str(number) for number in range(10)])
)  # how many proxies of ours add to X-Forwarded-For
MAX_ACCOUNTS_PER_CLIENT = read_positive_int("MAX_ACCOUNTS_PER_CLIENT", 100)  # not counting the inactive ones
MAX_DOCUMENTS_PER_CLIENT = read_positive_int("MAX_DOCUMENTS_PER_CLIENT", 20)

# KYC: the list of whom the bank may not serve, from which likeness on (1 to 100) a name on it is a hit, when a client
# is looked at again by its risk, and for how long it stays verified meanwhile
SCREENING_PROVIDER = "kyc.screening.sanctions.SanctionsLists"
SCREENING_THRESHOLD = read_positive_int("SCREENING_THRESHOLD", 85)
SANCTIONS_FILE = env.str("SANCTIONS_FILE", default="")
KYC_REVIEW_DAYS = {
    "low": read_positive_int("KYC_REVIEW_DAYS_LOW", 730),
    "medium": read_positive_int("KYC_REVIEW_DAYS_MEDIUM", 365),
    "high": read_positive_int("KYC_REVIEW_DAYS_HIGH", 182),
}
KYC_REVIEW_GRACE_DAYS = read_positive_int("KYC_REVIEW_GRACE_DAYS", 30)

IDEMPOTENCY_KEY_DAYS = read_positive_int("IDEMPOTENCY_KEY_DAYS", 90)
APPROVAL_HOURS = read_positive_int("APPROVAL_HOURS", 72)  # within which what needs two people is approved, or expires

# API
MAX_REQUEST_BYTES = read_positive_int("MAX_REQUEST_BYTES", 5 * 1024 * 1024)
MAX_UPLOAD_BYTES = read_positive_int("MAX_UPLOAD_BYTES", 10 * 1024 * 1024)  # a file; and what a form may add to it:
MAX_FORM_BYTES = MAX_UPLOAD_BYTES + 64 * 1024
UPLOAD_PATHS = ["/api/v1/clients/me/documents"]  # a POST to one of these may be as large as that, and no other request
REQUEST_SECONDS = read_positive_int("REQUEST_SECONDS", 15)  # how long bank/server.py lets a caller be slow
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_REQUEST_BYTES
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.jsend.JSendRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.AlwaysJSON",
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttles.CallerThrottle"],
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.BankSchema",
    "EXCEPTION_HANDLER": "core.api.refusals.handle_exception",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bank API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "ENUM_NAME_OVERRIDES": {
        "AccountEventType": "accounts.states.AccountEventType",
        "AccountKind": "accounts.states.CustomerAccountKind",
        "AccountStatus": "accounts.states.AccountStatus",
        "BalanceSource": "accounts.states.BalanceSource",
        "ClientStatus": "kyc.states.ClientStatus",
        "CreditDebit": "accounts.states.CreditDebit",
        "DocumentKind": "kyc.states.DocumentKind",
        "DocumentMediaType": "kyc.states.DocumentMediaType",
        "DocumentType": "kyc.states.DocumentType",
        "KycStatus": "kyc.states.KycStatus",
        "NotificationKind": "notifications.states.Kind",
        "NotificationLanguage": "notifications.states.Language",
        "StatementEntryKind": "transfers.statements.states.EntryKind",
        "StatementFormat": "transfers.statements.states.StatementFormat",
        "PaymentStatus": "transfers.payments.states.PaymentStatus",
        "RunOutcome": "transfers.standing_orders.states.RunOutcome",
        "ScheduleKind": "transfers.standing_orders.states.ScheduleKind",
        "StandingOrderStatus": "transfers.standing_orders.states.StandingOrderStatus",
        "TransferKind": "transfers.states.TransferKind",
        "TransferStatus": "transfers.states.TransferStatus",
        "Weekday": "transfers.standing_orders.states.Weekday",
    },
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.complete_document",
    ],
}

# Language, time, files
LANGUAGE_CODE = "en"  # the bank's own; the back office has each reader's, see core/language.py
LANGUAGES = [("en", "English"), ("pt-br", "Português")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["core.formats"]
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = read_one_of(
    "TIME_ZONE", "America/Sao_Paulo", available_timezones()
)  # the bank's: it decides what day a booking is of
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEBUG:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Transport security: on, unless this is a developer's or a demo bank on plain http
_HTTPS = not (DEBUG or DEMO)
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 365 * 86_400 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
LANGUAGE_COOKIE_SECURE = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# What a page may load and do: of our own alone. core/browsers.py says what the back office needs besides.
CONTENT_SECURITY_POLICY: dict[str, dict[str, list[str]]] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE], "frame-src": [SELF]}
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "core.api.middleware.RequestIdFilter"}},
    "formatters": {
        "line": {
            "()": "core.logs.UTCFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s %(trace_id)s] %(message)s",
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]},
    },
    "root": {
        "handlers": ["console"],
        "level": read_one_of("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
    },
    "loggers": {
        "kafka": {"level": "CRITICAL"},  # it reports each attempt to reach a broker; events/ says once what is wrong
        "httpx": {"level": "WARNING"},  # a line for each call, which is kept with its outcome anyway
        # What callers do wrong stands in the access log; else anybody could fill this one.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}

# The back office
UNFOLD: dict[str, object] = {
    "SITE_TITLE": _("Bank back office"),
    "SITE_HEADER": _("Bank"),
    "SITE_SUBHEADER": _("Back office"),
    "SITE_SYMBOL": "account_balance",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("core/bank.svg")}],
    "SITE_URL": None,
    "DASHBOARD_CALLBACK": "bank.dashboard.add_figures",
    "SHOW_LANGUAGES": True,
    "SIDEBAR": {"navigation": "bank.navigation.list_groups"},
    "ACCOUNT": {"navigation": [{"title": _("Second factor"), "link": reverse_lazy("set_up_factors")}]},
    "STYLES": [lambda request: static("core/back_office.css")],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "#eef6f6",
            "100": "#d5e9ea",
            "200": "#aed4d6",
            "300": "#7fb8bc",
            "400": "#4d979d",
            "500": "#2f7b82",
            "600": "#1f646b",
            "700": "#1a5158",
            "800": "#174349",
            "900": "#14373c",
            "950": "#0a2124",
        },
    },
}
