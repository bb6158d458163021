"""Pages of the documents that clients send, and the one way to their files, on which each look is recorded."""

from datetime import date
from typing import cast
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.admin.cells import column, link, link_to, show_day, show_id, show_moment
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from core.models import User
from kyc.admin.screening import link_to_act
from kyc.errors import DocumentNotFoundError
from kyc.models import Client, ClientDocument, DocumentFile, KycCase
from kyc.selectors import map_expiries
from kyc.services import open_document
from kyc.states import DocumentMediaType

OPEN = "kyc.open_clientdocument"
_FRAMED_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""Without `sandbox`, in which browsers show no PDF; what acts in a PDF was refused when it came (kyc/inspection)."""
_EXTENSIONS = {DocumentMediaType.JPEG: "jpg", DocumentMediaType.PDF: "pdf"}


@admin.register(ClientDocument)
class ClientDocumentAdmin(BankAdmin):
    """A document of a client."""

    help_text = _(
        "What clients have sent to prove who they are and where they live. A file is as personal as it gets: open it "
        "only to decide a case. Each look is kept on record, here for everybody to see."
    )
    empty_text = _("No document matches. Clients send them while their KYC case waits.")
    search_help_text = _("Name or e-mail of the client, id")
    ordering = ("-created_at",)
    list_select_related = ("client",)
    list_display = (
        column(_("Document"), lambda document: show_id(document.pk)),
        column(_("Client"), lambda document: link_to(Client, document.client_id, document.client)),
        column(_("Proves"), lambda document: document.get_kind_display()),
        column(_("Sent as"), lambda document: document.get_media_type_display()),
        column(_("Size"), lambda document: filesizeformat(document.size_bytes)),
        column(_("Received"), lambda document: show_moment(document.created_at)),
    )
    list_filter = (("kind", ChoicesDropdownFilter), ("created_at", DayFilter))
    fieldsets = (
        (
            _("Document"),
            {
                "fields": (
                    column(_("Client"), lambda document: link_to(Client, document.client_id, document.client)),
                    column(_("Proves"), lambda document: document.get_kind_display()),
                    column(_("Received"), lambda document: show_moment(document.created_at)),
                )
            },
        ),
        (
            _("As it came"),
            {
                "fields": (
                    column(_("Sent as"), lambda document: document.get_media_type_display()),
                    column(_("Size"), lambda document: filesizeformat(document.size_bytes)),
                    column("SHA-256", lambda document: show_id(bytes(document.sha256).hex())),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClientDocument]:
        """Leave personal data encrypted."""
        documents: QuerySet[ClientDocument] = super().get_queryset(request)
        return documents.defer("client__document_number", "client__birth_date")

    def search_id(self, rows: QuerySet[ClientDocument], key: UUID) -> QuerySet[ClientDocument]:
        """Find by id or client."""
        return rows.filter(pk=key) | rows.filter(client_id=key)

    def search(self, rows: QuerySet[ClientDocument], term: str) -> QuerySet[ClientDocument]:
        """Find by the client's e-mail address or name."""
        if "@" in term:
            return rows.alias(address=Lower("client__email")).filter(address=term.lower())
        return rows.filter(client__name__icontains=term)

    def get_urls(self) -> list[URLPattern]:
        """Add the files."""
        view = self.admin_site.admin_view(self.file_view)
        return [path("<uuid:document_id>/file/", view, name="kyc_clientdocument_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, document_id: UUID) -> HttpResponse:
        """Send a document's file, after it was recorded who looks."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not (self.has_view_permission(request) and request.user.has_perm(OPEN)):
            raise PermissionDenied
        try:
            file = open_document(document_id=document_id, looked_by=cast("User", request.user), now=timezone.now())
        except DocumentNotFoundError as error:
            raise Http404 from error
        return _send(file, is_framed="framed" in request.GET)


def _send(file: DocumentFile, *, is_framed: bool) -> HttpResponse:
    """Return the file so that it can do nothing, and is not kept on the way.

    Pictures are shown; PDFs are saved, or shown in a frame of our own pages.
    """
    response = HttpResponse(file.content, content_type=file.media_type)
    how = "inline" if is_framed or file.media_type == DocumentMediaType.JPEG else "attachment"
    name = f"document-{file.document_id}.{_EXTENSIONS[DocumentMediaType(file.media_type)]}"
    response["Content-Disposition"] = f'{how}; filename="{name}"'
    response["Content-Security-Policy"] = _FRAMED_POLICY if is_framed else "default-src 'none'; sandbox"
    if is_framed:
        response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def make_documents(client: Client, *, may_open: bool, case: KycCase | None = None) -> Table:
    """Return the client's documents as a table, with their files for who may open them.

    With `case`, until when each is good can be recorded there.
    """
    expiries = map_expiries(client=client)
    rows = [
        (
            link_to(ClientDocument, document.pk, document.get_kind_display()),
            show_moment(document.created_at),
            _show_expiry(document, expiries.get(document.pk), case),
            *([_show_file(document)] if may_open else []),
        )
        for document in client.documents.order_by("-id")
    ]
    headings = (gettext("Proves"), gettext("Received"), gettext("Good until"), *([gettext("File")] if may_open else []))
    help_text = gettext("Each time that you show a file is kept on record.") if may_open else ""
    return Table(
        title=gettext("Documents"),
        headings=headings,
        rows=rows,
        help=help_text,
        empty=gettext("This client has sent no document."),
    )


def _show_expiry(document: ClientDocument, expires_on: date | None, case: KycCase | None) -> str:
    if case is None:
        return show_day(expires_on)
    button = link_to_act(case, "expiry", gettext("Record"), document=document.pk)
    return format_html("{} {}", show_day(expires_on), button) if expires_on else button


def _show_file(document: ClientDocument) -> str:
    """Return a file that is shown in its place once it is unfolded, and not asked for before."""
    address = reverse("admin:kyc_clientdocument_file", args=[document.pk])
    if document.media_type == DocumentMediaType.PDF:
        return format_html(
            '<details class="look"><summary>{}, {}</summary>'
            '<iframe src="{}?framed" title="{}" loading="lazy"></iframe>{}</details>',
            gettext("Show the PDF"),
            filesizeformat(document.size_bytes),
            address,
            document.get_kind_display(),
            link(address, gettext("Save the file")),
        )
    return format_html(
        '<details class="look"><summary>{}, {}</summary>'
        '<a href="{}"><img src="{}" alt="{}" loading="lazy"></a></details>',
        gettext("Show the picture"),
        filesizeformat(document.size_bytes),
        address,
        address,
        document.get_kind_display(),
    )


@table_on(Client, permission="kyc.view_clientdocument")
def _show_documents(request: HttpRequest, client: Client) -> Table:
    return make_documents(client, may_open=False)


@table_on(ClientDocument, permission=OPEN)
def _show_one_file(request: HttpRequest, document: ClientDocument) -> Table:
    return Table(title=gettext("File"), headings=(gettext("File"),), rows=[(_show_file(document),)], empty="")


@table_on(ClientDocument, permission="kyc.view_clientdocument")
def _show_looks(request: HttpRequest, document: ClientDocument) -> Table:
    looks = document.looks.select_related("looked_by").order_by("-id")[:100]
    rows = [(look.looked_by, show_moment(look.looked_at)) for look in looks]
    return Table(
        title=gettext("Looks"),
        headings=(gettext("By"), gettext("At")),
        rows=rows,
        empty=gettext("Nobody has opened the file."),
    )
