"""Tables of the ledger, and the rules that PostgreSQL keeps over them.

Amounts are minor units. Each posting carries its account's balance and version after it, so the balance at any past
moment needs no replay, and the account's row carries the same figures, written by the same statement.

# Note [References without a database constraint]
Postings refer to accounts and entries without FOREIGN KEY constraints: PostgreSQL checks those row by row, with a
query and a row lock each. The statement-level trigger `postings_agree` checks the same for all new rows at
once, and accounts and entries can never be deleted.
"""

from collections.abc import Sequence
from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import Case, CheckConstraint, F, Q, UniqueConstraint, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from approvals.triggers import needs_approval
from core.ids import uuid7
from core.triggers import append_only, check_sql, frozen_once, legal_states, never_changed, never_deleted, refuse
from ledger.chart import CUSTOMERS
from ledger.states import (
    HOLD_TRANSITIONS,
    MANUAL,
    MANUAL_OPERATION,
    NORMAL_SIDES,
    AccountKind,
    HoldOrigin,
    HoldStatus,
    Side,
)

# Note [Lateral look-ups in triggers]
# PL/pgSQL plans a query once a session and keeps the plan. A plan made for a batch of a thousand would scan whole
# tables for a batch of one, so each look-up is LATERAL with a LIMIT. A plan made while a table is small would scan it
# for each row of a batch of ten thousand, so scans are off while the trigger runs: a look-up is one index probe.

_POSTINGS_AGREE = f"""
    SELECT posting.is_unbalanced INTO is_unbalanced FROM (
        SELECT entry_id, bool_or(total <> 0) AS is_unbalanced FROM (
            SELECT entry_id, sum(amount * side) AS total FROM new_postings GROUP BY entry_id, currency
        ) of_currency GROUP BY entry_id
    ) posting
    LEFT JOIN LATERAL (
        SELECT posting_count FROM ledger_journalentry WHERE id = posting.entry_id LIMIT 1
    ) entry ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS postings FROM ledger_posting WHERE entry_id = posting.entry_id
    ) written
    WHERE posting.is_unbalanced OR entry.posting_count IS DISTINCT FROM written.postings
    ORDER BY posting.is_unbalanced DESC LIMIT 1;
    IF is_unbalanced THEN
        {refuse(constraint="ledger_entry_balanced", message="an entry whose debits and credits differ")}
    ELSIF FOUND THEN
        {refuse(constraint="ledger_entry_complete", message="postings that are not all of their entry")}
    END IF;
    IF EXISTS (
        SELECT FROM new_postings posting
        LEFT JOIN LATERAL (
            SELECT version, currency, closed_at, normal_side * (posted_credits - posted_debits) AS balance
            FROM ledger_ledgeraccount WHERE id = posting.account_id LIMIT 1
        ) account ON true
        GROUP BY posting.account_id, account.version, account.currency, account.closed_at, account.balance
        HAVING account.version IS DISTINCT FROM max(posting.version)
            OR max(posting.version) - min(posting.version) + 1 <> count(*)
            OR max(posting.balance_after) FILTER (WHERE posting.version = account.version) <> account.balance
            OR bool_or(posting.currency <> account.currency)
            OR account.closed_at IS NOT NULL
    ) THEN
        {refuse(constraint="ledger_account_agrees", message="postings that disagree with their account")}
    END IF;
"""  # noqa: S608 - built from constants

_ENTRIES_HAVE_POSTINGS = f"""
    IF EXISTS (
        SELECT FROM new_entries entry
        LEFT JOIN LATERAL (
            SELECT true AS exists FROM ledger_posting WHERE entry_id = entry.id LIMIT 1
        ) posting ON true
        WHERE posting.exists IS NULL
    ) THEN
        {refuse(constraint="ledger_entry_complete", message="an entry without postings")}
    END IF;
"""  # noqa: S608 - built from constants

_AVAILABILITY_EXPLAINED = f"""
    IF (OLD.floor IS NOT NULL AND NEW.floor IS NULL) OR NEW.version <> OLD.version + 1 OR NOT EXISTS (
        SELECT FROM ledger_availabilitychange
        WHERE account_id = NEW.id AND version = NEW.version
          AND pending_delta = NEW.pending_debits - OLD.pending_debits
          AND floor_delta = coalesce(NEW.floor, 0) - coalesce(OLD.floor, 0)
    ) THEN
        {refuse(constraint="ledger_account_explained", message="a change of what is available without its history")}
    END IF;
    RETURN NULL;
"""


def _after_insert(*, name: str, new_rows: str, func: str, declare: Sequence[tuple[str, str]] = ()) -> pgtrigger.Trigger:
    """Return a trigger over the rows of one INSERT; see Note [Lateral look-ups in triggers]."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new=new_rows),
        declare=[*declare, ("scans", "TEXT")],
        func=f"""
    scans := set_config('enable_seqscan', 'off', true);{func}
    scans := set_config('enable_seqscan', 'on', true);
    RETURN NULL;
