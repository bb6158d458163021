"""Makes a virtual environment and installs hashed locks into it; skips what is installed already.

    python3 bank/embedded/install.py .venv requirements.txt [more locks]

Run as a file by the system's Python, before anything is installed: only the standard library, and syntax that an
old Python can read far enough to say that it is too old.
"""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import List, NoReturn  # noqa: UP035 - an old Python must come as far as require_python()

OLDEST_PYTHON = (3, 11)


def main(venv: Path, locks: List[Path]) -> None:  # noqa: UP006 - see above
    """Bring `venv` to the state that `locks` describe."""
    require_python()
    stamp = venv / ("installed-" + "-".join(lock.stem for lock in locks))
    wanted = fingerprint(locks)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    make_venv(venv)
    install(venv, locks)
    stamp.write_text(wanted)


def require_python() -> None:
    """Stop unless this Python is new enough and can make virtual environments."""
    if sys.version_info < OLDEST_PYTHON:
        found = "{}.{}".format(*sys.version_info)
        stop(
            f"Python 3.11 or newer is needed, but {sys.executable} is Python {found}.",
            "If a newer one is installed, name it: make run PYTHON=python3.12",
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop(
            f"{sys.executable} cannot make virtual environments: its modules venv and ensurepip are missing.",
            "On Debian and Ubuntu, `apt install python3-venv` brings them. Then run the same command again.",
        )


def fingerprint(locks: List[Path]) -> str:  # noqa: UP006
    """Return a digest that changes with the locks and with the Python that they are installed for."""
    parts = [sys.version.encode(), *(lock.read_bytes() for lock in locks)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv(venv: Path) -> None:
    """Make the virtual environment unless it is there and of this very Python."""
    python = venv / "bin" / "python"
    ask = "import pip, sys; print(sys.version)"
    found = subprocess.run([python, "-c", ask], check=False, capture_output=True) if python.exists() else None
    if found is not None and found.stdout.decode().strip() == sys.version.strip():
        return
    say(f"Making the virtual environment {venv} with Python {sys.version.split()[0]} ...")
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(venv)]):
        stop(f"The virtual environment {venv} could not be made; the message above says why.")


def install(venv: Path, locks: List[Path]) -> None:  # noqa: UP006
    """Install the locked packages; every download is checked against its hash."""
    say(f"Installing {', '.join(str(lock) for lock in locks)} (the first time takes a minute or two) ...")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    requirements = [argument for lock in locks for argument in ("-r", str(lock))]
    if subprocess.call([*pip, "--require-hashes", *requirements]):
        stop(
            "Installing the packages failed; pip's message above names the one and the reason.",
            "If a download failed, check the network or the proxy (HTTPS_PROXY, PIP_INDEX_URL) and run the same",
            "command again: it goes on where it stopped, with what was already downloaded.",
            "If there is no version of a package for this machine, docker-compose.yml runs the bank without it.",
        )


def say(line: str) -> None:
    """Print at once, so that our lines stand before those of the programs they announce."""
    print(line, flush=True)


def stop(*lines: str) -> NoReturn:
    """End with a message."""
    sys.exit("\n" + "\n".join(lines))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), [Path(lock) for lock in sys.argv[2:]])
    except KeyboardInterrupt:
        sys.exit(130)
