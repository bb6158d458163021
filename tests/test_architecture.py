"""Rules that hold across the apps, read from the code and the models themselves."""

import ast
import inspect
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from accounts.services import block_account, inactivate_client, open_account
from core.errors import BankError
from core.history.tracking import histories
from events.models import Event
from kyc.services import register_client, update_client
from kyc.states import KycStatus
from tests.factories import decide_client, make_cpf, make_staff, pay_in, unblock_account
from transfers.orders import TransferOrder
from transfers.services import submit_transfer
from transfers.states import TransferKind

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def get_layer(module: str) -> str:
    """Return the package of the layers that a module is in; reporting has several apps."""
    return module.split(".")[0]


LAYERS = [
    [name.strip() for name in layer.split("|")]
    for contract in SETTINGS["contracts"]
    if contract["type"] == "layers"
    for layer in contract["layers"]
]
DEPTHS = {app: depth for depth, layer in enumerate(LAYERS) for app in layer}
OURS = [config.name for config in apps.get_app_configs() if get_layer(config.name) in DEPTHS]
MODULES = [module for app in OURS for module in (f"{app}.services", f"{app}.selectors") if find_spec(module)]


def list_foreign_keys() -> Iterator[tuple[str, str, str]]:
    """Yield each relation of our models to another app: its name, its app and the app it points to."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey | models.ManyToManyField) and get_layer(model.__module__) in DEPTHS:
                target = get_layer(field.related_model.__module__)
                yield f"{model._meta.label}.{field.name}", get_layer(model.__module__), target


def test_every_app_of_ours_has_its_place_in_the_layers() -> None:
    packages = {".".join(path.relative_to(ROOT).parent.parts) for path in ROOT.glob("[!.]*/**/apps.py")}

    assert packages == set(OURS)
    assert {get_layer(app) for app in OURS} == set(DEPTHS)


@pytest.mark.parametrize(("name", "app", "target"), [key for key in list_foreign_keys() if key[2] in DEPTHS])
def test_a_foreign_key_points_down_the_layers(name: str, app: str, target: str) -> None:
    assert app == target or DEPTHS[target] > DEPTHS[app]


@pytest.mark.parametrize("model", [m for m in apps.get_models() if get_layer(m.__module__) in DEPTHS])
def test_nothing_is_deleted_in_the_wake_of_something_else(model: type[models.Model]) -> None:
    """Between apps a reference protects; tokens alone go with their user."""
    cascading = {
        field.name
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE
    }

    assert cascading <= ({"user"} if model.__name__ == "RefreshToken" else set())


def list_public_functions() -> list[Callable[..., object]]:
    """Return the public functions that services and selectors define."""
    return [
        function
        for name in MODULES
        for _, function in inspect.getmembers(import_module(name), inspect.isfunction)
        if function.__module__ == name and not function.__name__.startswith("_")
    ]


@pytest.mark.parametrize("function", list_public_functions(), ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_a_public_function_takes_its_arguments_by_name_and_says_what_it_does(function: Callable[..., object]) -> None:
    parameters = inspect.signature(function).parameters.values()

    assert {parameter.kind for parameter in parameters} <= {inspect.Parameter.KEYWORD_ONLY}
    assert function.__doc__


def list_modules() -> Iterator[Path]:
    """Yield the files of our apps, without migrations."""
    for app in OURS:
        folder = ROOT / app.replace(".", "/")
        yield from (path for path in folder.rglob("*.py") if "migrations" not in path.parts)


def find_uses(attribute: str) -> set[str]:
    """Return the files in which `.attribute` stands."""
    return {
        str(path.relative_to(ROOT))
        for path in list_modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == attribute
    }


def test_what_is_locked_is_locked_in_one_place_each() -> None:
    locking = {path for path in find_uses("select_for_update") if path.split("/")[0] not in ("core", "events")}

    assert locking <= {"ledger/locks.py", "kyc/locks.py", "approvals/locks.py", "transfers/standing_orders/locks.py"}


def find_importers(name: str) -> set[str]:
    """Return the files that import `name` from another module."""
    return {
        str(path.relative_to(ROOT))
        for path in list_modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names)
    }


def test_an_entry_is_reversed_by_an_approval_or_the_rail_alone() -> None:
    callers = {"transfers/reversals/services.py", "transfers/payments/services.py"}
    assert find_importers("reverse_entry") | find_uses("reverse_entry") <= callers
    assert find_importers("reverse_transfer") == {"transfers/reversals/operations.py"}


def test_no_rule_of_the_database_is_ever_switched_off() -> None:
    switches = re.compile(
        r"pgtrigger\.(ignore|disable|schema)|pghistory\.(disable|create_event)|session_replication_role|DISABLE TRIGGER"
    )

    assert not [path for path in list_modules() if switches.search(path.read_text())]


WITHOUT_HISTORY = {
    "accounts.AccountBlock": "placed once and lifted once, and says by whom, when and why itself",
    "accounts.AccountBalance": "read model, rebuilt from events",
    "account": "allauth's addresses; not used, so empty",
    "admin.LogEntry": "Django's own; nothing relies on it",
    "analytics": "projections, made anew from events",
    "antifraud.Replay": "how far a program has read",
    "auth.Permission": "written by migrations only",
    "contenttypes": "written by migrations only",
    "core.IdempotencyKey": "never changed, deleted once its time is over",
    "core.ForbiddenPair": "written by migrations only",
    "core.RoleEntry": "written by migrations only",
    "core.RefreshToken": "a new row for each use, deleted once its time is over",
    "events.Cursor": "how far a program has read",
    "events.InboxMessage": "never changed, deleted once its time is over",
    "events.KafkaCluster": "how far a program has published",
    "kyc.InformationRequest": "only answered_at is ever set, once, and tells when itself",
    "kyc.SanctionsList": "how far a program has asked for screenings",
    "kyc.Screening": "only its end is ever set, once, by a program, and tells when itself",
    "kyc.ScreeningHit": "only its disposition is ever set, once, and tells who, when and why itself",
    "ledger.Hold": "hot path; each change has an event, and an AvailabilityChange",
    "ledger.LedgerAccount": "hot path; its postings and AvailabilityChange are its history",
    "notifications.Notification": "only read_at is ever set, once, and tells when itself",
    "payments.Submission": "a program's task; each attempt is on record",
    "payments.SubmissionAttempt": "ends once, which its own columns tell",
    "pghistory": "its context stands in the histories; its own table stays empty",
    "rails.Intake": "a program's task about a message, which is kept as it came",
    "rails.RailCursor": "how far a program has read",
    "rails.RailStatement": "written by a program, from messages that are kept as they came",
    "rails.ReconciliationBreak": "found by a program and settled once, which its own columns tell",
    "regulatory.Circuit": "whether the regulator answers; nobody sets it by hand",
    "regulatory.DailySummary": "each try to send it is on record",
    "regulatory.Report": "hot path; each try to send it is on record",
    "sessions": "who is signed in now",
}
"""Tables whose rows change without a history, or whole apps of them, and why."""


@pytest.mark.parametrize("model", [m for m in apps.get_models(include_auto_created=True) if m._meta.managed], ids=str)
def test_a_table_is_append_only_or_keeps_a_history_or_has_a_reason(model: type[models.Model]) -> None:
    tables = {each._meta.db_table for each in histories}
    rules = {trigger.name for trigger in getattr(model._meta, "triggers", [])}

    keeps = model._meta.db_table in tables or "append_only" in rules

    has_reason = bool({model._meta.label, model._meta.app_label} & WITHOUT_HISTORY.keys())
    assert keeps != has_reason, "either @keep_history of core/history/tracking.py, or a reason in the list above"


def list_errors(base: type[BankError] = BankError) -> Iterator[type[BankError]]:
    """Yield every refusal of our apps."""
    for error in base.__subclasses__():
        yield error
        yield from list_errors(error)


def test_a_code_belongs_to_one_error() -> None:
    """Only a specialisation shares its base's code - and what is not there looks the same whatever it is."""
    for app in OURS:
        if find_spec(f"{app}.errors"):
            import_module(f"{app}.errors")
    owners: dict[str, list[type[BankError]]] = {}
    for error in {error for error in list_errors() if get_layer(error.__module__) in DEPTHS}:
        owners.setdefault(error.code, []).append(error)

    unrelated = {code for code, errors in owners.items() if not has_base(errors)}

    assert unrelated <= {"not_found"}


