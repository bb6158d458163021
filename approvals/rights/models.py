"""How much money a role decides about."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from approvals.models import Approval
from approvals.triggers import needs_approval
from core.history.tracking import keep_history
from core.models import RoleEntry
from core.triggers import check_sql, never_changed, never_deleted

CHANGE_LIMIT = "rights.change_limit"

_TABLE = "rights_rolelimit"


@keep_history()
class RoleLimit(models.Model):
    """The highest amount of an operation that a role requests or approves. A role without a row has no limit of it."""

    role = models.ForeignKey(RoleEntry, on_delete=models.PROTECT, related_name="+")
    operation = models.CharField(max_length=64, help_text="By its name, such as transfers.reverse.")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(null=True, help_text="In minor units of the currency; none any more if empty.")
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """Two people decide about each row and each change of it."""

        verbose_name = _("limit")
        permissions = [
            ("request_rights", "Can request that roles and limits change"),
            ("approve_rights", "Can approve that roles and limits change"),
        ]
        triggers = [
            never_deleted(table=_TABLE),
            never_changed(table=_TABLE, fields=["id", "role_id", "operation", "currency"]),
            needs_approval(
                table=_TABLE,
                operation=CHANGE_LIMIT,
                subject="(NEW.role_id || ' ' || NEW.operation || ' ' || NEW.currency)",
                on=pgtrigger.Insert | pgtrigger.Update,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["role", "operation", "currency"], name="rights_rolelimit_once"),
            check_sql("rights_rolelimit_amount", "amount >= 0"),
            check_sql("rights_rolelimit_currency", "currency ~ '^[A-Z]{3}$'"),
        ]

    def __str__(self) -> str:
        """Return what it limits."""
        return f"{self.operation}, {self.currency}"
