"""PostgreSQL writes the history of a row in the commit of the change, whoever changes it and however."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from celery import shared_task
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, models, transaction
from django.test import Client as Browser
from django.urls import reverse
from tink_fields import EncryptedBinaryField, EncryptedDateField, EncryptedTextField

from accounts.models import Account
from accounts.services import block_account
from bank.roles import create_groups
from core.history.origin import Edge, origin
from core.history.tracking import histories
from core.models import User, UserRole
from kyc.models import Client
from kyc.services import update_client
from tests.api.caller import call_as
from tests.api.session import sign_in
from tests.factories import make_account, make_alice, make_staff
from transfers.models import Transfer
from transfers.payments.models import Payment

pytestmark = pytest.mark.django_db


def read_history(subject: models.Model) -> list[Any]:
    """Return the history of a row, the oldest first."""
    return list(histories[type(subject)].objects.filter(pgh_obj_id=subject.pk).order_by("pgh_id"))


def read_latest(subject: models.Model) -> Any:
    """Return the latest row of the history of a row."""
    return read_history(subject)[-1]


def test_a_change_is_kept_with_what_the_row_became(now: datetime) -> None:
    account = make_account()

    block_account(account_id=account.pk, reason="Suspected fraud", actor=None, now=now)

    made, blocked = read_history(account)
    assert (made.pgh_label, made.status, made.pgh_changed) == ("made", "active", None)
    assert (blocked.pgh_label, blocked.status, blocked.status_reason) == ("changed", "blocked", "Suspected fraud")
    assert set(blocked.pgh_changed) == {"status", "status_reason", "blocked_at"}


def test_a_change_by_update_or_by_hand_is_kept_too() -> None:
    account = make_account()

    Account.objects.filter(pk=account.pk).update(status_reason="By update")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_account SET status_reason = 'By hand' WHERE id = %s", [account.pk])

    reasons = [row.status_reason for row in read_history(account)]
    assert reasons == ["", "By update", "By hand"]


def test_an_update_that_changes_nothing_leaves_no_row() -> None:
    account = make_account()

    Account.objects.filter(pk=account.pk).update(status_reason="")

    assert len(read_history(account)) == 1


def test_the_history_of_a_change_that_is_rolled_back_goes_with_it() -> None:
    account = make_account()

    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(status_reason="Too early")
        transaction.set_rollback(True)

    assert len(read_history(account)) == 1


def test_signing_in_leaves_no_history() -> None:
    alice = make_alice()
    before = len(read_history(alice.user))

    assert sign_in(alice.user.username).status == 200
    Browser().force_login(alice.user)  # notes the last sign-in, as the back office does

    alice.user.refresh_from_db()
    assert alice.user.last_login is not None
    assert len(read_history(alice.user)) == before


def test_a_new_password_is_noted_without_it() -> None:
    staff = make_staff()
    staff.set_password("another-Passphrase-42")
    staff.save()

    assert read_latest(staff).pgh_changed == ["password"]
    assert not hasattr(read_latest(staff), "password")


def test_a_role_given_and_taken_is_kept() -> None:
    create_groups()
    staff, auditor = make_staff(), Group.objects.get(name="auditor")

    staff.groups.add(auditor)
    staff.groups.remove(auditor)

    rows = histories[UserRole].objects.filter(user=staff).order_by("pgh_id")
    assert [(row.pgh_label, row.group_id) for row in rows] == [("made", auditor.pk), ("deleted", auditor.pk)]


def test_of_personal_data_only_a_mask_is_kept(now: datetime) -> None:
    alice = make_alice()

    update_client(client_id=alice.pk, email="alicia.almeida@example.org", now=now)

    row = read_latest(alice)
    assert (row.name, row.email) == ("A*** A***", "a***.a***@e***.o***")
    assert row.pgh_changed == ["email"]
    assert "alicia" not in str(vars(read_latest(alice.user))).lower()


@pytest.mark.parametrize("model", histories, ids=lambda model: model._meta.label)
def test_a_history_holds_nothing_encrypted_and_no_password(model: type[models.Model]) -> None:
    encrypted = (EncryptedTextField, EncryptedDateField, EncryptedBinaryField)

    fields = histories[model]._meta.get_fields()

    assert not [field.name for field in fields if isinstance(field, encrypted) or field.name == "password"]


@pytest.mark.parametrize("statement", ["UPDATE {} SET pgh_label = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("model", histories, ids=lambda model: model._meta.label)
def test_a_history_is_never_changed(model: type[models.Model], statement: str) -> None:
    with pytest.raises(IntegrityError, match="is append-only"), connection.cursor() as cursor:
        cursor.execute(statement.format(histories[model]._meta.db_table))


def test_a_change_through_the_api_names_who_and_which_request() -> None:
    alice = make_alice()

    answer = call_as(alice).patch("clients/me", {"email": "new@example.org"})

    assert answer.status == 200
    row = read_latest(alice)
    assert row.pgh_user_id == alice.user_id
    assert row.pgh_context["edge"] == "api"
    assert row.pgh_context["work"] == "PATCH api/v1/clients/me"
    assert row.pgh_context["request"] == answer.headers["X-Request-ID"]


def test_an_act_of_staff_names_who_and_why(settings: Any) -> None:
    settings.STORAGES |= {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    account, browser, staff = make_account(), Browser(), make_staff(is_superuser=True)
    browser.force_login(staff)
    page = reverse("admin:accounts_account_act", args=[account.pk, "block"])

    answer = browser.post(
        page, {"reason": "Asked for by letter", "scope": "both", "seen": ""}, headers={"X-Request-ID": "letter-1"}
    )

    assert answer.status_code == 302, answer.content
    row = read_latest(account)
    assert row.pgh_user_id == staff.pk
    assert row.pgh_context["edge"] == "admin"
    assert row.pgh_context["reason"] == "Asked for by letter"
    assert row.pgh_context["request"] == "letter-1"
    assert str(account.pk) not in row.pgh_context["work"]


@shared_task(name="tests.touch")  # type: ignore[untyped-decorator]  # Celery ships no types
def _touch(account_id: UUID) -> None:
    Account.objects.filter(pk=account_id).update(status_reason="By a task")


def test_a_task_is_named() -> None:
    account = make_account()

    _touch(account.pk)

    assert read_latest(account).pgh_context["edge"] == "task"
    assert read_latest(account).pgh_context["work"] == "tests.touch"


def test_work_within_other_work_belongs_to_it() -> None:
    account = make_account()

    with origin(edge=Edge.COMMAND, work="outer"):
        with origin(edge=Edge.TASK, work="inner"):
            Account.objects.filter(pk=account.pk).update(status_reason="Inside")
        Account.objects.filter(pk=account.pk).update(status_reason="After it")

    assert [row.pgh_context["work"] for row in read_history(account)[1:]] == ["outer", "outer"]


def test_sql_by_hand_has_no_origin() -> None:
    account = make_account()

    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_account SET status_reason = 'By hand' WHERE id = %s", [account.pk])

    assert read_latest(account).pgh_context is None
    assert read_latest(account).pgh_user_id is None


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The statements that Django's cursors send; those of the hot path go past them, and past pghistory."""
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


def test_a_transfer_costs_no_history_and_no_statement_more(sent: list[str]) -> None:
    alice = make_alice()
    source, target = make_account(client=alice, balance=100), make_account(client=alice)
    caller = call_as(alice)
    rows = _count_history()
    sent.clear()

    order = {
        "debtor_account": str(source.pk),
        "creditor_account": str(target.pk),
        "amount": "0.30",
        "currency": "BRL",
    }
    answer = caller.post("transfers", order, key="once")

    assert answer.status == 201, answer.body
    assert Transfer.objects.count() == 1
    assert _count_history() == rows
    assert {sql.split()[0] for sql in sent} <= {"SELECT", "SAVEPOINT", "RELEASE"}, "only writes are told their origin"


def _count_history() -> int:
    return sum(history.objects.count() for history in histories.values())


def test_models_of_personal_data_name_what_is_masked() -> None:
    assert set(histories[Client].pgh_masked) == {"name", "email"}
    assert set(histories[User].pgh_masked) == {"username", "first_name", "last_name", "email"}
    assert not {"creditor_name", "creditor_iban"} & {field.name for field in histories[Payment]._meta.get_fields()}
