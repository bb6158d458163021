"""The catalogue of translations of the back office: what belongs into it, and its compiled form.

What is marked in sources and templates belongs into it, and what the program names without marking it: models and
their fields, refusals, permissions, roles and reasons of risk. Of the theme, which comes in English alone, what its
templates say and Django does not translate. Lines have no places, so that branches merge.
"""

import re
from collections.abc import Iterable, Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

import django
import unfold
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.utils import translation
from django.utils.translation.template import templatize

from bank.roles import FORBIDDEN_PAIRS, ROLES
from core.admin.names import list_names
from core.admin.roles import name_permission
from core.errors import BankError
from core.history.tracking import CHANGED, DELETED, MADE
from kyc.risk import SENTENCES
from ledger.chart import CHART

LANGUAGE = "pt_BR"
FOLDER = settings.BASE_DIR / "locale" / LANGUAGE / "LC_MESSAGES"
_PLURALS = ("ngettext", "ngettext_lazy")
_KEYWORDS = dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop", *_PLURALS))
_APPS = [
    "accounts",
    "approvals",
    "audit",
    "bank",
    "core",
    "events",
    "kyc",
    "ledger",
    "notifications",
    "reporting",
    "transfers",
    "templates",
]
_LEFT_OUT = re.compile(r"/(migrations|demo|embedded)/|^templates/(notifications|drf_spectacular)/")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


Message = str | tuple[str, str]
"""A text, or one in the singular and in the plural."""


def list_messages() -> set[Message]:
    """Return all that belongs into the catalogue."""
    with translation.override(None):
        listed = {*_list_marked(), *_list_named(), *_list_of_theme()}
        known = _read_django()
        of_two_numbers = {message[0] for message in listed if not isinstance(message, str)}  # translate the one, too
        return {message for message in listed - of_two_numbers if message and _name_one(message) not in known}


def _list_marked() -> Iterator[Message]:
    for app in _APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*")):
            name = path.relative_to(settings.BASE_DIR).as_posix()
            if path.suffix in (".py", ".html") and not _LEFT_OUT.search(name):
                yield from _extract(path)


def _extract(path: Path) -> Iterator[Message]:
    source = path.read_text()
    if path.suffix == ".html":  # Django makes it look like Python, whose lines must not begin with spaces
        source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
    for _line, function, found, _comments in extract_python(BytesIO(source.encode()), _KEYWORDS, [], {}):
        said: Any = found
        if isinstance(said, str):  # a text, and no variable
            yield said
        elif function in _PLURALS and said:
            yield (said[0], said[1])


def _list_named() -> Iterator[str]:
    for app in apps.get_app_configs():
        if app.name.split(".")[0] in _APPS:
            yield from list_names(app)
            yield from _list_permissions(app.get_models())
    yield from (error.message for error in _list_errors(BankError))
    yield from SENTENCES.values()
    yield from (line.name for line in CHART)
    yield from (label.capitalize() for label in (MADE, CHANGED, DELETED))
    for role in ROLES.values():
        yield from (role.title, role.purpose)
    yield from (pair.reason for pair in FORBIDDEN_PAIRS)


def _list_permissions(models: Iterable[type[Model]]) -> Iterator[str]:
    given = {permission for role in ROLES.values() for permission in role.permissions}
    for model in models:
        label, name, words = model._meta.app_label, model._meta.model_name, model._meta.verbose_name_raw
        standard = ((f"{act}_{name}", f"Can {act} {words}") for act in model._meta.default_permissions)
        for codename, sentence in (*standard, *model._meta.permissions):
            if f"{label}.{codename}" in given:
                yield name_permission(str(sentence))


def _list_errors(base: type[BankError]) -> Iterator[type[BankError]]:
    for error in base.__subclasses__():
        if error.__module__.split(".")[0] in _APPS:
            yield error
            yield from _list_errors(error)


def _list_of_theme() -> Iterator[Message]:
    theme = Path(unfold.__file__).parent
    for path in (theme / "forms.py", *sorted((theme / "templates").rglob("*.html"))):
        yield from _extract(path)


def _read_django() -> set[str]:
    """Return what Django's own catalogues of the admin translate; of two numbers, the one."""
    folder = Path(django.__file__).parent
    known: set[str] = set()
    for name in ("conf", "contrib/admin", "contrib/auth"):
        with (folder / name / "locale" / LANGUAGE / "LC_MESSAGES" / "django.mo").open("rb") as file:
            known.update(_name_one(key) for key in GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    return known


def read_catalogue() -> Catalog:
    """Return the catalogue as it is."""
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def update(catalogue: Catalog, messages: set[Message]) -> None:
    """Add what is missing, untranslated, and take out what nothing says any more."""
    for message in _index(catalogue).keys() - messages:
        catalogue.delete(message)
    for message in sorted(messages - _index(catalogue).keys(), key=str):
        catalogue.add(message)


def _index(catalogue: Catalog) -> dict[Message, list[str]]:
    """Return the translations by message: one, or one for each plural form; a fuzzy one counts as none."""
    entries: dict[Message, list[str]] = {}
    for entry in catalogue:
        if entry.id:
            said: Any = "" if entry.fuzzy else entry.string
            entries[_name(entry.id)] = [said] if isinstance(said, str) else list(said)
    return entries


def _name(message: Any) -> Message:
    return message if isinstance(message, str) else (message[0], message[1])


def list_faults(catalogue: Catalog, messages: set[Message]) -> Iterator[str]:
    """Yield, as sentences, what is wrong with the catalogue."""
    entries = _index(catalogue)
    yield from (f"Not in the catalogue: {message!r}" for message in sorted(messages - entries.keys(), key=str))
    yield from (f"Nothing says it any more: {message!r}" for message in sorted(entries.keys() - messages, key=str))
    for message, said in sorted(entries.items(), key=str):
        if not all(said):
            yield f"Not translated: {message!r}"
        elif any(_list_placeholders(each) != _list_placeholders(message) for each in said):
            yield f"Other placeholders: {message!r}"
    if (FOLDER / "django.mo").read_bytes() != compile_catalogue(catalogue):
        yield "django.mo is not made from django.po."


def _name_one(message: Any) -> str:
    return str(message if isinstance(message, str) else message[0])


def _list_placeholders(message: Message) -> list[str]:
    """Return them in order; of a text in two numbers, those of the plural."""
    return sorted(_PLACEHOLDER.findall(message if isinstance(message, str) else message[1]))


def compile_catalogue(catalogue: Catalog) -> bytes:
    """Return the compiled form."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def write_catalogue(catalogue: Catalog) -> None:
    """Write both forms."""
    with (FOLDER / "django.po").open("wb") as file:
        write_po(file, catalogue, sort_output=True, no_location=True, width=120, omit_header=False)
    (FOLDER / "django.mo").write_bytes(compile_catalogue(catalogue))
