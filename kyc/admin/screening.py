"""Hits on the page of a case: who may be the client, why, and what was found about it."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.cells import NOTHING, Tone, show_day, show_moment, show_status
from core.admin.tables import Table, table_on
from kyc.models import KycCase, SanctionsEntry, Screening, ScreeningHit
from kyc.selectors import find_last_screening, list_hits
from kyc.states import CaseStatus, Comparison, Disposition

_FINDINGS = {Disposition.FALSE_POSITIVE: Tone.GOOD, Disposition.TRUE_MATCH: Tone.BAD}
_COMPARISONS = {Comparison.EQUAL: Tone.BAD, Comparison.SIMILAR: Tone.WAITING, Comparison.OTHER: Tone.GOOD}
_HELP = _(
    "Whoever on the sanctions list may be the client. Compare, then say of each whether it is: nobody is verified "
    "before."
)


def link_to_act(case: KycCase, name: str, title: str, **filled_in: object) -> SafeString:
    """Return a small button that leads to an act on a case, with its form filled in so far."""
    address = reverse("admin:kyc_kyccase_act", args=[case.pk, name])
    return format_html('<a class="row-button" href="{}?{}">{}</a>', address, urlencode(filled_in), title)


@table_on(KycCase, permission="kyc.view_kyccase")
def _show_hits(request: HttpRequest, case: KycCase) -> Table:
    screening = find_last_screening(client_id=case.client_id)
    may_dispose = case.status == CaseStatus.IN_REVIEW and request.user.has_perm("kyc.decide_kyccase")
    hits = list_hits(screening=screening)
    listed = _read_entries(screening, hits)
    rows = [
        (
            _show_score(hit),
            _show_listed(hit, listed.get(hit.reference, {})),
            show_status(hit.birth_date, hit.get_birth_date_display(), _COMPARISONS),
            show_status(hit.document, hit.get_document_display(), _COMPARISONS),
            hit.program or NOTHING,
            _show_finding(hit, case, may_dispose=may_dispose),
        )
        for hit in hits
    ]
    headings = (
        gettext("Score"),
        gettext("On the list"),
        gettext("Birth date"),
        gettext("Document"),
        gettext("Listed for"),
        gettext("Finding"),
    )
    return Table(title=gettext("Screening"), headings=headings, rows=rows, help=_HELP, empty=_explain(screening))


def _explain(screening: Screening | None) -> str:
    """Return what it means that there are no hits."""
    if screening is None or screening.done_at is None:
        return gettext("The client is not screened yet. That takes a moment, unless no sanctions list is loaded.")
    return gettext("Nobody on the list is like the client: %(list)s, %(day)s.") % {
        "list": screening.sanctions_list,
        "day": show_day(timezone.localdate(screening.done_at)),
    }


def _read_entries(screening: Screening | None, hits: Sequence[ScreeningHit]) -> Mapping[str, Mapping[str, list[str]]]:
    """Return what the list says of the hits, by reference."""
    if screening is None or not hits:
        return {}
    entries = SanctionsEntry.objects.filter(
        sanctions_list_id=screening.sanctions_list_id, reference__in=[hit.reference for hit in hits]
    )
    return dict(entries.values_list("reference", "content"))


def _show_score(hit: ScreeningHit) -> str:
    return format_html("<strong>{}</strong><br><small>{} {}</small>", hit.score, gettext("names"), hit.name_score)


def _show_listed(hit: ScreeningHit, entry: Mapping[str, list[str]]) -> str:
    """Return the listed name, the alias that is like the client's if it is another, and the listed birth dates."""
    alias = gettext("also %(name)s") % {"name": hit.matched_name} if hit.matched_name != hit.listed_name else ""
    born = gettext("born %(dates)s") % {"dates": ", ".join(entry["birth_dates"])} if entry.get("birth_dates") else ""
    more = " · ".join(part for part in (alias, born, hit.reference) if part)
    return format_html("{}<br><small>{}</small>", hit.listed_name, more)


def _show_finding(hit: ScreeningHit, case: KycCase, *, may_dispose: bool) -> str:
    if hit.disposition:
        label = show_status(hit.disposition, hit.get_disposition_display(), _FINDINGS)
        return format_html(
            "{} {}<br><small>{}, {}</small>", label, hit.reason, hit.disposed_by, show_moment(hit.disposed_at)
        )
    if not may_dispose:
        return show_status("", gettext("Nobody has said yet"), {"": Tone.WAITING})
    buttons = (
        link_to_act(case, "clear-hit", gettext("Somebody else"), hit=hit.pk),
        link_to_act(case, "confirm-hit", gettext("It is the client"), hit=hit.pk),
    )
    return format_html("{} {}", *buttons)


def make_comparisons(case: KycCase) -> list[Table]:
    """Return the client beside each hit that nobody has said anything of."""
    screening = find_last_screening(client_id=case.client_id)
    hits = [hit for hit in list_hits(screening=screening) if not hit.disposition]
    listed = _read_entries(screening, hits)
    rows: list[tuple[object, ...]] = [(gettext("The client"), case.client.name, NOTHING, NOTHING, NOTHING, NOTHING)]
    for hit in hits:
        entry = listed.get(hit.reference, {})
        aliases, born = ", ".join(entry.get("aliases", [])), ", ".join(entry.get("birth_dates", []))
        compared = show_status(hit.birth_date, hit.get_birth_date_display(), _COMPARISONS)
        who = f"{hit.reference}, {hit.score}"
        rows.append((who, hit.listed_name, aliases or NOTHING, born or NOTHING, compared, hit.program or NOTHING))
    headings = (
        gettext("Who"),
        gettext("Name"),
        gettext("Aliases"),
        gettext("Born"),
        gettext("Birth date is"),
        gettext("Listed for"),
    )
    return [Table(title=gettext("Side by side"), headings=headings, rows=rows, empty="")]