""",
    )


def _kinds_of(side: Side) -> list[str]:
    return [kind.value for kind, normal in NORMAL_SIDES.items() if normal is side]


class LedgerAccount(models.Model):
    """An account of the books. The flags stand on the row that each posting locks, so none can race them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chart_code = models.CharField(max_length=4, help_text="The class of account in the chart of accounts.")
    name = models.CharField(max_length=140)
    holder_id = models.UUIDField(
        null=True, editable=False, help_text="Whose it is: a client's id; none for the bank's."
    )
    kind = models.CharField(max_length=9, choices=AccountKind.choices)
    normal_side = models.GeneratedField(
        expression=Case(When(kind__in=_kinds_of(Side.DEBIT), then=Side.DEBIT.value), default=Side.CREDIT.value),
        output_field=models.SmallIntegerField(choices=Side.choices),
        db_persist=True,
        help_text="The side that raises the balance.",
    )
    currency = models.CharField(max_length=3)
    posted_debits = models.BigIntegerField(default=0)
    posted_credits = models.BigIntegerField(default=0)
    pending_debits = models.BigIntegerField(default=0, help_text="Held, not yet debited.")
    pending_credits = models.BigIntegerField(default=0, help_text="Expected, not yet credited.")
    floor = models.BigIntegerField(
        null=True, blank=True, help_text="The lowest available balance: 0, minus the overdraft, or none."
    )
    refuses_debits = models.BooleanField(default=False)
    refuses_credits = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Nothing is posted after this moment.")
    version = models.BigIntegerField(default=0, help_text="How many changes of balance there were.")
    last_booked_at = models.DateTimeField(null=True, blank=True, help_text="No later version has an earlier moment.")

    class Meta:
        """I4 as a CHECK; one internal account of a class and currency.

        The triggers on updates name columns that a posting does not write, so the hot path does not meet them. There is
        no index besides those that rules need: one more took a quarter of the single transfers a second.
        """

        triggers = [
            never_deleted(table="ledger_ledgeraccount"),
            never_changed(
                table="ledger_ledgeraccount",
                fields=["id", "holder_id", "chart_code", "kind", "currency", "pending_credits"],
            ),
            frozen_once(table="ledger_ledgeraccount", fields=["closed_at"], condition="OLD.closed_at IS NOT NULL"),
            pgtrigger.Trigger(
                name="availability_explained",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("floor", "pending_debits"),
                func=_AVAILABILITY_EXPLAINED,
            ),
        ]
        constraints = [
            check_sql(
                "ledger_account_above_floor",
                "floor <= normal_side * (posted_credits - posted_debits)"
                " - CASE normal_side WHEN 1 THEN pending_debits ELSE pending_credits END",
            ),
            check_sql("ledger_account_floor_not_positive", "floor <= 0"),
            check_sql(
                "ledger_account_sums_positive",
                "least(posted_debits, posted_credits, pending_debits, pending_credits) >= 0",
            ),
            check_sql(
                "ledger_account_closed_empty",
                "closed_at IS NULL OR (posted_debits = posted_credits AND pending_debits = 0 AND pending_credits = 0)",
            ),
            UniqueConstraint(
                name="ledger_account_one_internal",
                fields=["chart_code", "currency"],
                condition=~Q(chart_code=CUSTOMERS.code),
            ),
        ]

    def __str__(self) -> str:
        """Return the account as the books call it."""
        return f"{self.chart_code} {gettext(self.name)} ({self.currency})"

    @property
    def balance(self) -> int:
        """The booked balance, positive on the account's normal side."""
        return int(self.normal_side) * (self.posted_credits - self.posted_debits)

    @property
    def pending(self) -> int:
        """What holds take from the booked balance."""
        return self.pending_debits if self.normal_side == Side.CREDIT else self.pending_credits

    @property
    def available(self) -> int:
        """What can still be taken: balance - pending - floor. The one definition of it outside SQL."""
        return self.balance - self.pending - (self.floor or 0)

    def get_next_moment(self, *, now: datetime) -> datetime:
        """Return `now`, or the account's latest booking if that is later: along an account time never goes back."""
        return max(now, self.last_booked_at or now)


