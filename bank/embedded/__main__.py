"""The command line of the embedded bank; see the package's docstring."""

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path

from bank.embedded.errors import CannotStartError, NotInstalledError
from bank.embedded.folder import DataFolder
from bank.embedded.manage import manage
from bank.embedded.standing_kafka import run_apache_kafka
from bank.embedded.throwaway import run_against_throwaway_engines
from bank.embedded.whole_bank import run_whole_bank


def main() -> int:
    """Run one of the commands; return the exit code, os.EX_UNAVAILABLE if this machine lacks a program for it."""
    options = _parse(sys.argv[1:])
    try:
        return asyncio.run(_command(options))
    except CannotStartError as error:
        print(f"\n{error}", file=sys.stderr)
        return os.EX_UNAVAILABLE if isinstance(error, NotInstalledError) else 1


def _command(options: argparse.Namespace) -> Coroutine[None, None, int]:
    if options.verb == "exec":
        return run_against_throwaway_engines(
            options.command, is_durable=options.durable, has_apache_kafka=options.apache_kafka
        )
    if options.verb == "manage":
        return manage(options.arguments, _data_folder(), port=_port("PORT", "8000"))
    if options.verb == "kafka":
        return run_apache_kafka(port=_port("KAFKA_PORT", "9092"))
    return run_whole_bank(_data_folder(), port=_port("PORT", "8000"))


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bank.embedded", description="The bank on one machine.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="run the whole bank; PORT and BANK_DATA_DIR choose where")
    throwaway = verbs.add_parser("exec", help="run a command against throw-away engines")
    throwaway.add_argument("--durable", action="store_true", help="with fsync, as in production (for benchmarks)")
    throwaway.add_argument("--apache-kafka", action="store_true", help="with Apache Kafka as the broker (needs Java)")
    throwaway.add_argument("command", nargs="+")
    managing = verbs.add_parser("manage", help="run manage.py against the bank of `run`")
    managing.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...")
    verbs.add_parser("kafka", help="run Apache Kafka, which needs Java; KAFKA_PORT chooses where")
    return parser.parse_args(arguments)


def _data_folder() -> DataFolder:
    return DataFolder(Path(os.environ.get("BANK_DATA_DIR") or ".bank").absolute())


def _port(variable: str, default: str) -> int:
    text = os.environ.get(variable) or default
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise CannotStartError(f"{variable} must be a number from 1 to 65535, not {text!r}.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
