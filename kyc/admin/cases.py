"""Pages of KYC cases, with the decision on a case."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.contrib import admin
from django.db.models import CharField, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast, Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from approvals.admin import RequestAct, list_approvals, name_operation_subject
from approvals.models import Approval
from approvals.states import ApprovalStatus
from core.admin.acts import Act, act_on
from core.admin.cells import NOTHING, Tone, column, link_to, show_moment, show_status
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from core.models import User
from events.admin import list_events
from kyc.admin.case_tables import make_risk, show_risk
from kyc.admin.casework import DECIDE
from kyc.admin.clients import SIGN_INS, show_document, show_kyc_status
from kyc.admin.documents import make_documents
from kyc.admin.screening import make_comparisons
from kyc.cases import decide_case
from kyc.errors import CaseNotOpenError
from kyc.models import Client, KycCase
from kyc.operations import Verification, VerifyHighRisk
from kyc.selectors import get_fingerprint, list_open_cases
from kyc.states import CaseStatus, KycStatus, RiskLevel, WaitsFor

name_operation_subject(operation=VerifyHighRisk, model=KycCase)

_CASE_TONES = {
    CaseStatus.VERIFIED: Tone.GOOD,
    CaseStatus.IN_REVIEW: Tone.WAITING,
    CaseStatus.REJECTED: Tone.BAD,
    CaseStatus.CLOSED: Tone.OVER,
}


def _show_case_status(case: KycCase) -> str:
    return show_status(case.status, case.get_status_display(), _CASE_TONES)


def _is_open(case: KycCase) -> bool:
    return case.status == CaseStatus.IN_REVIEW


def _show_turn(case: KycCase) -> str:
    """Return for whom an open case waits: an approver, once an analyst has asked for one."""
    if not _is_open(case):
        return NOTHING
    if getattr(case, "is_requested", False):
        return show_status("", gettext("Approver"), {"": Tone.WAITING})
    tone = Tone.OVER if case.waits_for == WaitsFor.CLIENT else Tone.WAITING
    return show_status(case.waits_for, case.get_waits_for_display(), {case.waits_for: tone})


def _show_age(case: KycCase) -> str:
    """Return how long the case took, or has been open."""
    return timesince(case.opened_at, case.decided_at or timezone.now(), depth=1)


@admin.register(KycCase)
class KycCaseAdmin(BankAdmin):
    """A look at a client, ended by a decision or by the client's leaving."""

    help_text = _(
        "Each case is one look at who a client is. Compare the hits of the screening, look at the documents, record "
        "what you have checked, then approve or reject with a reason. The client learns of it at once, and the "
        "decision cannot be taken back, only followed by a new case. A client of high risk needs a second person."
    )
    empty_text = _("No case matches. New cases come with each registration; nothing waits for you here.")
    search_help_text = _("Name or e-mail of the client, id")
    ordering = ("-opened_at",)
    list_select_related = ("client", "decided_by")
    list_display = (
        column(_("Client"), lambda case: case.client),
        column(_("Why"), lambda case: case.get_kind_display()),
        column(_("Status"), _show_case_status),
        column(_("Risk"), show_risk),
        column(_("Waits for"), _show_turn),
        column(_("Age"), _show_age),
        column(_("Opened"), lambda case: show_moment(case.opened_at)),
        column(_("By"), lambda case: case.decided_by or NOTHING),
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("risk", ChoicesDropdownFilter),
        ("waits_for", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("opened_at", DayFilter),
    )
    fieldsets = (
        (
            _("Client"),
            {
                "fields": (
                    column(_("Client"), lambda case: link_to(Client, case.client_id, case.client)),
                    column(_("E-mail"), lambda case: case.client.email),
                    column(_("Document"), lambda case: show_document(case.client)),
                    column(_("Born"), lambda case: gettext("hidden; reveal it on the client's page")),
                    column("KYC", lambda case: show_kyc_status(case.client)),
                )
            },
        ),
        (
            _("Case"),
            {
                "fields": (
                    column(_("Status"), _show_case_status),
                    column(_("Risk"), show_risk),
                    column(_("Why"), lambda case: case.get_kind_display()),
                    column(_("Opened"), lambda case: show_moment(case.opened_at)),
                    column(_("Waits for"), _show_turn),
                    column(_("Since"), lambda case: show_moment(case.waits_since) if _is_open(case) else NOTHING),
                    column(_("Stays verified until"), lambda case: show_moment(case.grace_until)),
                )
            },
        ),
        (
            _("End"),
            {
                "fields": (
                    column(_("Ended"), lambda case: show_moment(case.decided_at)),
                    column(_("By"), lambda case: case.decided_by or NOTHING),
                    column(_("Reason"), lambda case: case.reason or NOTHING),
                )
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: KycCase | None = None) -> Any:
        """Leave out the end of a case that has none yet."""
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets[:-1] if obj is not None and _is_open(obj) else fieldsets

    def get_queryset(self, request: HttpRequest) -> QuerySet[KycCase]:
        """Leave personal data encrypted until a page shows it."""
        cases: QuerySet[KycCase] = super().get_queryset(request)
        pending = Approval.objects.filter(
            operation=VerifyHighRisk.name, subject=Cast(OuterRef("pk"), CharField()), status=ApprovalStatus.PENDING
        )
        cases = cases.annotate(is_requested=Exists(pending))
        return cases.defer("client__document_number", "client__birth_date")

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Put what waits longest first in the queue, and the newest first elsewhere."""
        is_queue = request.GET.get("status__exact") == CaseStatus.IN_REVIEW
        return ("opened_at", "pk") if is_queue else ("-opened_at", "-pk")

    def search_id(self, rows: QuerySet[KycCase], key: UUID) -> QuerySet[KycCase]:
        """Find by id or client."""
        return rows.filter(pk=key) | rows.filter(client_id=key)

    def search(self, rows: QuerySet[KycCase], term: str) -> QuerySet[KycCase]:
        """Find by the client's e-mail address or name."""
        if "@" in term:
            return rows.alias(address=Lower("client__email")).filter(address=term.lower())
        return rows.filter(client__name__icontains=term)


class _Decision(Act):
    """A decision on a case, from its own page or from its client's."""

    permission = DECIDE
    decision: KycStatus

    def is_offered(self, subject: Client | KycCase) -> bool:
        """Offer it while the case is open."""
        return _find_open_case(subject) is not None

    def list_findings(self, subject: Client | KycCase) -> Sequence[Table]:
        """Show what is decided about."""
        case = _find_open_case(subject)
        if case is None:
            return ()
        row = (case.client.name, case.client.email, show_document(case.client))
        client = Table(
            title=gettext("Client"),
            headings=(gettext("Name"), gettext("E-mail"), gettext("Document")),
            rows=[row],
            empty="",
        )
        return [client, make_risk(case), *make_comparisons(case), make_documents(case.client, may_open=True)]

    def get_fingerprint(self, subject: Client | KycCase) -> str:
        """Return that of the client's data."""
        case = _find_open_case(subject)
        return get_fingerprint(case=case) if case else ""

    def perform(self, *, subject: Client | KycCase, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Decide the case."""
        case = _find_open_case(subject)
        if case is None:
            raise CaseNotOpenError
        decided = decide_case(
            case_id=case.pk, seen=seen, decision=self.decision, decided_by=actor, reason=reason, now=now
        )
        return format_html(
            "{} is {} now.", link_to(Client, decided.client_id, decided.client), self.decision.label.lower()
        )


def _find_open_case(subject: Client | KycCase) -> KycCase | None:
    open_cases = list_open_cases()
    if isinstance(subject, Client):
        return open_cases.filter(client=subject).first()
    return open_cases.filter(pk=subject.pk).first()


@act_on(Client)
@act_on(KycCase)
class Approve(_Decision):
    """Verify the client."""

    name = "approve"
    title = _("Approve")
    icon = "verified_user"
    variant = ActionVariant.SUCCESS
    decision = KycStatus.VERIFIED
    explanation = _("The client becomes verified and may open accounts from this moment on.")

    def is_offered(self, subject: Client | KycCase) -> bool:
        """Offer it where one person may decide."""
        case = _find_open_case(subject)
        return case is not None and case.risk != RiskLevel.HIGH


@act_on(KycCase)
class RequestVerification(RequestAct):
    """Ask somebody else to approve that a client of high risk is verified."""

    operation = VerifyHighRisk
    name = "request-verification"
    variant = ActionVariant.SUCCESS

    def is_offered(self, subject: KycCase) -> bool:
        """Offer it while the case is open and its risk is high."""
        return _is_open(subject) and subject.risk == RiskLevel.HIGH

    def get_fingerprint(self, subject: KycCase) -> str:
        """Return that of the case."""
        return get_fingerprint(case=subject)

    def list_findings(self, subject: KycCase) -> Sequence[Table]:
        """Show what would be done, and what about."""
        about = [make_risk(subject), make_documents(subject.client, may_open=True)]
        return [*super().list_findings(subject), *about]

    def make_payload(self, *, subject: KycCase, answers: Mapping[str, Any]) -> msgspec.Struct:
        """Return the case as it was seen, or else as it is."""
        seen = answers["seen"] if "seen" in answers else get_fingerprint(case=subject)
        return Verification(case=subject.pk, seen=seen)

    def carry_out(self, *, subject: KycCase, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Request it for the case as it was seen."""
        return super().carry_out(subject=subject, seen=seen, answers={**answers, "seen": seen}, actor=actor, now=now)


@table_on(KycCase, permission="approvals.view_approval")
def _show_approvals(request: HttpRequest, case: KycCase) -> Table | None:
    return list_approvals(subject=str(case.pk))


@act_on(Client)
@act_on(KycCase)
class Reject(_Decision):
    """Reject the client."""

    name = "reject"
    title = _("Reject")
    icon = "gpp_bad"
    variant = ActionVariant.DANGER
    decision = KycStatus.REJECTED
    explanation = _("The client is rejected and opens no account. It may be heard again in a new case.")


@table_on(Client, permission="kyc.view_kyccase")
def _show_cases(request: HttpRequest, client: Client) -> Table:
    return _make_cases(client.cases.select_related("decided_by").order_by("-opened_at"))


def _make_cases(cases: QuerySet[KycCase]) -> Table:
    """Return KYC cases of one client as a table."""
    rows = [
        (
            link_to(KycCase, case.pk),
            _show_case_status(case),
            show_moment(case.opened_at),
            show_moment(case.decided_at),
            case.decided_by or NOTHING,
            case.reason,
        )
        for case in cases
    ]
    headings = (
        gettext("Case"),
        gettext("Status"),
        gettext("Opened"),
        gettext("Ended"),
        gettext("By"),
        gettext("Reason"),
    )
    return Table(
        title=gettext("KYC cases"), headings=headings, rows=rows, empty=gettext("This client never had a KYC case.")
    )


@table_on(KycCase, permission="kyc.view_kyccase")
def _show_other_cases(request: HttpRequest, case: KycCase) -> Table | None:
    others = KycCase.objects.filter(client_id=case.client_id).exclude(pk=case.pk)
    table = _make_cases(others.select_related("decided_by").order_by("-opened_at"))
    return table if table.rows else None


@table_on(KycCase, permission="events.view_event", is_last=True)
def _show_events_of_client(request: HttpRequest, case: KycCase) -> Table:
    return list_events(key=case.client_id, leave_out=SIGN_INS)
