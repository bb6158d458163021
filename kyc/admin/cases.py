"""Pages of KYC cases, with the decision on a case."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from core.admin.acts import Act, act_on
from core.admin.cells import NOTHING, Tone, column, link_to, show_id, show_moment, show_status
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from core.models import User
from events.admin import list_events
from kyc.admin.clients import SIGN_INS, show_document
from kyc.admin.documents import make_documents
from kyc.errors import CaseNotOpenError
from kyc.models import Client, KycCase
from kyc.selectors import get_fingerprint, list_open_cases
from kyc.services import decide_case
from kyc.states import CaseStatus, KycStatus

_CASE_TONES = {
    CaseStatus.VERIFIED: Tone.GOOD,
    CaseStatus.IN_REVIEW: Tone.WAITING,
    CaseStatus.REJECTED: Tone.BAD,
    CaseStatus.CLOSED: Tone.OVER,
}


def _show_case_status(case: KycCase) -> str:
    return show_status(case.status, case.get_status_display(), _CASE_TONES)


@admin.register(KycCase)
class KycCaseAdmin(BankAdmin):
    """A look at a client, ended by a decision or by the client's leaving."""

    help_text = (
        "Each case is one look at who a client is. Approve or reject it with a reason; the client learns of it at "
        "once, and the decision cannot be taken back, only followed by a new case. A case that waits while its client "
        "leaves is closed without a decision."
    )
    empty_text = "No case matches. New cases come with each registration; nothing waits for you here."
    search_help_text = "Name or e-mail of the client, id"
    ordering = ("-opened_at",)
    list_select_related = ("client", "decided_by")
    list_display = (
        column("Case", lambda case: show_id(case.pk)),
        column("Client", lambda case: link_to(Client, case.client_id, case.client)),
        column("Status", _show_case_status),
        column("Opened", lambda case: show_moment(case.opened_at)),
        column("Ended", lambda case: show_moment(case.decided_at)),
        column("By", lambda case: case.decided_by or NOTHING),
    )
    list_filter = (("status", ChoicesDropdownFilter), ("opened_at", DayFilter))
    fieldsets = (
        (
            "Case",
            {
                "fields": (
                    column("Client", lambda case: link_to(Client, case.client_id, case.client)),
                    column("E-mail", lambda case: case.client.email),
                    column("Document", lambda case: show_document(case.client)),
                    column("Status", _show_case_status),
                    column("Opened", lambda case: show_moment(case.opened_at)),
                )
            },
        ),
        (
            "End",
            {
                "fields": (
                    column("Ended", lambda case: show_moment(case.decided_at)),
                    column("By", lambda case: case.decided_by or NOTHING),
                    column("Reason", lambda case: case.reason or NOTHING),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[KycCase]:
        """Leave personal data encrypted until a page shows it."""
        cases: QuerySet[KycCase] = super().get_queryset(request)
        return cases.defer("client__document_number", "client__birth_date")

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

    permission = "kyc.decide_kyccase"
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
        client = Table(title="Client", headings=("Name", "E-mail", "Document"), rows=[row], empty="")
        return [client, make_documents(case.client, may_open=True)]

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
    title = "Approve"
    icon = "verified_user"
    variant = ActionVariant.SUCCESS
    decision = KycStatus.VERIFIED
    explanation = "The client becomes verified and may open accounts from this moment on."


@act_on(Client)
@act_on(KycCase)
class Reject(_Decision):
    """Reject the client."""

    name = "reject"
    title = "Reject"
    icon = "gpp_bad"
    variant = ActionVariant.DANGER
    decision = KycStatus.REJECTED
    explanation = "The client is rejected and opens no account. It may be heard again in a new case."


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
    headings = ("Case", "Status", "Opened", "Ended", "By", "Reason")
    return Table(title="KYC cases", headings=headings, rows=rows, empty="This client never had a KYC case.")


@table_on(KycCase, permission="kyc.view_kyccase")
def _show_other_cases(request: HttpRequest, case: KycCase) -> Table | None:
    others = KycCase.objects.filter(client_id=case.client_id).exclude(pk=case.pk)
    table = _make_cases(others.select_related("decided_by").order_by("-opened_at"))
    return table if table.rows else None


@table_on(KycCase, permission="events.view_event", is_last=True)
def _show_events_of_client(request: HttpRequest, case: KycCase) -> Table:
    return list_events(key=case.client_id, leave_out=SIGN_INS)
