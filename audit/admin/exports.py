"""Files for auditors: the form that makes one, and the record of all that were made."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from audit.exports import Order, make_export
from audit.models import Export
from audit.states import ExtractKind
from core.admin.acts import ReasonForm
from core.admin.cells import NOTHING, column, link_to, show_count, show_day, show_id, show_moment
from core.admin.filters import DayFilter
from core.admin.pages import BankAdmin
from core.errors import BankError
from core.language import bank_language
from core.models import User
from kyc.models import Client

PERMISSION = "audit.export"


class ExportForm(ReasonForm):
    """What an auditor wants, and why."""

    kind = forms.ChoiceField(label=_("What"), choices=ExtractKind.choices, widget=UnfoldAdminSelectWidget)
    first_date = forms.DateField(label=_("From"), widget=UnfoldAdminSingleDateWidget)
    last_date = forms.DateField(
        label=_("To"), widget=UnfoldAdminSingleDateWidget, help_text=_("Both days included, as they are at the bank.")
    )
    client = forms.UUIDField(
        label=_("Client"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The id of one client, or empty."),
    )
    account = forms.UUIDField(
        label=_("Account"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The id of one account, or empty."),
    )
    field_order = ("kind", "first_date", "last_date", "client", "account", "reason")

    def read(self) -> Order:
        """Return what a valid form asks for."""
        given = self.cleaned_data
        return Order(
            kind=ExtractKind(given["kind"]),
            first_date=given["first_date"],
            last_date=given["last_date"],
            client_id=given["client"],
            account_id=given["account"],
        )


@admin.register(Export)
class ExportAdmin(BankAdmin):
    """What was exported."""

    help_text = _(
        "Every file that auditors took. The SHA-256 tells whether a file at hand is the one that the bank gave: "
        "compare it with that of `sha256sum`."
    )
    empty_text = _("Nothing was exported yet.")
    search_help_text = _("Id")
    ordering = ("-exported_at",)
    list_select_related = ("exported_by",)
    list_display = (
        column(_("Export"), lambda export: show_id(export.pk)),
        "kind",
        column(_("From"), lambda export: show_day(export.first_date)),
        column(_("To"), lambda export: show_day(export.last_date)),
        column(_("By"), lambda export: export.exported_by),
        column(_("At"), lambda export: show_moment(export.exported_at)),
        column(_("Rows"), lambda export: show_count(export.rows)),
    )
    list_filter = (("kind", ChoicesDropdownFilter), ("exported_at", DayFilter))
    fieldsets = (
        (
            _("Asked for"),
            {
                "fields": (
                    "kind",
                    column(_("From"), lambda export: show_day(export.first_date)),
                    column(_("To"), lambda export: show_day(export.last_date)),
                    column(_("Client"), lambda export: link_to(Client, export.client_id)),
                    column(_("Account"), lambda export: show_id(export.account_id)),
                    column(_("Reason"), lambda export: export.reason),
                )
            },
        ),
        (
            _("Given"),
            {
                "fields": (
                    column(_("To whom"), lambda export: export.exported_by or NOTHING),
                    column(_("At"), lambda export: show_moment(export.exported_at)),
                    column(_("Rows"), lambda export: show_count(export.rows)),
                    column(_("Bytes"), lambda export: show_count(export.size_bytes)),
                    column("SHA-256", lambda export: show_id(bytes(export.sha256).hex())),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the form."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.make_view))
        return [path("make/", view, name="audit_export_make"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Offer the form to those who may export."""
        if request.user.has_perm(PERMISSION):
            button = {
                "title": gettext("Make an export"),
                "icon": "download",
                "path": reverse("admin:audit_export_make"),
            }
            extra_context = {**(extra_context or {}), "actions_list": [button | {"attrs": {}}]}
        return super().changelist_view(request, extra_context)

    def make_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask what is wanted; with that, send the file."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        form = ExportForm(request.POST or None)
        if request.method != "POST":
            return self._show_form(request, form, status=200)
        if not form.is_valid():
            return self._show_form(request, form, status=400)
        return self._send(request, form)

    def _send(self, request: HttpRequest, form: ExportForm) -> HttpResponseBase:
        user, reason = cast("User", request.user), form.cleaned_data["reason"]
        try:
            with bank_language():
                export, file = make_export(order=form.read(), reason=reason, exported_by=user, now=timezone.now())
        except BankError as error:
            messages.error(
                request,
                " ".join(map(gettext, [error.text, *(text for texts in error.errors.values() for text in texts)])),
            )
            return self._show_form(request, form, status=error.http_status)
        name = f"{export.kind}-{export.first_date}-{export.last_date}-{export.pk}.csv"
        response = FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
        response["X-Content-Type-Options"] = "nosniff"
        response["X-Export-SHA256"] = bytes(export.sha256).hex()
        return response

    def _show_form(self, request: HttpRequest, form: ExportForm, *, status: int) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Make an export"),
            "help_text": gettext(
                "The file is made whole, put on record with its SHA-256, and then sent. A year at most."
            ),
            "form": form,
        }
        return TemplateResponse(request, "admin/bank/export.html", context, status=status)
