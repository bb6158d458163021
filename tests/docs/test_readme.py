"""The README's first steps work as they are printed."""

import json
import os
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.django_db(transaction=True)
def test_first_steps_move_money_and_show_the_new_balance(live_server: LiveServer, settings: Settings) -> None:
    settings.DEMO = True
    call_command("seed_demo", verbosity=0)
    script = re.search(r"```bash\n(.*?)```", README.read_text(), re.DOTALL)
    assert script is not None

    output = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.group(1)],
        env={**os.environ, "BANK": live_server.url},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout

    before, transfer, after = (json.loads(line)["data"] for line in output.splitlines())
    assert transfer["status"] == "completed"
    assert Decimal(after["available"]) - Decimal(before["available"]) == Decimal("-25.00")
