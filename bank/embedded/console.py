"""What the user sees: lines with the name of the program that wrote them, in colour on a terminal."""

import itertools
from collections.abc import Iterable
from contextlib import suppress

from rich.console import Console
from rich.text import Text

_COLOURS = itertools.cycle(("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_green"))
_NAME_WIDTH = 13


class Screen:
    """Writes whole lines, so that programs which speak at once do not cut each other short.

    A screen that is gone (a closed terminal or pipe) is no reason for the bank to fail, nor not to stop in order.
    """

    def __init__(self) -> None:
        self._console = Console(soft_wrap=True, highlight=False)
        self._colours: dict[str, str] = {}

    def say(self, text: str, *, style: str = "bold") -> None:
        """Print a line of the bank itself."""
        self.line("bank", Text(text, style=style))

    def line(self, name: str, text: str | Text) -> None:
        """Print a line that the program `name` wrote."""
        colour = self._colours.setdefault(name, next(_COLOURS))
        with suppress(OSError):
            self._console.print(Text(f"{name:<{_NAME_WIDTH}}", style=colour), Text("|", style="dim"), text)

    def block(self, title: str, rows: Iterable[tuple[str, str]]) -> None:
        """Print a titled block of rows, each a label and a value."""
        with suppress(OSError):
            self._console.print()
            self._console.rule(Text(title, style="bold green"), align="left")
            for label, value in rows:
                self._console.print(Text(f"  {label:<{_NAME_WIDTH + 2}}", style="dim"), Text(value))
            self._console.rule(style="green")
            self._console.print()
