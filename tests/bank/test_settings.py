"""A missing or wrong setting stops the start with a sentence that names it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from secrets import token_hex, token_urlsafe

import pytest
from pytest_django import Settings

from bank.checks import check_openid, check_randomness, check_regulator, check_staff_openid

ROOT = Path(__file__).parents[2]

REQUIRED = ["SECRET_KEY", "JWT_SECRET", "PII_INDEX_KEY", "PII_KEYSET_FILE"]
REQUIRED += ["DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "KAFKA_BOOTSTRAP_SERVERS"]
REQUIRED += ["EMAIL_URL", "EMAIL_FROM"]

WRONG = [
    ("SECRET_KEY", "short"),
    ("JWT_SECRET", "short"),
    ("PII_INDEX_KEY", "no hex"),
    ("PII_KEYSET_FILE", "/nowhere"),
    ("PII_KEYSET_FILE", "/etc/hostname"),
    ("DATABASE_URL", "mysql://localhost/bank"),
    ("DATABASE_POOL_SIZE", "0"),
    ("LOCK_TIMEOUT_MS", "1_000"),
    ("REDIS_URL", "http://localhost"),
    ("CELERY_BROKER_URL", "garbage"),
    ("KAFKA_BOOTSTRAP_SERVERS", ""),
    ("KAFKA_BOOTSTRAP_SERVERS", "host:abc"),
    ("KAFKA_API_VERSION", "x.y"),
    ("EMAIL_URL", "mail.example"),
    ("EMAIL_URL", "pigeon://mail.example"),
    ("EMAIL_FROM", "nobody"),
    ("EMAIL_TIMEOUT_SECONDS", "0"),
    ("OIDC_ISSUER", "login.bank.example"),
    ("OIDC_ISSUER", "ftp://login.bank.example"),
    ("OIDC_AUDIENCE", ""),
    ("OIDC_JWKS_URL", "/certs"),
    ("STAFF_OIDC_ISSUER", "login.bank.example"),
    ("TRUSTED_PROXIES", "-1"),
    ("TIME_ZONE", "Mars/Olympus"),
    ("LOG_LEVEL", "LOUD"),
]


def check_settings(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run the system checks in a new process whose environment differs by `changes`; None takes a variable away."""
    gone = {*changes, *(f"{name}_FILE" for name in changes)}
    environment = {name: value for name, value in os.environ.items() if name not in gone}
    environment |= {name: value for name, value in changes.items() if value is not None}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60)


def test_starts_with_the_settings_of_the_tests() -> None:
    assert check_settings().returncode == 0


@pytest.mark.parametrize("name", REQUIRED)
def test_names_a_missing_setting(name: str) -> None:
    checked = check_settings(**{name: None})

    assert checked.returncode != 0
    assert name in checked.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET", "PII_INDEX_KEY"])
@pytest.mark.parametrize(
    "secret",
    ["a" * 64, "ab" * 32, "0123456789abcdef" * 4, "00112233445566778899aabbccddeeff" * 2, "change-me-" * 6, "01" * 40],
    ids=lambda secret: secret[:16],
)
def test_refuses_a_secret_that_is_made_up(name: str, secret: str, settings: Settings) -> None:
    setattr(settings, name, secret)

    assert [(message.id, name in message.msg) for message in check_randomness(None)] == [("bank.E005", True)]


@pytest.mark.parametrize("make", [token_hex, token_urlsafe, lambda size: token_hex(size * 8)])
def test_takes_random_secrets(make: Callable[[int], str], settings: Settings) -> None:
    for _ in range(1_000):
        settings.SECRET_KEY, settings.JWT_SECRET, settings.PII_INDEX_KEY = make(32), make(32), make(32)
        assert check_randomness(None) == []


@pytest.mark.parametrize(("one", "other"), list(combinations(["SECRET_KEY", "JWT_SECRET", "PII_INDEX_KEY"], 2)))
def test_refuses_one_secret_in_two_places(one: str, other: str, settings: Settings) -> None:
    setattr(settings, other, getattr(settings, one).upper())

    messages = check_randomness(None)

    assert [message.id for message in messages] == ["bank.E006"]
    assert one in messages[0].msg
    assert other in messages[0].msg


