"""The rest of what stands on the page of a case: risk, and what was sent, checked, asked, noted and looked at."""

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext

from core.admin.cells import NOTHING, Tone, show_moment, show_status
from core.admin.tables import Table, table_on
from kyc.admin.documents import OPEN, make_documents
from kyc.admin.screening import link_to_act
from kyc.models import DocumentLook, KycCase
from kyc.risk import SENTENCES
from kyc.states import CaseStatus, CheckKind, DocumentKind, RiskLevel

RISK_TONES = {RiskLevel.LOW: Tone.GOOD, RiskLevel.MEDIUM: Tone.WAITING, RiskLevel.HIGH: Tone.BAD}
_CHECK_TONES = {"passed": Tone.GOOD, "failed": Tone.BAD}
_LOOKS = 20


def show_risk(case: KycCase) -> str:
    """Return the level of a case's risk."""
    return show_status(case.risk, case.get_risk_display(), RISK_TONES) if case.risk else NOTHING


@table_on(KycCase, permission="kyc.view_kyccase")
def _show_risk(request: HttpRequest, case: KycCase) -> Table:
    return make_risk(case)


def make_risk(case: KycCase) -> Table:
    """Return why a case is as risky as it is."""
    rows = [(gettext(SENTENCES[code]),) for code in case.risk_reasons]
    return Table(
        title=gettext("Risk: %(level)s") % {"level": case.get_risk_display().lower() or gettext("not assessed yet")},
        headings=(gettext("Because"),),
        rows=rows,
        help=gettext("It follows from the facts by fixed rules. Two people verify a client of high risk."),
        empty=gettext("Nothing makes this client risky."),
    )


@table_on(KycCase, permission="kyc.view_clientdocument")
def _show_documents_of_case(request: HttpRequest, case: KycCase) -> Table:
    may_record = case.status == CaseStatus.IN_REVIEW and request.user.has_perm("kyc.decide_kyccase")
    may_open = request.user.has_perm(OPEN)
    return make_documents(case.client, may_open=may_open, case=case if may_record else None)


@table_on(KycCase, permission="kyc.view_kyccase")
def _show_checks(request: HttpRequest, case: KycCase) -> Table:
    newest = {check.kind: check for check in case.checks.select_related("checked_by").order_by("id")}
    may_check = case.status == CaseStatus.IN_REVIEW and request.user.has_perm("kyc.decide_kyccase")
    rows = []
    for kind in CheckKind:
        check = newest.get(kind)
        outcome, said = ("passed", gettext("Passed")) if check and check.is_passed else ("failed", gettext("Failed"))
        rows.append(
            (
                kind.label,
                show_status(outcome, said, _CHECK_TONES) if check else NOTHING,
                check.checked_by if check else NOTHING,
                show_moment(check.checked_at if check else None),
                _show_check_buttons(case, kind) if may_check else "",
            )
        )
    return Table(
        title=gettext("Checks"),
        headings=(gettext("Check"), gettext("Outcome"), gettext("By"), gettext("At"), ""),
        rows=rows,
        empty="",
    )


def _show_check_buttons(case: KycCase, kind: CheckKind) -> str:
    buttons = (
        link_to_act(case, "check", gettext("Passed"), kind=kind.value, outcome="passed"),
        link_to_act(case, "check", gettext("Failed"), kind=kind.value, outcome="failed"),
    )
    return format_html("{} {}", *buttons)


@table_on(KycCase, permission="kyc.view_kyccase")
def _show_requests(request: HttpRequest, case: KycCase) -> Table | None:
    rows = [
        (
            ", ".join(str(DocumentKind(kind).label) for kind in each.kinds),
            each.get_text_display(),
            each.requested_by,
            show_moment(each.requested_at),
            show_moment(each.answered_at)
            if each.answered_at
            else show_status("", gettext("Waits for the client"), {"": Tone.WAITING}),
        )
        for each in case.requests.select_related("requested_by").order_by("-id")
    ]
    headings = (gettext("Documents"), gettext("Why"), gettext("By"), gettext("Asked"), gettext("Came"))
    return Table(title=gettext("Asked of the client"), headings=headings, rows=rows, empty="") if rows else None


@table_on(KycCase, permission="kyc.view_kyccase")
def _show_notes(request: HttpRequest, case: KycCase) -> Table:
    notes = case.notes.select_related("written_by").order_by("-id")
    rows = [(note.text, note.written_by, show_moment(note.written_at)) for note in notes]
    return Table(
        title=gettext("Notes"),
        headings=(gettext("Note"), gettext("By"), gettext("At")),
        rows=rows,
        empty=gettext("Nobody has written a note."),
    )


@table_on(KycCase, permission="kyc.view_clientdocument")
def _show_looks(request: HttpRequest, case: KycCase) -> Table | None:
    looks = DocumentLook.objects.filter(document__client_id=case.client_id).select_related("document", "looked_by")
    rows = [
        (look.document.get_kind_display(), look.looked_by, show_moment(look.looked_at))
        for look in looks.order_by("-id")[:_LOOKS]
    ]
    return (
        Table(
            title=gettext("Looks at documents"),
            headings=(gettext("Document"), gettext("By"), gettext("At")),
            rows=rows,
            empty="",
        )
        if rows
        else None
    )
