"""The compose file says nothing that the project does not have: its commands, ports and variables are real."""

import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

from bank.celery import app as celery_app
from bank.embedded.ports import LOOPBACK
from bank.embedded.postgres import APP, DATABASE, OWNER

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("bank:")}
READ_BY_THE_CONTAINER = {"PORT"}  # by deploy/web and deploy/healthcheck.py; all others by bank/settings.py


def variables_of_settings() -> set[str]:
    """Return the names that bank/settings.py reads; each can also be given as NAME_FILE."""
    text = (CHECKOUT / "bank/settings.py").read_text()
    names = set(re.findall(r'(?:env\.\w+|read_\w+)\(\s*"([A-Z_]+)"', text))
    return names | {f"{name}_FILE" for name in names}


def test_conforms_to_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")

    result = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", CHECKOUT / "docker-compose.yml"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_settings_read(name: str) -> None:
    assert set(OURS[name]["environment"]) <= variables_of_settings() | READ_BY_THE_CONTAINER


@pytest.mark.parametrize("name", OURS)
def test_every_setting_without_a_default_is_given(name: str) -> None:
    text = (CHECKOUT / "bank/settings.py").read_text()
    found = re.findall(r'(?:(?:env\.\w+|read_database|read_servers)\("([A-Z_]+)"\))|(?:read_url\("([A-Z_]+)")', text)
    required = {name for pair in found for name in pair if name}

    given = set(OURS[name]["environment"])

    assert required <= given | {variable.removesuffix("_FILE") for variable in given}


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_that_the_project_has(name: str) -> None:
    match OURS[name]["command"]:
        case ["python", "manage.py", command, *options]:
            parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
            parser.parse_args(options)
        case ["celery", "-A", "bank", ("worker" | "beat"), *_]:
            assert celery_app.main == "bank"
        case [script]:
            assert os.access(CHECKOUT / script, os.X_OK)
        case unknown:
            pytest.fail(f"{name} runs {unknown}, which this test does not know")


def test_every_process_of_make_run_is_a_service() -> None:
    assert set(OURS) == {"migrate", "web", "worker", "relay", "beat", "balances", "consumers"}


def test_every_consumer_group_is_consumed_by_one_service() -> None:
    consuming = [command for service in OURS.values() if "consume_events" in (command := service["command"])]

    groups = [word for _, _, _, *options in consuming for word in options if word != "--group"]

    assert sorted(groups) == sorted(settings.CONSUMER_GROUPS)
    assert OURS["balances"]["command"][-1] == "balances"


def test_the_web_script_starts_gunicorn_with_a_valid_configuration() -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    result = subprocess.run(
        [CHECKOUT / "deploy/web", "--check-config"],
        check=False,
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr


def test_the_published_port_is_the_one_that_web_listens_on() -> None:
    port = OURS["web"]["environment"]["PORT"]

    assert OURS["web"]["ports"] == [f"127.0.0.1:8000:{port}"]
    assert f"EXPOSE {port}" in (CHECKOUT / "Dockerfile").read_text()


def test_every_address_names_a_service() -> None:
    addresses = [
        re.sub(r"\$\{[^}]*\}", "secret", value)
        for service in OURS.values()
        for name, value in service["environment"].items()
        if value and ((name.endswith("_URL") and name != "EMAIL_URL") or name == "KAFKA_BOOTSTRAP_SERVERS")
    ]

    hosts = {re.split(r"[@:/]+", address.rpartition("@")[2])[0] for address in addresses}

    assert hosts == {"postgres", "valkey", "kafka"}


def test_roles_and_database_are_those_of_make_run() -> None:
    script = (CHECKOUT / "deploy/postgres/roles.sh").read_text()

    for statement in (f"CREATE ROLE {OWNER} ", f"CREATE ROLE {APP} ", f"CREATE DATABASE {DATABASE} OWNER {OWNER} "):
        assert statement in script
    assert OURS["migrate"]["environment"]["DATABASE_URL"].startswith(f"postgres://{OWNER}:")
    assert OURS["web"]["environment"]["DATABASE_URL"].startswith(f"postgres://{APP}:")
    for variable in set(re.findall(r"\$(BANK_[A-Z_]+)", script)):
        assert variable in SERVICES["postgres"]["environment"]


def test_no_secret_has_a_default() -> None:
    assert not re.findall(r"\$\{[A-Z_]+\}|\$\{[A-Z_]+:?[-+]", TEXT)


def test_secrets_come_from_files() -> None:
    """Those from the environment are copied into the container, which Docker refuses if it is read-only."""
    assert all(service["read_only"] for service in OURS.values())
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())


def test_a_broker_made_anew_gets_an_id_of_its_own() -> None:
    """By the id the relay notices that all messages are lost; the image's default would be the same again."""
    assert SERVICES["kafka"]["environment"]["CLUSTER_ID"].startswith("${KAFKA_CLUSTER_ID:?")


@pytest.mark.parametrize(
    ("allowed_hosts", "sent"),
    [
        ("bank.example,other.example", "bank.example"),
        (".bank.example", "bank.example"),
        ("*", "localhost"),
    ],
)
def test_the_health_check_asks_as_a_host_that_is_allowed(
    allowed_hosts: str, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    class Livez(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            self.send_response(200 if self.path == "/livez" else 404)
            self.end_headers()

    with HTTPServer((LOOPBACK, 0), Livez) as server:
        Thread(target=server.handle_request).start()
        monkeypatch.setenv("ALLOWED_HOSTS", allowed_hosts)
        monkeypatch.setenv("PORT", str(server.server_port))
        code = subprocess.run([sys.executable, CHECKOUT / "deploy/healthcheck.py"], check=False).returncode

    assert (code, asked) == (0, [sent])


def test_the_queue_never_evicts() -> None:
    command = SERVICES["valkey"]["command"]

    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_image_contains_every_app_and_no_embedded_engine() -> None:
    ignore = (CHECKOUT / ".dockerignore").read_text().splitlines()
    apps = {path.relative_to(CHECKOUT).parts[0] for path in CHECKOUT.glob("[!.]*/**/apps.py")}

    assert {f"!{app}/" for app in apps} <= set(ignore)
    assert "bank/embedded/" in ignore
