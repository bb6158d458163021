"""Lists of sanctioned people, all of them invented."""

import json
import tempfile
from pathlib import Path
from typing import Any


def write_list(*entries: dict[str, Any], version: str = "1", **entry: Any) -> Path:
    """Write a list of `entries`, or of one with the keywords, each with a reference of its own unless it has one."""
    lines = [{"list": "Invented for a test", "version": version}]
    for number, each in enumerate(entries or (entry,), start=1):
        lines.append({"reference": f"T-{number}", **each})
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
        file.writelines(f"{json.dumps(line)}\n" for line in lines)
    return Path(file.name)
