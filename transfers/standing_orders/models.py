"""Standing orders, and what each of their due dates brought."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, born_in, check_sql, frozen_once, legal_states, never_changed, never_deleted
from kyc.models import Client
from transfers.models import Transfer
from transfers.standing_orders.schedules import Schedule
from transfers.standing_orders.states import (
    STANDING_ORDER_TRANSITIONS,
    RunOutcome,
    ScheduleKind,
    StandingOrderStatus,
    Weekday,
)


@keep_history(
    unkept=("remittance_information",),
    ignored=("next_due_date", "next_run_date"),  # each run is on record
    found_by=("client", "debtor_account"),
)
class StandingOrder(models.Model):
    """A transfer to be made on each date of a schedule; while it is active, it knows the next one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=9, choices=StandingOrderStatus.choices, default=StandingOrderStatus.ACTIVE)
    debtor_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    creditor_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)
    remittance_information = models.CharField(max_length=140, blank=True)
    kind = models.CharField(max_length=7, choices=ScheduleKind.choices)
    day = models.SmallIntegerField(null=True, blank=True, help_text="Of the month.")
    weekday = models.CharField(max_length=9, choices=Weekday.choices, blank=True)
    first_date = models.DateField()
    last_date = models.DateField(null=True, blank=True)
    next_due_date = models.DateField(null=True, blank=True)
    next_run_date = models.DateField(null=True, blank=True, help_text="The business day for the next due date.")
    initiated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_code = models.CharField(max_length=32, blank=True, help_text="Why the bank ended it: a refusal's code.")

    class Meta:
        """A whole schedule; a next date while it is active, and none after."""

        verbose_name = _("standing order")
        triggers = [
            never_deleted(table="standing_orders_standingorder"),
            never_changed(
                table="standing_orders_standingorder",
                fields=[
                    "id",
                    "client_id",
                    "debtor_account_id",
                    "creditor_account_id",
                    "amount",
                    "currency",
                    "remittance_information",
                    "kind",
                    "day",
                    "weekday",
                    "first_date",
                    "last_date",
                    "initiated_by_id",
                    "created_at",
                ],
            ),
            born_in(table="standing_orders_standingorder", field="status", state=StandingOrderStatus.ACTIVE),
            legal_states(table="standing_orders_standingorder", field="status", transitions=STANDING_ORDER_TRANSITIONS),
            frozen_once(table="standing_orders_standingorder", condition="OLD.status <> 'active'"),
        ]
        constraints = [
            check_sql("standing_orders_order_amount_positive", "amount > 0"),
            check_sql("standing_orders_order_parties_differ", "debtor_account_id <> creditor_account_id"),
            check_sql(
                "standing_orders_order_schedule",
                "kind IN ('once', 'monthly', 'weekly') AND (kind = 'monthly') = (day IS NOT NULL)"
                " AND (kind = 'weekly') = (weekday <> '') AND day BETWEEN 1 AND 31",
            ),
            check_sql("standing_orders_order_dates", "last_date >= first_date AND next_due_date >= first_date"),
            check_sql("standing_orders_order_next", "next_run_date >= next_due_date"),
            check_sql(
                "standing_orders_order_active",
                "(status = 'active') = (next_due_date IS NOT NULL)"
                " AND (status = 'active') = (next_run_date IS NOT NULL)"
                " AND (status = 'active') = (ended_at IS NULL) AND (status = 'ended') = (end_code <> '')",
            ),
        ]
        indexes = [
            models.Index(name="standing_orders_order_client", fields=["client", "id"]),
            models.Index(
                name="standing_orders_order_due",
                fields=["next_run_date", "id"],
                condition=models.Q(status=StandingOrderStatus.ACTIVE),
            ),
        ]

    def __str__(self) -> str:
        """Return which."""
        return gettext("standing order %(id)s") % {"id": self.id}

    @property
    def schedule(self) -> Schedule:
        """On which days it is due."""
        return Schedule(
            kind=ScheduleKind(self.kind),
            first_date=self.first_date,
            last_date=self.last_date,
            day=self.day,
            weekday=Weekday(self.weekday) if self.weekday else None,
        )


class Run(models.Model):
    """What a due date brought. Its key is the claim: no date is carried out twice."""

    pk = models.CompositePrimaryKey("standing_order_id", "due_date")
    standing_order = models.ForeignKey(StandingOrder, on_delete=models.PROTECT, related_name="runs", db_index=False)
    due_date = models.DateField()
    outcome = models.CharField(max_length=9, choices=RunOutcome.choices)
    code = models.CharField(max_length=32, blank=True, help_text="Why no money moved.")
    transfer = models.OneToOneField(Transfer, null=True, on_delete=models.PROTECT, related_name="+")
    ran_at = models.DateTimeField()

    class Meta:
        """Never changed; a transfer unless it was refused, a code unless money moved."""

        triggers = [append_only(table="standing_orders_run")]
        constraints = [
            check_sql(
                "standing_orders_run_outcome",
                "outcome IN ('completed', 'in_review', 'failed', 'refused')"
                " AND (outcome = 'refused') = (transfer_id IS NULL)"
                " AND (outcome IN ('completed', 'in_review')) = (code = '')",
            ),
        ]

    def __str__(self) -> str:
        """Return for which date."""
        return gettext("run for %(due_date)s") % {"due_date": self.due_date}
