"""How a proof says what it found: progress, the figures as Markdown, and the verdict."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pages import write_figures
from proofs.audit import Figure


def say(what: str) -> None:
    """Tell how far the proof is."""
    print(f"  {what}", file=sys.stderr, flush=True)


def name_kills(kills: Counter[str]) -> str:
    """Return how many of each kind were killed."""
    return ", ".join(f"{kind} {count}" for kind, count in sorted(kills.items())) or "nothing yet"


def format_figures(summary: str, figures: Sequence[Figure]) -> str:
    """Return a summary of the run and the figures below it, as Markdown."""
    lines = [
        summary,
        "",
        "| found | |",
        "|---|---:|",
        *(f"| {figure.name} | {figure.value:,} |" for figure in figures if not figure.is_violation),
        "",
        "| violations | |",
        "|---|---:|",
        *(f"| {figure.name} | {figure.value:,} |" for figure in figures if figure.is_violation),
    ]
    return "\n".join(lines)


def judge(
    figures: Sequence[Figure], *, standstill: str = "", report: str, seed: int, name: str, page: Path | None
) -> int:
    """Return the exit code; keep the report on `page`, if there is one, under `name` if it is good.

    `standstill` says what did not come to its end, if something did not.
    """
    faults = [f"{figure.name}: {figure.value:,}" for figure in figures if figure.is_wrong]
    if standstill:
        faults.insert(0, standstill)
    if faults:
        print(f"\nVIOLATED with seed {seed}: {'; '.join(faults)}")
        return 1
    print(f"\nHolds with seed {seed}: no violation.")
    if page:
        write_figures(page=page, name=name, report=report)
    return 0