class JournalEntry(models.Model):
    """A balanced set of postings: why (`code`), for what and when. Never changed, never deleted.

    The entry of a transfer has the transfer's id.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=32, help_text="Why: deposit, withdrawal, internal, reversal ...")
    reference = models.UUIDField(null=True, help_text="For what, where the entry's id does not say it: a hold's id.")
    booked_at = models.DateTimeField()
    value_date = models.DateField(help_text="The day from which the money counts.")
    reversal_of = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="reversals", db_index=False
    )
    posting_count = models.SmallIntegerField()

    class Meta:
        """I2; at most one reversal of an entry; an entry by hand needs an approval of its own."""

        verbose_name_plural = _("journal entries")
        permissions = [
            ("request_manual_entry", "Can request a manual journal entry"),
            ("approve_manual_entry", "Can approve a manual journal entry"),
        ]
        triggers = [
            append_only(table="ledger_journalentry"),
            _after_insert(name="entries_have_postings", new_rows="new_entries", func=_ENTRIES_HAVE_POSTINGS),
            needs_approval(
                table="ledger_journalentry",
                operation=MANUAL_OPERATION,
                approval="NEW.reference",
                condition=f"NEW.code = '{MANUAL}'",
            ),
        ]
        constraints = [
            UniqueConstraint(
                name="ledger_entry_reversed_once",
                fields=["reversal_of"],
                condition=Q(reversal_of__isnull=False),
            ),
            CheckConstraint(name="ledger_entry_two_postings", condition=Q(posting_count__gte=2)),
            UniqueConstraint(name="ledger_entry_manual_once", fields=["reference"], condition=Q(code=MANUAL)),
        ]
        indexes = [
            models.Index(name="ledger_entry_reference", fields=["reference"], condition=Q(reference__isnull=False))
        ]

    def __str__(self) -> str:
        """Return why and which."""
        return f"{self.code} {self.id}"


class Posting(models.Model):
    """One side of an entry on one account, with the account's balance and version after it."""

    pk = models.CompositePrimaryKey("account_id", "version")
    account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    version = models.BigIntegerField()
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings", db_constraint=False)
    side = models.SmallIntegerField(choices=Side.choices)
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)
    balance_after = models.BigIntegerField(help_text="Minor units, positive on the account's normal side.")
    booked_at = models.DateTimeField()

    class Meta:
        """I1, I2 and the versions of I3."""

        triggers = [
            append_only(table="ledger_posting"),
            _after_insert(
                name="postings_agree",
                new_rows="new_postings",
                func=_POSTINGS_AGREE,
                declare=[("is_unbalanced", "BOOLEAN")],
            ),
        ]
        constraints = [
            CheckConstraint(name="ledger_posting_amount_positive", condition=Q(amount__gt=0)),
            CheckConstraint(name="ledger_posting_side", condition=Q(side__in=Side.values)),
        ]

    def __str__(self) -> str:
        """Return side and amount."""
        return f"{Side(self.side).label} {self.amount} {self.currency}"


class Hold(models.Model):
    """Funds of an account that are reserved: they count as pending until captured, released or expired."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="holds")
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    captured_amount = models.BigIntegerField(default=0)
    status = models.CharField(max_length=8, choices=HoldStatus.choices, default=HoldStatus.OPEN)
    origin = models.CharField(max_length=8, choices=HoldOrigin.choices, db_default=HoldOrigin.BANK)
    reference = models.UUIDField(null=True, blank=True, help_text="For what: for instance the transfer's id.")
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A hold ends once, and never captures more than it held."""

        triggers = [
            never_deleted(table="ledger_hold"),
            never_changed(
                table="ledger_hold",
                fields=["id", "account_id", "amount", "origin", "reference", "expires_at", "created_at"],
            ),
            legal_states(table="ledger_hold", field="status", transitions=HOLD_TRANSITIONS),
            frozen_once(table="ledger_hold", condition=f"OLD.status <> '{HoldStatus.OPEN.value}'"),
        ]
        constraints = [
            CheckConstraint(name="ledger_hold_amount_positive", condition=Q(amount__gt=0)),
            CheckConstraint(name="ledger_hold_origin", condition=Q(origin__in=HoldOrigin.values)),
            CheckConstraint(
                name="ledger_hold_captured_within",
                condition=Q(captured_amount__gte=0, captured_amount__lte=F("amount")),
            ),
            CheckConstraint(
                name="ledger_hold_ended",
                condition=Q(status=HoldStatus.OPEN, ended_at__isnull=True)
                | (~Q(status=HoldStatus.OPEN) & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                name="ledger_hold_due",
                fields=["expires_at"],
                condition=Q(status=HoldStatus.OPEN, expires_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        """Return what is held."""
        return gettext("hold %(id)s") % {"id": self.id}


class AvailabilityChange(models.Model):
    """A change of what is available without a posting: a step of a hold, or a new floor.

    It has the version that it gave the account, so an account's postings and these rows together have each version
    from 1 on once. The floor that an account is opened with is version 0, so that all floor deltas add up to the floor.
    """

    pk = models.CompositePrimaryKey("account_id", "version")
    account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="availability_changes", db_index=False
    )
    version = models.BigIntegerField()
    hold = models.ForeignKey(Hold, null=True, on_delete=models.PROTECT, related_name="changes")
    pending_delta = models.BigIntegerField(default=0, help_text="Minor units: positive when funds are reserved.")
    floor_delta = models.BigIntegerField(default=0, help_text="Minor units: negative when an overdraft is granted.")
    changed_at = models.DateTimeField()

    class Meta:
        """Part of the ledger's history."""

        triggers = [append_only(table="ledger_availabilitychange")]
        constraints = [
            CheckConstraint(
                name="ledger_availability_hold_or_floor",
                condition=Q(hold__isnull=False, floor_delta=0) | Q(hold__isnull=True, pending_delta=0),
            ),
        ]

    def __str__(self) -> str:
        """Return which version."""
        return gettext("version %(version)s") % {"version": self.version}
