"""Versions of the rules, what they found, transfers in review, and lists of accounts and clients."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from approvals.models import Approval
from approvals.triggers import needs_approval
from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import append_only, born_in, check_sql, frozen_once, legal_states, never_changed, never_deleted
from ledger.models import Hold
from transfers.antifraud.states import REVIEW_TRANSITIONS, Decision, ListingEffect, ReviewStatus
from transfers.models import Transfer
from transfers.payments.models import Payment


class RuleSet(models.Model):
    """A version of the rules: which, in which order, with which parameters. It never changes; a change is a new one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField(help_text="Counts the versions.")
    definition = models.JSONField(help_text="As transfers/antifraud/rules.py reads it.")
    note = models.CharField(max_length=255, help_text="What is new in it, and why.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        """Part of what each decision rests on."""

        verbose_name = _("version of the rules")
        verbose_name_plural = _("versions of the rules")
        triggers = [append_only(table="antifraud_ruleset")]
        constraints = [models.UniqueConstraint(name="antifraud_ruleset_number", fields=["number"])]
        permissions = [
            ("propose_ruleset", "Can propose a version of the antifraud rules, and ask to put it in force"),
            ("activate_ruleset", "Can approve that a version of the antifraud rules is put in force"),
        ]

    def __str__(self) -> str:
        """Return which."""
        return gettext("version %(number)s") % {"number": self.number}


class Activation(models.Model):
    """Since when a version is in force: until the next row. The first comes with the bank, others with an approval."""

    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="activations")
    approval = models.OneToOneField(Approval, null=True, on_delete=models.PROTECT, related_name="+")
    is_first = models.BooleanField(default=False)
    activated_at = models.DateTimeField()

    class Meta:
        """Two people, and a history that stays."""

        triggers = [
            append_only(table="antifraud_activation"),
            needs_approval(
                table="antifraud_activation",
                operation="antifraud.activate_rules",
                subject="NEW.rule_set_id",
                condition="NOT NEW.is_first",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="antifraud_activation_one_first", fields=["is_first"], condition=Q(is_first=True)
            ),
            check_sql("antifraud_activation_approved", "is_first = (approval_id IS NULL)"),
        ]

    def __str__(self) -> str:
        """Return which."""
        return gettext("activation %(pk)s") % {"pk": self.pk}


class Judgement(models.Model):
    """What the rules found about an order, under the id of what it made: written only where a rule found something.

    An order without a row was accepted without a finding, under the version that was in force at its moment.
    """

    id = models.UUIDField(primary_key=True, editable=False, help_text="The transfer's, or the payment's.")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+", db_index=False)
    decision = models.CharField(max_length=6, choices=Decision.choices)
    findings = models.JSONField(help_text="Each rule that found something: its code, mode, action, and in words.")
    facts = models.JSONField(help_text="What the rules looked at. Minor units.")
    judged_at = models.DateTimeField()

    class Meta:
        """What was found stays."""

        triggers = [append_only(table="antifraud_judgement")]
        constraints = [check_sql("antifraud_judgement_decision", "decision IN ('accept', 'review', 'reject')")]

    def __str__(self) -> str:
        """Return about what."""
        return gettext("judgement %(id)s") % {"id": self.id}


@keep_history(begins_with_change=True)
class Review(models.Model):
    """A transfer or a payment whose money is held until somebody decides. A transfer began as this row says."""

    id = models.UUIDField(primary_key=True, editable=False, help_text="The transfer's, or the payment's.")
    transfer = models.OneToOneField(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="review", editable=False
    )
    payment = models.OneToOneField(
        Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="review", editable=False
    )
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="+")
    held_version = models.BigIntegerField(help_text="Version of the debtor's balance that the hold gave it.")
    reference = models.UUIDField(null=True, help_text="What else its entry is for: a hold that was captured.")
    initiated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    status = models.CharField(max_length=8, choices=ReviewStatus.choices, default=ReviewStatus.OPEN)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        """Decided once, by somebody else than who ordered it, for a reason; or expired, by nobody."""

        verbose_name = _("order in review")
        verbose_name_plural = _("orders in review")
        triggers = [
            never_deleted(table="antifraud_review"),
            never_changed(
                table="antifraud_review",
                fields=[
                    "id",
                    "transfer_id",
                    "payment_id",
                    "hold_id",
                    "held_version",
                    "reference",
                    "initiated_by_id",
                    "opened_at",
                ],
            ),
            born_in(table="antifraud_review", field="status", state=ReviewStatus.OPEN),
            legal_states(table="antifraud_review", field="status", transitions=REVIEW_TRANSITIONS),
            frozen_once(table="antifraud_review", condition=f"OLD.status <> '{ReviewStatus.OPEN.value}'"),
        ]
        constraints = [
            check_sql(
                "antifraud_review_subject",
                "num_nonnulls(transfer_id, payment_id) = 1 AND id = coalesce(transfer_id, payment_id)",
            ),
            check_sql("antifraud_review_other_person", "decided_by_id <> initiated_by_id"),
            check_sql(
                "antifraud_review_decided",
                "(status = 'open') = (decided_at IS NULL)"
                " AND (status IN ('accepted', 'rejected')) = (decided_by_id IS NOT NULL)"
                " AND (status IN ('accepted', 'rejected')) = (reason <> '')",
            ),
        ]
        indexes = [
            models.Index(name="antifraud_review_open", fields=["opened_at"], condition=Q(status=ReviewStatus.OPEN)),
            models.Index(name="antifraud_review_of", fields=["reference"], condition=Q(reference__isnull=False)),
        ]

    def __str__(self) -> str:
        """Return of what."""
        return gettext("review of %(order_id)s") % {"order_id": self.pk}

    @property
    def order(self) -> Transfer | Payment:
        """What waits, or waited, for the decision."""
        return self.transfer or self.payment  # type: ignore[return-value]  # PostgreSQL lets one of them be there


@keep_history(found_by=("party_id",))
class Listing(models.Model):
    """That an account or a client stands on a list, from one moment to another."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party_id = models.UUIDField(help_text="The account's or the client's id.")
    effect = models.CharField(max_length=7, choices=ListingEffect.choices)
    reason = models.CharField(max_length=255)
    listed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    listed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.CharField(max_length=255, blank=True)

    class Meta:
        """Listed once at a time; what was lifted stays as history."""

        triggers = [
            never_deleted(table="antifraud_listing"),
            never_changed(
                table="antifraud_listing",
                fields=["id", "party_id", "effect", "reason", "listed_by_id", "listed_at"],
            ),
            frozen_once(table="antifraud_listing", condition="OLD.lifted_at IS NOT NULL"),
        ]
        constraints = [
            check_sql("antifraud_listing_effect", "effect IN ('blocked', 'trusted')"),
            check_sql(
                "antifraud_listing_lifted",
                "(lifted_at IS NULL) = (lifted_by_id IS NULL) AND (lifted_at IS NULL) = (lift_reason = '')"
                " AND (lifted_at IS NULL OR lifted_at >= listed_at)",
            ),
            models.UniqueConstraint(
                name="antifraud_listing_once", fields=["party_id", "effect"], condition=Q(lifted_at__isnull=True)
            ),
        ]
        indexes = [models.Index(name="antifraud_listing_party", fields=["party_id"])]
        permissions = [("list_party", "Can put accounts and clients on antifraud lists, and take them off")]

    def __str__(self) -> str:
        """Return which list."""
        return f"{self.effect} {self.party_id}"


class Replay(models.Model):
    """How far a version of the rules was tried on past transfers, and what it found; see replays.py."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="replays")
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="When it began: what came later is not looked at.")
    reached = models.UUIDField(help_text="The last transfer that was looked at.")
    done = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="How often it decided what, and each rule found something.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What was tried stays."""

        triggers = [
            never_deleted(table="antifraud_replay"),
            frozen_once(table="antifraud_replay", condition="OLD.finished_at IS NOT NULL"),
        ]

    def __str__(self) -> str:
        """Return since when."""
        return gettext("replay since %(since)s") % {"since": self.since}
