"""What a run came to."""

from collections.abc import Mapping
from typing import Any

from proofs.fuzz.document import list_calls
from proofs.fuzz.record import RECORD


def format_report(*, options: Mapping[str, Any], seconds: float) -> str:
    """Return the result as a table in Markdown: each call with how often it was answered how."""
    total = sum(counts.total() for counts in RECORD.statuses.values())
    answered = f"{RECORD.count(2):,} carried out, {RECORD.count(4):,} refused, {RECORD.count(5)} faults"
    lines = [
        f"Seed {options['seed']}, {options['examples']} examples: {total:,} requests in {seconds:.0f} s, {answered}.",
        "",
        "| call | 2xx | 4xx | 5xx | refused with |",
        "|---|---:|---:|---:|---|",
    ]
    for call in sorted(list_calls(), key=lambda call: call.name):
        counts = RECORD.statuses[call.name]
        by_class = [sum(n for status, n in counts.items() if status // 100 == hundreds) for hundreds in (2, 4, 5)]
        codes = ", ".join(f"{code} {n}" for code, n in sorted(RECORD.codes[call.name].items()))
        lines.append(f"| {call.name} | {' | '.join(f'{n:,}' for n in by_class)} | {codes} |")
    return "\n".join(lines)
