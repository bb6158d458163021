"""The back office's sidebar: its groups, and who sees which entry."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.language import Words


class Entry(NamedTuple):
    """A list (or another page of a model) in the sidebar, for those with the permission to view its rows."""

    title: Words
    model: str
    icon: str
    page: str = "changelist"
    codename: str = ""
    """Of the permission, if it is not that to view."""

    @property
    def permission(self) -> str:
        """The permission, as app_label.codename."""
        app_label, model = self.model.split(".")
        return f"{app_label}.{self.codename or f'view_{model}'}"

    @property
    def address(self) -> str:
        """Where it leads."""
        return reverse(f"admin:{self.model.replace('.', '_')}_{self.page}")


GROUPS: dict[Words, tuple[Entry, ...]] = {
    _("Two people"): (Entry(_("Approvals"), "approvals.approval", "approval"),),
    _("Clients"): (
        Entry(_("Clients"), "kyc.client", "group"),
        Entry(_("KYC cases"), "kyc.kyccase", "fact_check"),
        Entry(_("Documents"), "kyc.clientdocument", "description"),
    ),
    _("Accounts"): (Entry(_("Accounts"), "accounts.account", "account_balance_wallet"),),
    _("Transfers"): (
        Entry(_("Transfers"), "transfers.transfer", "sync_alt"),
        Entry(_("In review"), "antifraud.review", "policy"),
        Entry(_("Payments"), "payments.payment", "send_money"),
        Entry(_("Messages of the rail"), "rails.railmessage", "swap_horiz"),
        Entry(_("Differences with the rail"), "rails.reconciliationbreak", "difference"),
        Entry(_("Standing orders"), "standing_orders.standingorder", "event_repeat"),
    ),
    _("Antifraud"): (
        Entry(_("Versions of the rules"), "antifraud.ruleset", "rule"),
        Entry(_("Findings"), "antifraud.judgement", "frame_inspect"),
    ),
    _("Regulator"): (
        Entry(_("Regulatory reports"), "regulatory.report", "gavel"),
        Entry(_("Daily summaries"), "regulatory.dailysummary", "summarize"),
        Entry(_("Connection"), "regulatory.circuit", "cable"),
    ),
    _("Ledger"): (
        Entry(_("Ledger accounts"), "ledger.ledgeraccount", "menu_book"),
        Entry(_("Journal entries"), "ledger.journalentry", "receipt_long"),
        Entry(_("Manual entry"), "ledger.journalentry", "edit_note", page="manual", codename="request_manual_entry"),
        Entry(_("Holds"), "ledger.hold", "front_hand"),
    ),
    _("Events"): (
        Entry(_("Flow"), "events.event", "monitoring", page="flow"),
        Entry(_("Events"), "events.event", "bolt"),
        Entry(_("Dead letters"), "events.deadletter", "mark_email_unread"),
    ),
    _("Notifications"): (
        Entry(_("Notifications"), "notifications.notification", "notifications"),
        Entry(_("Deliveries"), "notifications.delivery", "outgoing_mail"),
    ),
    _("Audit"): (Entry(_("Exports"), "audit.export", "download"),),
    _("Staff"): (
        Entry(_("Users"), "core.user", "badge"),
        Entry(_("Roles"), "core.roleentry", "key"),
        Entry(_("Limits"), "rights.rolelimit", "speed"),
    ),
}


def list_groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar as the theme takes it; a group of which the reader may see nothing is left out."""
    home = {"title": gettext("Overview"), "icon": "space_dashboard", "link": reverse("admin:index")}
    seen = {title: [entry for entry in entries if _may_see(request, entry)] for title, entries in GROUPS.items()}
    groups = [
        {"title": title, "separator": True, "items": [_make_item(request, entry) for entry in entries]}
        for title, entries in seen.items()
        if entries
    ]
    return [{"items": [home]}, *groups]


def _may_see(request: HttpRequest, entry: Entry) -> bool:
    return request.user.has_perm(entry.permission)


def _make_item(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    return {"title": entry.title, "icon": entry.icon, "link": entry.address, "active": _is_open(request, entry)}


def _is_open(request: HttpRequest, entry: Entry) -> bool:
    """Whether the page shown is the entry's, or below it and no other entry's own; the theme would mark both."""
    others = {other.address for entries in GROUPS.values() for other in entries if other != entry}
    return request.path.startswith(entry.address) and request.path not in others
