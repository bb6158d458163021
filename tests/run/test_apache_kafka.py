"""What `make kafka` and `exec --apache-kafka` say where something is missing, and how a bank finds another broker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bank.embedded import kafka_jars
from bank.embedded.engines import Engines
from bank.embedded.errors import CannotStartError, NotInstalledError
from bank.embedded.folder import DataFolder
from bank.embedded.kafka_jars import fetch_jars, find_java
from bank.embedded.ports import choose_ports

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs, which is empty."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(programs))
    return programs


@pytest.fixture
def _no_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_jars, "KAFKA_FOLDER", tmp_path / "kafka")


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_missing_java_is_named(programs: Path) -> None:
    with pytest.raises(NotInstalledError, match="java is not on PATH"):
        find_java()


def test_a_java_that_is_too_old_is_named(programs: Path) -> None:
    write_program(programs / "java", """echo 'openjdk version "1.8.0_292"' >&2""")

    with pytest.raises(NotInstalledError, match=r'needs Java 17 .*"1\.8\.0_292"'):
        find_java()


@pytest.mark.parametrize("version", ["17.0.15", "25"])
def test_a_java_that_is_new_enough_is_taken(programs: Path, version: str) -> None:
    write_program(programs / "java", f"""echo 'openjdk version "{version}" 2025-04-15' >&2""")

    assert find_java() == programs / "java"


@pytest.mark.usefixtures("_no_jars")
def test_a_missing_maven_is_named(programs: Path) -> None:
    with pytest.raises(NotInstalledError, match="mvn is not on PATH"):
        fetch_jars()


@pytest.mark.usefixtures("_no_jars")
def test_a_failed_download_is_said_and_tried_again(programs: Path) -> None:
    write_program(programs / "mvn", "exit 1")
    with pytest.raises(CannotStartError, match="could not be fetched") as failure:
        fetch_jars()
    assert not isinstance(failure.value, NotInstalledError)

    write_program(programs / "mvn", 'for word; do :; done; /bin/mkdir "${word#-DoutputDirectory=}"')

    assert fetch_jars().is_dir()


def test_exec_without_java_ends_with_a_code_of_its_own(programs: Path) -> None:
    command = [sys.executable, "-m", "bank.embedded", "exec", "--apache-kafka", "--", "true"]

    result = subprocess.run(command, check=False, cwd=CHECKOUT, capture_output=True, text=True)

    assert result.returncode == os.EX_UNAVAILABLE
    assert "java is not on PATH" in result.stderr


def test_a_bank_uses_the_kafka_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = DataFolder(tmp_path / "bank")
    folder.create()
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka-1:9092,kafka-2:9092")
    monkeypatch.setenv("KAFKA_API_VERSION", "")

    broker = Engines.of_bank(folder, choose_ports()).broker

    assert (broker.address(), broker.api_version, broker.programs()) == ("kafka-1:9092,kafka-2:9092", "", [])
