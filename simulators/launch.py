"""The command line that all simulators share."""

import argparse
import json
from pathlib import Path
from typing import Any

from simulators.faults import FaultsError
from simulators.server import Simulator, serve
from simulators.state import AnyFaults, State


def launch(make: type[Simulator[AnyFaults]], *, name: str, schema: str, faults: type[AnyFaults]) -> None:
    """Serve what `make` makes of a state and a token, as the command line says, until told to end."""
    options = _parse(name)
    first_faults = _read_faults(options.faults, faults)
    token = options.token_file.read_text().strip() if options.token_file else ""
    state = State(options.state, schema=schema, first_faults=first_faults)
    serve(make(state, token=token), port=options.port)


def _parse(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m simulators.{name}")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file; made if it is not there")
    parser.add_argument("--token-file", type=Path, help="a file with the Bearer token that callers have to send")
    parser.add_argument("--faults", default="{}", help="the switches of a state that is new, as JSON")
    return parser.parse_args()


def _read_faults(text: str, faults: type[AnyFaults]) -> Any:
    try:
        return faults.read(json.loads(text))
    except FaultsError as error:
        raise SystemExit(f"--faults: {error}") from error
