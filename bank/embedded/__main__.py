"""The command line of the embedded bank; see the package's docstring."""

import argparse
import asyncio
import sys

from bank.embedded.errors import CannotStartError
from bank.embedded.throwaway import run_against_throwaway_engines


def main() -> int:
    """Run one of the commands; return the exit code."""
    options = _parse(sys.argv[1:])
    try:
        return asyncio.run(run_against_throwaway_engines(options.command, is_durable=options.durable))
    except CannotStartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bank.embedded", description="The bank on one machine.")
    verbs = parser.add_subparsers(required=True)
    throwaway = verbs.add_parser("exec", help="run a command against throw-away engines")
    throwaway.add_argument(
        "--durable", action="store_true", help="with fsync, as in production (for benchmarks)"
    )
    throwaway.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