def has_base(errors: list[type[BankError]]) -> bool:
    """Tell whether one of `errors` is the base of all others."""
    return any(all(issubclass(error, base) for error in errors) for base in errors)


@pytest.mark.django_db
def test_no_event_holds_personal_data() -> None:
    canaries = {
        "name": "Canaria da Silva",
        "email": "canary@example.com",
        "document_number": make_cpf(number=987_654_321),
        "password": "canary-Passphrase-42",
    }
    live_a_life(canaries)

    types = set(Event.objects.values_list("type", flat=True))
    told = " ".join(str(event) for event in Event.objects.values_list("payload", "type", "key")).lower()

    assert len(types) > 8, "there should be an event for each step of the life"
    for canary in (*canaries.values(), "Amarela", "canary-two", "1990-05-17", "Rent for March"):
        assert canary.lower() not in told


def live_a_life(canaries: dict[str, str]) -> None:
    """Register, change one's name, be verified, open an account, move money, be blocked and freed, and leave."""
    now, staff = datetime(2026, 3, 1, 12, tzinfo=UTC), make_staff()
    why: dict[str, Any] = {"reason": "A reason", "actor": staff, "now": now}
    client = register_client(document_type="cpf", birth_date=date(1990, 5, 17), now=now, **canaries)
    update_client(client_id=client.id, name="Canaria Amarela", email="canary-two@example.com", now=now)
    decide_client(client=client, decision=KycStatus.VERIFIED, now=now)
    account = open_account(client_id=client.id, kind="checking", currency="BRL", now=now)
    pay_in(account_id=account.pk, amount=30)
    for amount in (31, 30):
        order = TransferOrder(
            kind=TransferKind.WITHDRAWAL,
            debtor_account_id=account.pk,
            creditor_account_id=None,
            amount=amount,
            currency="BRL",
            principal_id=client.user_id,
            idempotency_key=f"canary-{amount}",
            client_id=client.id,
            remittance_information="Rent for March",
        )
        submit_transfer(order=order, now=now)
    block_account(account_id=account.pk, **why)
    unblock_account(account_id=account.pk, **why)
    inactivate_client(client_id=client.id, **why)
