"""Apache Kafka's programs: Java runs them, Maven fetches the jars that deploy/apache-kafka/pom.xml names.

The jars lie in .kafka, so they are fetched once for a checkout and a pom.xml, and Maven is needed only for that.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bank.embedded.errors import CannotStartError, NotInstalledError

CHECKOUT = Path(__file__).resolve().parents[2]
KAFKA_FOLDER = CHECKOUT / ".kafka"
POM = CHECKOUT / "deploy/apache-kafka/pom.xml"
OLDEST_JAVA = 17


def find_java() -> Path:
    """Return a Java that is new enough. Raises NotInstalledError."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found is None:
        raise NotInstalledError(_missing(f"Java {OLDEST_JAVA} or newer", "java", "openjdk-17-jre-headless"))
    _require_new_enough(Path(found))
    return Path(found)


def fetch_jars() -> Path:
    """Return the folder with the jars; fetch them first if they are not there. Raises CannotStartError."""
    jars = KAFKA_FOLDER / f"jars-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if not jars.exists():
        with _only_one_fetches():
            _fetch_into(jars)
    return jars


def _fetch_into(jars: Path) -> None:
    """Let Maven copy the jars; they appear under their name when they are complete."""
    if jars.exists():  # by whoever we waited for
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise NotInstalledError(_missing("Maven", "mvn", "maven"))
    print("Fetching Apache Kafka's jars with Maven (44 MB, once) ...", file=sys.stderr, flush=True)
    partial = jars.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={partial}"]
    manners = ["--batch-mode", "--quiet", "--no-transfer-progress", "--strict-checksums"]
    if subprocess.run([maven, *manners, "--file", POM, *goal], check=False, stdout=sys.stderr).returncode:
        raise CannotStartError(
            "Apache Kafka's jars could not be fetched; Maven's message above says why. If a download failed, check"
            " the network, or the mirror and proxy in ~/.m2/settings.xml, and run the same command again."
        )
    partial.rename(jars)


@contextmanager
def _only_one_fetches() -> Iterator[None]:
    KAFKA_FOLDER.mkdir(exist_ok=True)
    with (KAFKA_FOLDER / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _require_new_enough(java: Path) -> None:
    try:
        said = subprocess.run([java, "-version"], check=True, capture_output=True, text=True).stderr
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotInstalledError(f"{java} cannot be run: {error}. Check JAVA_HOME.") from error
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    if found is None or int(found.group(1)) < OLDEST_JAVA:
        raise NotInstalledError(
            f"Apache Kafka needs Java {OLDEST_JAVA} or newer, but {java} is {said.splitlines()[0]}."
        )


def _missing(what: str, program: str, package: str) -> str:
    return (
        f"Apache Kafka needs {what}, but {program} is not on PATH. On Debian and Ubuntu, `apt install {package}`"
        " brings it. Without it, the embedded broker and docker-compose.yml still work."
    )
