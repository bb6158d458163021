"""Pages of clients."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.admin.cells import (
    NOTHING,
    Tone,
    column,
    link_to,
    show_id,
    show_moment,
    show_status,
)
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.search import keep_out_of_addresses
from core.admin.tables import Table, table_on
from core.errors import InvalidInputError
from core.models import User
from events.admin import list_events, name_subject
from kyc.documents import is_document_number
from kyc.models import Client
from kyc.selectors import find_client_by_document, get_masked_document
from kyc.states import ClientStatus, DocumentType, KycStatus

_CLIENT_TONES = {ClientStatus.ACTIVE: Tone.GOOD}
KYC_TONES = {KycStatus.VERIFIED: Tone.GOOD, KycStatus.IN_REVIEW: Tone.WAITING, KycStatus.REJECTED: Tone.BAD}

name_subject(prefix="client", model=Client)

SIGN_INS = ["client.signed_in"]  # so many that they would hide what happened to the client
keep_out_of_addresses(lambda text: is_document_number(text=text))


def show_client_status(client: Client) -> str:
    """Return whether the client may use the bank."""
    return show_status(client.status, client.get_status_display(), _CLIENT_TONES)


def show_kyc_status(client: Client) -> str:
    """Return what the bank decided about who the client is."""
    return show_status(client.kyc_status, client.get_kyc_status_display(), KYC_TONES)


def show_document(client: Client) -> str:
    return f"{client.get_document_type_display()} {get_masked_document(client=client)}"


@admin.register(Client)
class ClientAdmin(BankAdmin):
    """A client; its accounts are contributed by the apps that keep them."""

    help_text = _(
        "The people and companies that bank here. A client in review waits for a decision on its KYC case and opens "
        "no account until then."
    )
    empty_text = _("No client matches. Search by name, e-mail address, id, or the whole number of a document.")
    search_help_text = _("Name, e-mail, id or whole document number")
    ordering = ("-created_at",)
    list_display = (
        "name",
        column(_("E-mail"), lambda client: client.email),
        column("KYC", show_kyc_status),
        column(_("Status"), show_client_status),
        column(_("Registered"), lambda client: show_moment(client.created_at)),
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kyc_status", ChoicesDropdownFilter),
        ("created_at", DayFilter),
    )
    fieldsets = (
        (
            _("Client"),
            {
                "fields": (
                    "name",
                    column(_("E-mail"), lambda client: client.email),
                    column(_("Status"), show_client_status),
                    column("KYC", show_kyc_status),
                    column(_("Document"), show_document),
                    column(_("Born"), lambda client: gettext("hidden; reveal it if you need it")),
                )
            },
        ),
        (
            _("Record"),
            {
                "fields": (
                    column(_("Id"), lambda client: show_id(client.pk)),
                    column(_("Signs in as"), lambda client: client.user.username),
                    column(_("Registered"), lambda client: show_moment(client.created_at)),
                    column(_("Next review"), lambda client: show_moment(client.review_due_at)),
                    column(_("Inactivated"), lambda client: show_moment(client.inactivated_at)),
                    column(_("Reason"), lambda client: client.inactivation_reason or NOTHING),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Leave personal data encrypted until a client's own page shows it."""
        clients: QuerySet[Client] = super().get_queryset(request)
        return clients.defer("document_number", "birth_date")

    def search(self, rows: QuerySet[Client], term: str) -> QuerySet[Client]:
        """Find by e-mail address or name."""
        if "@" in term:
            return rows.alias(address=Lower("email")).filter(address=term.lower())
        return rows.filter(name__icontains=term)

    def find_privately(self, request: HttpRequest, term: str) -> list[Model]:
        """Find by document, or else by name."""
        client = _find_by_document(term)
        return [client] if client else super().find_privately(request, term)


def _find_by_document(number: str) -> Client | None:
    """Return the client with a document of any type and this number."""
    for document_type in DocumentType.values:
        try:
            client = find_client_by_document(document_type=document_type, number=number)
        except InvalidInputError:
            continue  # no number of this type
        if client is not None:
            return client
    return None


@table_on(Client, permission="events.view_event", is_last=True)
def _show_events(request: HttpRequest, client: Client) -> Table:
    return list_events(key=client.pk, leave_out=SIGN_INS)


@table_on(User, permission="kyc.view_client")
def _show_client_of_user(request: HttpRequest, user: User) -> Table | None:
    client = Client.objects.filter(user=user).defer("document_number", "birth_date").first()
    if client is None:
        return None
    rows = [(link_to(Client, client.pk, client), show_client_status(client), show_kyc_status(client))]
    return Table(title=gettext("Client"), headings=(gettext("Name"), gettext("Status"), "KYC"), rows=rows, empty="")
