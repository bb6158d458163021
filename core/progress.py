"""How far a long command is: bars on a terminal, plain lines elsewhere."""

from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import Progress as Bar


class Progress(NamedTuple):
    """How far a part of the work is: `done` of about `total`."""

    part: str
    done: int
    total: int


class ProgressDisplay:
    """Shows progress on standard error while it is entered, and keeps in `done` how far each part came."""

    def __init__(self) -> None:
        """Find out whether somebody watches."""
        self.done: dict[str, int] = {}
        self._console = Console(stderr=True)
        self._bar = Bar(console=self._console, transient=True)
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "ProgressDisplay":
        """Start."""
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Clear the bars away."""
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Show one step."""
        self.done[progress.part] = progress.done
        if not self._console.is_terminal:
            self._console.print(f"{progress.part}: {progress.done:,} of {progress.total:,}", highlight=False)
            return
        if progress.part not in self._tasks:
            self._tasks[progress.part] = self._bar.add_task(progress.part, total=progress.total)
        self._bar.update(self._tasks[progress.part], completed=progress.done)
