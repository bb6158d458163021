"""Reports to the regulator: one for each completed transfer, and none of after an inactivation."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.services import inactivate_account
from events.messages import make_message
from reporting.regulatory.models import Report
from reporting.regulatory.services import CompletedTransfer, write_reports
from reporting.regulatory.verification import GRACE, verify_reports
from tests.events.delivery import deliver, deliver_all, list_messages
from tests.events.facts import transfer
from tests.factories import make_account
from transfers.records import TransferRecord

pytestmark = pytest.mark.django_db

GROUP = "regulatory"


def describe(made: TransferRecord) -> CompletedTransfer:
    """Return what the regulator has to know of a transfer."""
    assert made.completed_at is not None
    parties = made.debtor_account_id, made.creditor_account_id
    return CompletedTransfer(made.id, *parties, made.amount, made.currency, made.completed_at)


def read_report(transfer_id: UUID) -> CompletedTransfer:
    return CompletedTransfer(
        *Report.objects.values_list(*CompletedTransfer.__struct_fields__).get(transfer_id=transfer_id)
    )


def test_each_completed_transfer_has_one_waiting_report_that_says_what_it_was() -> None:
    alice, carla = make_account(), make_account()
    made = [
        transfer(debtor=None, creditor=alice, amount=100),
        transfer(debtor=alice, creditor=carla, amount=30),
        transfer(debtor=carla, creditor=None, amount=10),
    ]
    transfer(debtor=carla, creditor=None, amount=21)  # fails

    deliver_all(group=GROUP)

    assert Report.objects.count() == 3
    assert set(Report.objects.values_list("state", flat=True)) == {"waiting"}
    assert [read_report(each.id) for each in made] == [describe(each) for each in made]


def test_a_message_that_comes_again_even_under_another_id_writes_no_second_report() -> None:
    transfer(debtor=None, creditor=make_account(), amount=100)
    [told] = list_messages(group=GROUP)
    again = make_message(topic=told.type, subject=told.subject, sequence=10**9, time=told.time, data=told.data)

    deliver([told, told, again], group=GROUP)

    assert Report.objects.count() == 1


def test_the_database_refuses_a_report_of_after_its_accounts_inactivation(now: datetime) -> None:
    account = make_account()
    transfer(debtor=None, creditor=account, amount=100)
    made = transfer(debtor=account, creditor=None, amount=100)
    closed = inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=timezone.now())
    assert closed.inactivated_at is not None
    late = CompletedTransfer(made.id, account.pk, None, 100, "BRL", closed.inactivated_at + timedelta(microseconds=1))

    with pytest.raises(IntegrityError, match="after its account was closed"):
        write_reports(transfers=[late])


@pytest.mark.parametrize("statement", ["UPDATE regulatory_report SET amount = 1", "DELETE FROM regulatory_report"])
def test_what_is_reported_is_never_changed_and_never_deleted(statement: str) -> None:
    transfer(debtor=None, creditor=make_account(), amount=100)
    deliver_all(group=GROUP)

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_proof_finds_nothing_in_sound_reports() -> None:
    transfer(debtor=None, creditor=make_account(), amount=100)
    deliver_all(group=GROUP)
    out = StringIO()

    call_command("verify_reports", stdout=out)

    assert verify_reports(now=timezone.now() + 2 * GRACE) == []
    assert "The reports hold: 1 proven." in out.getvalue()


def forge(**values: Any) -> None:
    """Change the only report past its triggers."""
    columns = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE regulatory_report SET {columns}", list(values.values()))
        cursor.execute("SET LOCAL session_replication_role = origin")


def list_broken(*, now: datetime) -> list[str]:
    return [each.rule for each in verify_reports(now=now)]


def test_the_proof_finds_a_missing_a_false_and_a_late_report() -> None:
    account = make_account()
    made = transfer(debtor=None, creditor=account, amount=100)
    soon = timezone.now() + 2 * GRACE
    assert list_broken(now=soon) == ["a completed transfer has a report (I9)"]
    assert list_broken(now=timezone.now()) == [], "its consumer may be behind"

    deliver_all(group=GROUP)
    forge(amount=99)
    assert list_broken(now=soon) == ["a report says what the transfer says (I9)"]

    transfer(debtor=account, creditor=None, amount=100)
    inactivate_account(account_id=account.pk, reason="Moved", actor=None, now=timezone.now())
    deliver_all(group=GROUP)
    forge(completed_at=soon)
    with pytest.raises(CommandError, match="4 findings"):  # two reports, both false and late
        call_command("verify_reports", stderr=StringIO())
    assert made.id in {each.transfer_id for each in verify_reports(now=soon) if "(I7)" in each.rule}
