"""The base of all pages of the back office: lists and pages to be read, and acts in place of forms.

No row is added, changed or deleted here, whoever asks: the permissions say no even to a superuser, and Django then
answers a POST with 403. What staff may do is an Act.
"""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.admin.acts import Act, find_act, list_offered_acts, may_act
from core.admin.cells import find_page
from core.admin.search import PrivateSearch, parse_uuid
from core.admin.tables import Table, make_tables
from core.admin.witnesses import tell_witnesses
from core.errors import BankError
from core.history.origin import give_reason
from core.language import Words
from core.models import User
from core.staff_sessions import is_fresh, send_to_confirm


class ActPages(PrivateSearch):
    """Pages with tables, and with buttons of acts, each of which is confirmed on a page of its own."""

    help_text: Words = ""
    """What the page is for, for a new colleague."""
    change_form_template = "admin/bank/page.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Model | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Show a page with its tables and the buttons of its acts."""
        if obj is not None:
            tell_witnesses(request, self.model, [obj], by_search=False)
            acts = list_offered_acts(request, obj)
            context |= {
                "help_text": self.help_text,
                "tables": make_tables(request, obj),
                "acts": [self._make_button(act, obj) for act in acts],
            }
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response

    def _make_button(self, act: Act, subject: Model) -> dict[str, Any]:
        return {
            "title": act.title,
            "icon": act.icon,
            "variant": act.variant,
            "path": reverse(f"admin:{self._act_url_name}", args=[subject.pk, act.name]),
            "attrs": {},
        }

    @property
    def _act_url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_act"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which acts are confirmed."""
        view = self.admin_site.admin_view(self.act_view)
        return [path("<path:object_id>/act/<slug:name>/", view, name=self._act_url_name), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        """Ask for the reason of an act; with it, by POST only, perform the act."""
        act = find_act(self.model, name)
        if act is None:
            raise Http404
        if not (self.has_view_permission(request) and request.user.has_perm(act.permission)):
            raise PermissionDenied
        subject = self.get_object(request, unquote(object_id))
        if subject is None:
            raise Http404
        if not may_act(request, act, subject):
            raise PermissionDenied
        if act.needs_proof and not is_fresh(request=request, now=timezone.now()):
            return send_to_confirm(request=request)
        if request.method != "POST":
            return self._ask(request, act, subject, act.make_form(subject, initial=request.GET.dict()), status=200)
        return self._perform(request, act, subject, act.make_form(subject, data=request.POST))

    def _perform(self, request: HttpRequest, act: Act, subject: Model, form: Form) -> HttpResponse:
        if not form.is_valid():
            return self._ask(request, act, subject, form, status=400)
        seen, answers = request.POST.get("seen", ""), form.cleaned_data
        actor = cast("User", request.user)
        give_reason(reason=answers.get("reason", ""))
        try:
            done = act.carry_out(subject=subject, seen=seen, answers=answers, actor=actor, now=timezone.now())
        except BankError as error:
            messages.error(request, act.explain(error))
            return self._ask(request, act, subject, form, status=error.http_status)
        if isinstance(done, Table):
            return self._disclose(request, act, subject, done)
        messages.success(request, done)
        return HttpResponseRedirect(find_page(self.model, subject.pk))

    def _disclose(self, request: HttpRequest, act: Act, subject: Model, disclosed: Table) -> TemplateResponse:
        """Show what an act is to tell its actor alone: once, kept by no message, session, address or browser."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.title}: {subject}",
            "help_text": gettext("This is shown once. It is on record that you saw it, and why."),
            "tables": [disclosed],
        }
        return TemplateResponse(request, "admin/bank/tables.html", context)

    def _ask(self, request: HttpRequest, act: Act, subject: Model, form: Form, *, status: int) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.title}: {subject}",
            "act": act,
            "seen": act.get_fingerprint(subject),  # before what it stands for is read: a change in between is noticed
            "form": form,
            "tables": act.list_findings(subject),
            "subject_page": find_page(self.model, subject.pk),
        }
        return TemplateResponse(request, "admin/bank/act.html", context, status=status)


class BankAdmin(ActPages):
    """A list and a page of a model. The list never counts its rows, so it opens as quickly with a million."""

    empty_text: Words = _("Nothing matches.")
    """What to do when the list is empty."""

    actions = None
    compressed_fields = True
    list_before_template = "admin/bank/help.html"
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    paginator = InfinitePaginator
    search_fields = ("pk",)  # shows the search box; `search` says what it finds
    show_facets = admin.ShowFacets.NEVER  # they would count
    show_full_result_count = False
    sortable_by = ()
    view_on_site = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows with those of other tables that they name, as the list asks for them, on their pages, too."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.list_select_related) if self.list_select_related else rows

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Return all fields of the page."""
        return list(flatten_fieldsets(self.get_fieldsets(request, obj)))

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return those of `rows` that `term`, which is no id, may mean."""
        return rows.none()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by id, or as the subclass does."""
        term = search_term.strip()
        if not term:
            return queryset, False
        key = parse_uuid(term)
        return (self.search_id(queryset, key) if key else self.search(queryset, term)), False

    def search_id(self, rows: QuerySet[Any], key: UUID) -> QuerySet[Any]:
        """Return those of `rows` that an id may mean."""
        return rows.filter(pk=key)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Let the address of a list narrow it by its filters only, so that nobody probes what the list hides."""
        name = lookup.split("__")[0]
        try:
            self.opts.get_field(name)  # by its name, its column's name (client_id), or a relation that comes back
        except FieldDoesNotExist:
            return name != "pk"  # a filter's own parameter, such as created_at_from; else Django finds nothing by it
        return name in {each[0] for each in self.list_filter if isinstance(each, tuple)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, and tell who saw what a search found."""
        response = super().changelist_view(request, extra_context)
        shown = (getattr(response, "context_data", None) or {}).get("cl")
        if shown and shown.query:
            tell_witnesses(request, self.model, list(shown.result_list), by_search=True)
        return response
