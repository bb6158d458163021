"""The roles of people and partner systems, as one table: what each sees, what each does, and which exclude each other.

A migration writes the table into the database, where the processes may read it and nobody may change it. So a role
changes by a release alone, and a review sees it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from core.models import ForbiddenPair, RoleEntry

_BUSINESS = (
    "kyc.view_client",
    "kyc.view_kyccase",
    "kyc.view_clientdocument",
    "accounts.view_account",
    "accounts.view_accountblock",
    "ledger.view_ledgeraccount",
    "ledger.view_journalentry",
    "ledger.view_posting",
    "ledger.view_hold",
    "transfers.view_transfer",
    "antifraud.view_review",
    "antifraud.view_judgement",
    "antifraud.view_ruleset",
    "payments.view_payment",
    "rails.view_railmessage",
    "rails.view_reconciliationbreak",
    "standing_orders.view_standingorder",
    "regulatory.view_report",
    "regulatory.view_circuit",
    "regulatory.view_dailysummary",
    "approvals.view_approval",
    "events.view_event",
    "events.view_deadletter",
    "notifications.view_notification",
    "notifications.view_delivery",
)
_STAFF = ("core.view_user", "core.view_roleentry", "rights.view_rolelimit")
_RIGHTS = ("rights.request_rights", "rights.approve_rights")
_AUDIT = ("audit.view", "audit.export", "audit.view_export")


class RoleTerms(NamedTuple):
    """A role: its name for people, its purpose in one sentence, and its permissions, each as app_label.codename."""

    title: str
    purpose: str
    sees: tuple[str, ...] = ()
    does: tuple[str, ...] = ()

    @property
    def permissions(self) -> frozenset[str]:
        """All that it may."""
        return frozenset(self.sees + self.does)


ROLES: dict[str, RoleTerms] = {
    "teller": RoleTerms(
        "Teller",
        "A teller serves clients: looks up their accounts, blocks an account at once, sends an e-mail again.",
        sees=_BUSINESS,
        does=("accounts.block_account", "notifications.resend_delivery"),
    ),
    "kyc_analyst": RoleTerms(
        "KYC analyst",
        "A KYC analyst opens clients' documents, works on KYC cases and decides those of low or medium risk.",
        sees=(*_BUSINESS, "kyc.open_clientdocument", "kyc.reveal_client"),
        does=("kyc.decide_kyccase",),
    ),
    "kyc_approver": RoleTerms(
        "KYC approver",
        "A KYC approver looks at clients of high risk and approves, or not, that the bank accepts them.",
        sees=(*_BUSINESS, "kyc.open_clientdocument", "kyc.reveal_client"),
        does=("kyc.approve_kyccase",),
    ),
    "ops_maker": RoleTerms(
        "Operations maker",
        "An operations maker blocks and inactivates accounts and clients, handles dead letters and asks for what needs "
        "a second person.",
        sees=_BUSINESS,
        does=(
            "accounts.block_account",
            "accounts.inactivate_account",
            "kyc.inactivate_client",
            "events.handle_deadletter",
            "notifications.resend_delivery",
            "regulatory.resubmit_report",
            "accounts.request_lift",
            "accounts.request_overdraft",
            "reversals.request_reversal",
            "payments.request_payout",
            "rails.handle_railmessage",
            "ledger.request_manual_entry",
            "antifraud.propose_ruleset",
            "antifraud.list_party",
        ),
    ),
    "ops_checker": RoleTerms(
        "Operations checker",
        "An operations checker looks at what others ask for, and approves or rejects it.",
        sees=(*_BUSINESS, "rails.read_railmessage"),
        does=(
            "accounts.approve_lift",
            "accounts.approve_overdraft",
            "reversals.approve_reversal",
            "payments.approve_payout",
            "ledger.approve_manual_entry",
            "rails.resolve_reconciliationbreak",
            "transfers.review_transfer",
            "antifraud.activate_ruleset",
        ),
    ),
    "auditor": RoleTerms(
        "Auditor",
        "An auditor sees all, staff and their roles included, and changes nothing.",
        sees=(*_BUSINESS, *_STAFF, *_AUDIT, "kyc.open_clientdocument", "rails.read_railmessage"),
    ),
    "administrator": RoleTerms(
        "Administrator",
        "An administrator looks after staff: lets them in, sets them inactive, resets passwords, and with another one "
        "gives roles. No client, no money.",
        sees=(*_STAFF, "approvals.view_approval"),
        does=("core.add_user", "core.change_user", *_RIGHTS),
    ),
    "partner": RoleTerms(
        "Partner system",
        "A partner system has clients inactivated through the API. It is no person and no staff.",
        does=("kyc.inactivate_client",),
    ),
}
"""The roles by name. What staff see is no duty; what they do is, and duties are what must be kept apart."""


class Separation(NamedTuple):
    """Two roles that nobody may have at once, and why."""

    one: str
    other: str
    reason: str


def _separate(one: str, others: Iterable[str], reason: str) -> list[Separation]:
    return [Separation(one, other, reason) for other in others]


_PEOPLE = tuple(role for role in ROLES if role != "partner")

FORBIDDEN_PAIRS: tuple[Separation, ...] = (
    *_separate("ops_checker", ["teller", "ops_maker"], "Whoever asks for an operation does not approve operations."),
    *_separate("kyc_approver", ["kyc_analyst"], "Whoever asks for a client of high risk does not approve it."),
    *(
        pair
        for decider in ("kyc_analyst", "kyc_approver")
        for pair in _separate(
            decider,
            ["teller", "ops_maker", "ops_checker"],
            "Whoever works on accounts does not decide whom the bank accepts.",
        )
    ),
    *_separate("auditor", [role for role in _PEOPLE if role != "auditor"], "Whoever inspects changes nothing."),
    *_separate(
        "administrator",
        [role for role in _PEOPLE if role not in ("administrator", "auditor")],
        "Whoever lets people in does no business of the bank's.",
    ),
    *_separate("partner", _PEOPLE, "A system is no person."),
)
"""Segregation of duties. The database refuses each pair to each user, whoever gives the roles."""


def create_groups() -> None:
    """Write the table into the database: a group and its description for each role, and the pairs for what was."""
    rows = {name: _write_role(position, name) for position, name in enumerate(ROLES)}
    ForbiddenPair.objects.exclude(pk__in=[_write_pair(pair, rows).pk for pair in FORBIDDEN_PAIRS]).delete()


def _write_role(position: int, name: str) -> RoleEntry:
    terms = ROLES[name]
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.set(_get_permissions(terms.permissions))
    role, _ = RoleEntry.objects.update_or_create(
        group=group, defaults={"position": position, "title": terms.title, "purpose": terms.purpose}
    )
    return role


def _write_pair(pair: Separation, roles: dict[str, RoleEntry]) -> ForbiddenPair:
    row, _ = ForbiddenPair.objects.update_or_create(
        one=roles[pair.one], other=roles[pair.other], defaults={"reason": pair.reason}
    )
    return row


def _get_permissions(names: Iterable[str]) -> list[Permission]:
    """Return the permissions called `names`. Raises Permission.DoesNotExist unless all of them exist."""
    wanted = set(names)
    chosen = Q()
    for app_label, codename in (name.split(".") for name in wanted):
        chosen |= Q(content_type__app_label=app_label, codename=codename)
    permissions = list(Permission.objects.filter(chosen))
    if len(permissions) < len(wanted):
        raise Permission.DoesNotExist(f"Not all of {', '.join(sorted(wanted))} exist; run the migrations first.")
    return permissions
