"""The lists of antifraud, on the pages of accounts and clients."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import Account
from accounts.states import AccountStatus
from core.admin.acts import Act, ReasonForm, act_on
from core.admin.cells import (
    NOTHING,
    show_moment,
)
from core.admin.tables import Table, table_on
from core.models import User
from kyc.models import Client
from kyc.states import ClientStatus
from transfers.antifraud import services
from transfers.antifraud.models import Listing
from transfers.antifraud.states import ListingEffect


class ListingForm(ReasonForm):
    """On which list, and why."""

    effect = forms.ChoiceField(label=_("Effect"), choices=ListingEffect.choices, widget=UnfoldAdminSelectWidget)


class _Listing(Act):
    permission = "antifraud.list_party"
    form = ListingForm

    def carry_out(self, *, subject: Model, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Call the service with the list that was chosen."""
        effect = ListingEffect(answers["effect"])
        return self.change(party_id=subject.pk, effect=effect, reason=answers["reason"], actor=actor, now=now)

    def change(self, *, party_id: UUID, effect: ListingEffect, reason: str, actor: User, now: datetime) -> str:
        """Put the party on the list, or take it off, and say so."""
        raise NotImplementedError


@act_on(Client)
@act_on(Account)
class ListParty(_Listing):
    """Put an account or a client on an antifraud list."""

    name = "list"
    title = _("Put on an antifraud list")
    icon = "playlist_add"
    explanation = _(
        "Blocked: each transfer from or to it is rejected, and staff are alerted. Trusted: how many transfers it "
        "makes, and with how many others, is no reason to review them."
    )

    def is_offered(self, subject: Account | Client) -> bool:
        """Offer it until the party has left: it moves no money any more."""
        return subject.status not in (AccountStatus.INACTIVE, ClientStatus.INACTIVE)

    def change(self, *, party_id: UUID, effect: ListingEffect, reason: str, actor: User, now: datetime) -> str:
        """Put it on the list."""
        services.list_party(party_id=party_id, effect=effect, reason=reason, actor=actor, now=now)
        return gettext("It is on the list: %(list)s.") % {"list": effect.label.lower()}


@act_on(Client)
@act_on(Account)
class LiftListing(_Listing):
    """Take an account or a client off an antifraud list."""

    name = "unlist"
    title = _("Take off an antifraud list")
    icon = "playlist_remove"
    explanation = _("From now on its transfers are judged like anybody's.")

    def is_offered(self, subject: Model) -> bool:
        """Offer it to what is listed."""
        return Listing.objects.filter(party_id=subject.pk, lifted_at=None).exists()

    def change(self, *, party_id: UUID, effect: ListingEffect, reason: str, actor: User, now: datetime) -> str:
        """Take it off the list."""
        services.lift_listing(party_id=party_id, effect=effect, reason=reason, actor=actor, now=now)
        return gettext("It is no longer on the list: %(list)s.") % {"list": effect.label.lower()}


@table_on(Account, permission="antifraud.view_review")
@table_on(Client, permission="antifraud.view_review")
def _show_listings(request: HttpRequest, party: Account | Client) -> Table | None:
    listings: QuerySet[Listing] = Listing.objects.filter(party_id=party.pk).select_related("listed_by", "lifted_by")
    rows = [
        (
            each.get_effect_display(),
            each.reason,
            each.listed_by,
            show_moment(each.listed_at),
            show_moment(each.lifted_at),
            each.lifted_by or NOTHING,
            each.lift_reason or NOTHING,
        )
        for each in listings.order_by("-pk")
    ]
    headings = (
        gettext("List"),
        gettext("Reason"),
        gettext("By"),
        gettext("Since"),
        gettext("Until"),
        gettext("Lifted by"),
        gettext("Why lifted"),
    )
    return Table(title=gettext("Antifraud lists"), headings=headings, rows=rows, empty="") if rows else None
