"""What may become of a schema that was published: it stays, and newer versions only add."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from django.core.management import CommandError, call_command
from msgspec import Meta

from events.catalogue import CATALOGUE, Schema, page, schemas
from events.catalogue.customers import CustomerCreated
from events.catalogue.fields import MessageData
from events.catalogue.schemas import Document, find_breaks

FIRST, SECOND = Schema("tea.poured", 1), Schema("tea.poured", 2)
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
LEAF = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
DRAFT = {"$comment": "A draft: nobody publishes it yet, so it may change."}


def make(*, optional: tuple[str, ...] = (), **fields: Document) -> Document:
    """Return a schema with `fields`, all required but the `optional` ones."""
    return {"type": "object", "properties": fields, "required": [name for name in fields if name not in optional]}


def compare(published: dict[Schema, Document], declared: dict[Schema, Document]) -> list[str]:
    return list(find_breaks(published=published, declared=declared))


@pytest.mark.parametrize(
    "changed",
    [
        make(cup=TEXT),
        make(cup=TEXT, leaf=LEAF, milk=NUMBER),
        make(cup=NUMBER, leaf=LEAF),
        make(cup=TEXT | {"format": "uuid"}, leaf=LEAF),
        make(cup=TEXT, leaf=LEAF, optional=("cup",)),
        make(cup=TEXT, leaf=LEAF | {"required": []}),
    ],
)
def test_a_published_version_may_not_change(changed: Document) -> None:
    before = make(cup=TEXT, leaf=LEAF)

    assert compare({FIRST: before}, {FIRST: changed}) == [
        "tea.poured: version 1 is published and may not change; add a version instead"
    ]


def test_a_published_version_may_not_go() -> None:
    assert compare({FIRST: make(cup=TEXT)}, {}) == ["tea.poured: version 1 is published and may not go"]


def test_a_published_version_may_be_described_better() -> None:
    better = make(cup=TEXT | {"description": "The cup.", "examples": ["blue"]}) | {"title": "Poured"}

    assert compare({FIRST: make(cup=TEXT)}, {FIRST: better}) == []


def test_a_field_may_be_called_like_prose() -> None:
    assert compare({FIRST: make(title=TEXT)}, {FIRST: make(description=TEXT)}) != []


def test_a_draft_may_change_and_go_but_what_is_published_may_not_become_one() -> None:
    draft, promise = make(cup=TEXT) | DRAFT, make(cup=NUMBER)

    assert compare({FIRST: draft}, {FIRST: promise}) == []
    assert compare({FIRST: draft}, {}) == []
    assert compare({FIRST: promise}, {FIRST: promise | DRAFT}) != []


def test_a_newer_version_may_add_fields_at_any_depth() -> None:
    deeper = {"type": "object", "properties": {"name": TEXT, "year": NUMBER}, "required": ["name", "year"]}
    first, second = make(cup=TEXT, leaf=LEAF), make(milk=NUMBER, leaf=deeper, cup=TEXT)

    assert compare({FIRST: first}, {FIRST: first, SECOND: second}) == []


@pytest.mark.parametrize(
    ("second", "loss"),
    [
        (make(leaf=LEAF), "cup is gone"),
        (make(cup=NUMBER, leaf=LEAF), "cup has changed"),
        (make(cup={"anyOf": [TEXT, {"type": "null"}]}, leaf=LEAF), "cup has changed"),
        (make(cup=TEXT, leaf=LEAF, optional=("cup",)), "cup may be missing"),
        (make(cup=TEXT, leaf=make(title=TEXT)), "leaf.name is gone"),
        (make(cup=TEXT, leaf=make(name=NUMBER)), "leaf.name has changed"),
        (make(cup=TEXT, leaf=TEXT), "leaf has changed"),
    ],
)
def test_a_newer_version_may_do_nothing_else(second: Document, loss: str) -> None:
    first = make(cup=TEXT, leaf=LEAF)

    assert compare({FIRST: first}, {FIRST: first, SECOND: second}) == [
        f"tea.poured: version 2 may only add to the one before, but {loss}"
    ]


class CustomerCreatedTwo(CustomerCreated, frozen=True):
    """A client registered, and had tea."""

    cups: Annotated[int, Meta(description="How many.", examples=[2])]


class CustomerCreatedOther(MessageData, frozen=True):
    """A client registered."""

    cups: Annotated[int, Meta(description="How many.", examples=[2])]


class TestTheCommand:
    """manage.py describe_events, in a folder of its own."""

    @pytest.fixture(autouse=True)
    def _own_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(schemas, "FOLDER", tmp_path)
        monkeypatch.setattr("events.management.commands.describe_events.PATH", tmp_path / page.PATH.name)
        call_command("describe_events")

    def declare(self, monkeypatch: pytest.MonkeyPatch, *versions: Any) -> None:
        """Let the topic customer.created have `versions`."""
        name = "customer.created"
        monkeypatch.setitem(CATALOGUE, name, CATALOGUE[name]._replace(versions=versions))

    def test_finds_current_what_it_wrote(self) -> None:
        call_command("describe_events", check=True)

    @pytest.mark.parametrize("name", ["events.md", "account.created.v1.json"])
    def test_finds_what_is_not_current(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text((tmp_path / name).read_text() + "\n")

        with pytest.raises(CommandError, match=name):
            call_command("describe_events", check=True)

    def test_adds_a_version(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.declare(monkeypatch, CustomerCreated, CustomerCreatedTwo)
        with pytest.raises(CommandError, match=r"customer\.created\.v2\.json"):
            call_command("describe_events", check=True)

        call_command("describe_events")

        call_command("describe_events", check=True)
        assert {path.name for path in tmp_path.glob("customer.created.*")} == {
            "customer.created.v1.json",
            "customer.created.v2.json",
        }

    @pytest.mark.parametrize("versions", [(CustomerCreatedOther,), (CustomerCreated, CustomerCreatedOther), ()])
    @pytest.mark.parametrize("check", [True, False])
    def test_refuses_a_break_and_writes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, versions: tuple[Any, ...], check: bool
    ) -> None:
        before = {path: path.read_text() for path in tmp_path.iterdir()}
        self.declare(monkeypatch, *versions)

        with pytest.raises(CommandError, match=r"customer\.created"):
            call_command("describe_events", check=check)

        assert {path: path.read_text() for path in tmp_path.iterdir()} == before
