"""Loading a sanctions list: whole or not at all, each wrong line named, the same file once."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from kyc.errors import InvalidListError
from kyc.models import SanctionsEntry, SanctionsList
from kyc.screening.files import read_list
from kyc.screening.lists import load_list
from kyc.tasks import load_sanctions_file
from tests.kyc.sanctions import write_list

pytestmark = pytest.mark.django_db

HEADER = '{"list": "L", "version": "1"}'
BOB = '{"reference": "A", "name": "Bob Barboza"}'


def find_faults(*lines: str) -> list[str]:
    """Return what is wrong with a file of these lines."""
    path = write_list(name="Overwritten")
    path.write_text("\n".join(lines))
    with pytest.raises(InvalidListError) as refused:
        read_list(path=path)
    return list(refused.value.errors["file"])


def test_a_list_is_kept_with_its_entries_in_their_normal_form() -> None:
    path = write_list(name="Bob Barboza", documents=[{"type": "cpf", "number": "529.982.247-25"}], version="7")

    loaded = load_list(path=path, now=timezone.now())

    assert (loaded.is_new, loaded.sanctions_list.version, loaded.sanctions_list.entry_count) == (True, "7", 1)
    entry = SanctionsEntry.objects.get()
    assert (entry.reference, entry.content["documents"]) == ("T-1", [{"type": "cpf", "number": "52998224725"}])


def test_a_file_that_was_loaded_before_changes_nothing() -> None:
    path = write_list(name="Bob Barboza")
    first = load_list(path=path, now=timezone.now())

    again = load_list(path=path, now=timezone.now())

    assert (again.is_new, again.sanctions_list) == (False, first.sanctions_list)
    assert SanctionsEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "Line 3: Input data was truncated"),
        ("[]", "Line 3: Expected `object`, got `array`"),
        ('{"reference": "B"}', "Line 3: Object missing required field `name`"),
        ('{"reference": "B", "name": ""}', "Line 3: Expected `str` of length >= 1 - at `$.name`"),
        ('{"reference": "B", "name": "Bob", "nmae": "x"}', "Line 3: Object contains unknown field `nmae`"),
        ('{"reference": "B", "name": "..."}', "Line 3: a name has no letters."),
        ('{"reference": "B", "name": "Bob", "birth_dates": ["17.5.1990"]}', "Line 3: Expected `str` matching regex"),
        (
            '{"reference": "B", "name": "Bob", "documents": [{"type": "cpf", "number": "1"}]}',
            "Line 3: This is no valid CPF number.",
        ),
        (BOB, "The reference A stands in 2 lines."),
    ],
)
def test_each_wrong_line_is_named(line: str, fault: str) -> None:
    faults = find_faults(HEADER, BOB, line)

    assert len(faults) == 1
    assert faults[0].startswith(fault)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ((), "Line 1: Input data was truncated"),
        ((BOB,), "Line 1: Object contains unknown field `reference`"),
        ((HEADER,), "The list has no entry."),
        ((HEADER, "", "  "), "The list has no entry."),
    ],
)
def test_a_file_that_is_no_list_is_refused(lines: tuple[str, ...], fault: str) -> None:
    assert find_faults(*lines)[0].startswith(fault)


def test_bytes_that_are_no_text_are_refused() -> None:
    path = write_list(name="Overwritten")
    path.write_bytes(f"{HEADER}\n".encode() + b'{"reference": "B", "name": "\xff"}')

    with pytest.raises(InvalidListError, match="no list"):
        read_list(path=path)


def test_a_file_with_a_wrong_line_changes_nothing() -> None:
    path = write_list({"name": "Bob"}, {"name": ""})

    with pytest.raises(InvalidListError):
        load_list(path=path, now=timezone.now())

    assert not SanctionsList.objects.exists()


def run(*args: Any) -> str:
    """Run the command and return what it says."""
    output = io.StringIO()
    call_command("load_sanctions", *args, stdout=output)
    return output.getvalue()


def test_the_command_says_what_is_in_force() -> None:
    path = str(write_list(name="Bob Barboza"))

    assert "Invented for a test, 1 with 1 entries is in force" in run(path)
    assert "was loaded before" in run(path)


@pytest.mark.parametrize("path", [Path("/nowhere/list.jsonl"), Path("/")])
def test_the_command_says_that_a_file_cannot_be_read(path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(str(path))


def test_the_command_names_twenty_wrong_lines_at_most() -> None:
    path = write_list(*({"name": ""} for _ in range(30)))

    with pytest.raises(CommandError, match="and 10 more") as refused:
        run(str(path))

    assert str(refused.value).count("\n") == 21


def test_the_schedule_loads_the_file_of_the_settings(settings: Any) -> None:
    settings.SANCTIONS_FILE = str(write_list(name="Bob Barboza"))

    load_sanctions_file()
    load_sanctions_file()

    assert SanctionsList.objects.count() == 1