def test_a_made_up_secret_stops_the_start() -> None:
    checked = check_settings(JWT_SECRET="a" * 64)

    assert checked.returncode != 0
    assert "bank.E005" in checked.stderr


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_names_a_wrong_setting(name: str, value: str) -> None:
    checked = check_settings(**{name: value})

    assert checked.returncode != 0
    assert any(name in line for line in checked.stderr.splitlines() if not line.startswith(" "))


@pytest.mark.parametrize("url", ["consolemail://", "filemail:///srv/mail", "memorymail://"])
def test_a_real_deployment_sends_its_email(url: str) -> None:
    checked = check_settings(EMAIL_URL=url, DEMO="0", DEBUG="0")

    assert checked.returncode != 0
    assert "bank.E007" in checked.stderr


@pytest.mark.parametrize("name", ["OIDC_ISSUER", "OIDC_JWKS_URL"])
def test_a_real_deployment_asks_its_provider_under_tls(name: str, settings: Settings) -> None:
    settings.DEMO = settings.DEBUG = False
    setattr(settings, name, "http://login.bank.example/realms/bank")

    assert [(message.id, name in message.msg) for message in check_openid(None)] == [("bank.E009", True)]
    setattr(settings, name, "https://login.bank.example/realms/bank")
    assert check_openid(None) == []


def test_a_real_deployment_reports_under_tls_and_with_a_token(settings: Settings) -> None:
    settings.DEMO = settings.DEBUG = False
    settings.REGULATOR_URL, settings.REGULATOR_TOKEN = "http://regulator.example", ""
    assert [message.id for message in check_regulator(None)] == ["bank.E013", "bank.E014"]

    settings.REGULATOR_URL, settings.REGULATOR_TOKEN = "https://regulator.example", token_hex(16)
    assert check_regulator(None) == []


def test_a_demo_may_ask_a_provider_on_the_same_machine(settings: Settings) -> None:
    settings.DEMO = True
    settings.OIDC_ISSUER = "http://localhost:8080/realms/bank"

    assert check_openid(None) == []


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("JWT_ISSUER", "https://login.bank.example", "bank.E010"),
        ("OIDC_AUDIENCE", "", "bank.E011"),
        ("OIDC_ISSUER", "https://login.bank.example/" + "x" * 255, "bank.E012"),
    ],
)
def test_refuses_a_provider_that_could_not_work(name: str, value: str, number: str, settings: Settings) -> None:
    settings.OIDC_ISSUER = "https://login.bank.example"
    setattr(settings, name, value)

    assert [message.id for message in check_openid(None)] == [number]


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"STAFF_OIDC_ISSUER": "http://login.bank.example"}, "bank.E016"),
        ({"STAFF_OIDC_CLIENT_ID": ""}, "bank.E017"),
        ({"STAFF_OIDC_CLIENT_SECRET": ""}, "bank.E017"),
        ({"OIDC_ISSUER": "https://staff.bank.example"}, "bank.E018"),
        ({"STAFF_OIDC_ISSUER": "https://login.bank.example/" + "x" * 255}, "bank.E019"),
    ],
)
def test_refuses_a_provider_of_staff_that_could_not_work(
    changes: dict[str, str], number: str, settings: Settings
) -> None:
    settings.DEMO = settings.DEBUG = False
    settings.STAFF_OIDC_ISSUER = "https://staff.bank.example"
    settings.STAFF_OIDC_CLIENT_ID, settings.STAFF_OIDC_CLIENT_SECRET = "bank", token_hex(16)
    assert check_staff_openid(None) == []
    for name, value in changes.items():
        setattr(settings, name, value)

    assert [message.id for message in check_staff_openid(None)] == [number]


def test_env_example_lists_every_setting() -> None:
    source = (ROOT / "bank" / "settings.py").read_text()
    read = set(re.findall(r"(?:env\.\w+|read_\w+)\(\s*\"([A-Z_]{3,})\"", source))

    listed = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text()))

    assert read - listed == set()
