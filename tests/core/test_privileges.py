"""What the role that the bank's processes use may do, read from PostgreSQL itself."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, models, transaction
from django.utils import timezone

from accounts.models import Account
from core.ids import uuid7
from events.models import DeadLetter, Event
from events.services import NewEvent, record_events
from kyc.models import Client, ClientDocument, DocumentFile, DocumentLook, KycCase
from ledger.models import AvailabilityChange, Hold, JournalEntry, LedgerAccount, Posting
from notifications.models import Delivery, DeliveryAttempt, Notification
from tests.runtime_role import as_runtime_role, ensure_runtime_role
from transfers.models import Transfer

HISTORY: set[type[models.Model]] = {JournalEntry, Posting, AvailabilityChange, Event, DeliveryAttempt}
HISTORY |= {ClientDocument, DocumentFile, DocumentLook}
KEPT: set[type[models.Model]] = {LedgerAccount, Hold, Account, Transfer, Client, KycCase, DeadLetter}
KEPT |= {Notification, Delivery}
RIGHTS = {
    "auth.Group",
    "auth.Group_permissions",
    "auth.Permission",
    "core.Role",
    "core.RoleEntry",
    "core.RolePermission",
    "core.ForbiddenPair",
}
RIGHTS |= {"core.User_user_permissions", "core.UserPermission"}
"""What comes with a release alone, so that nobody gives a role another permission, or himself one."""
TABLES = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label != "pghistory"]
MODELS = sorted(TABLES, key=lambda model: model._meta.label)


@pytest.fixture(autouse=True)
def _runtime_role(db: None) -> None:
    """The role, with what a migration grants it."""
    ensure_runtime_role()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_on_a_table_the_runtime_role_may(model: type[models.Model]) -> None:
    expected = {"SELECT"} if model._meta.label in RIGHTS else {"SELECT", "INSERT"}
    if model not in HISTORY and model._meta.label not in RIGHTS:
        expected |= {"UPDATE"} if model in KEPT else {"UPDATE", "DELETE"}

    found = read_privileges(model._meta.db_table)

    if has_rule(model, "append_only"):  # history of another app
        expected -= {"UPDATE", "DELETE"}
    if has_rule(model, "never_deleted"):
        expected -= {"DELETE"}
    assert found == expected


@pytest.mark.parametrize("model", sorted(HISTORY, key=str))
def test_history_is_append_only(model: type[models.Model]) -> None:
    assert has_rule(model, "append_only")


@pytest.mark.parametrize("model", sorted(KEPT, key=str))
def test_what_history_refers_to_is_never_deleted(model: type[models.Model]) -> None:
    assert has_rule(model, "never_deleted")


def test_no_table_can_be_truncated_or_tied_to_by_the_runtime_role() -> None:
    tables = connection.introspection.table_names()

    granted = {table: read_privileges(table) & {"TRUNCATE", "REFERENCES", "TRIGGER"} for table in tables}

    assert {table: privileges for table, privileges in granted.items() if privileges} == {}


def test_the_runtime_role_may_not_change_the_record_of_migrations() -> None:
    assert read_privileges("django_migrations") == {"SELECT"}


def test_the_runtime_role_can_create_nothing_and_owns_nothing() -> None:
    role = settings.DATABASE_RUNTIME_ROLE
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT has_schema_privilege(%(role)s, 'public', 'CREATE'),
                   rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,
                   EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid),
                   EXISTS (SELECT FROM pg_proc WHERE proowner = pg_roles.oid),
                   EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
            FROM pg_roles WHERE rolname = %(role)s
            """,
            {"role": role},
        )
        assert cursor.fetchall() == [(False, False, False, False, False)]


@pytest.mark.parametrize(
    ("overriding", "refusal"), [("", "GENERATED ALWAYS"), ("OVERRIDING SYSTEM VALUE", "permission denied")]
)
def test_the_runtime_role_cannot_choose_an_events_place(overriding: str, refusal: str) -> None:
    columns = "(seq, type, key, payload, occurred_at, traceparent)"
    values = "(1, 'account.blocked', gen_random_uuid(), '{}', now(), '')"

    with as_runtime_role(), pytest.raises(ProgrammingError, match=refusal), transaction.atomic():
        connection.cursor().execute(f"INSERT INTO events_event {columns} {overriding} VALUES {values}")


def test_the_runtime_role_still_writes_events() -> None:
    with as_runtime_role():
        record_events(events=[NewEvent("account.blocked", uuid7(), {}, timezone.now())])

    assert Event.objects.count() == 1


def has_rule(model: type[models.Model], name: str) -> bool:
    """Tell whether PostgreSQL has the trigger `name` on the table, enabled."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger"
            " WHERE tgrelid = %s::regclass AND tgname LIKE %s AND tgenabled = 'O' AND NOT tgisinternal",
            [model._meta.db_table, f"pgtrigger_{name}_%"],
        )
        return bool(cursor.fetchone() == (1,))


def read_privileges(table: str) -> set[str]:
    """Return what the runtime role may do with the table."""
    privileges = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    with connection.cursor() as cursor:
        # On a table with a column that is always generated, the role may insert only the others.
        functions = ["has_any_column_privilege" if name == "INSERT" else "has_table_privilege" for name in privileges]
        checks = ", ".join(f"{function}(%s, %s, %s)" for function in functions)
        params = [value for name in privileges for value in (settings.DATABASE_RUNTIME_ROLE, table, name)]
        cursor.execute(f"SELECT {checks}", params)
        answers = cursor.fetchone() or ()
    return {name for name, is_granted in zip(privileges, answers, strict=True) if is_granted}
