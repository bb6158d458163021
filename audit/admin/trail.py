"""The pages of who saw or changed what: of a client, an account or a user, and of what somebody did."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import Account
from audit.selectors import Item, Scope, ScopeKind, Wanted, list_trail
from audit.states import ExtractKind, LookKind
from core.admin.cells import NOTHING, find_page, link, link_to, show_id, show_moment
from core.admin.tables import Link, Table, table_on
from core.history.tracking import MADE
from core.language import Words
from core.models import User
from kyc.models import Client

PERMISSION = "audit.view"
_ROWS = 50
_SHOWN = 5
_WHAT = (
    ("", _("All")),
    ("change", _("Changes")),
    ("look", _("Looks")),
    ("reveal", _("Reveals")),
    ("export", _("Exports")),
)
_HEADINGS = (_("When"), _("Who"), _("From where"), _("What"), _("Of what"), _("Why"))
_HELP = _(
    "Newest first. Changes were written by the database in the commit that made them, whoever made them. Values of "
    "personal data are masked or left out; that they changed is told."
)
_HIDDEN = _("not kept")


class FilterForm(forms.Form):
    """Which items are wanted, from the page's address."""

    what = forms.ChoiceField(choices=_WHAT, required=False)
    actor = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    at = forms.CharField(required=False, max_length=40)
    source = forms.CharField(required=False, max_length=64)
    id = forms.CharField(required=False, max_length=40)

    def read(self) -> Wanted:
        """Return what is wanted; what cannot be read narrows nothing."""
        self.is_valid()
        given = self.cleaned_data
        return Wanted(
            actor_id=given.get("actor"),
            what=given.get("what", ""),
            before=_read_place(given.get("at", ""), given.get("source", ""), given.get("id", "")),
        )


def _read_place(at: str, source: str, key: str) -> tuple[datetime, str, str] | None:
    try:
        moment = parse_datetime(at)
    except ValueError:
        return None
    return (moment, source, key) if moment and moment.tzinfo else None


@require_safe
def show_trail(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Show the list about a subject, for those who may audit and may see the subject's page."""
    subject, scope = _find_subject(kind, key)
    opts = subject._meta
    if not (request.user.has_perm(PERMISSION) and request.user.has_perm(f"{opts.app_label}.view_{opts.model_name}")):
        raise PermissionDenied
    wanted = FilterForm(request.GET).read()
    items = list_trail(scope=scope, wanted=wanted, limit=_ROWS + 1)
    context = {
        **admin.site.each_context(request),
        "title": f"{_TITLES[scope.kind]}: {subject}",
        "help_text": _HELP,
        "filters": _list_filters(request, wanted),
        "tables": [_make_table(items[:_ROWS], address=request.path, more=_link_to_older(request, items))],
        "subject_page": find_page(type(subject), subject.pk),
    }
    return TemplateResponse(request, "admin/bank/trail.html", context)


_TITLES = {
    ScopeKind.CLIENT: _("Who saw or changed this client"),
    ScopeKind.ACCOUNT: _("Who saw or changed this account"),
    ScopeKind.USER: _("Who changed this user"),
    ScopeKind.ACTOR: _("What this person did"),
}


def _find_subject(kind: str, key: str) -> tuple[Model, Scope]:
    """Return the row that an address names. Raises Http404."""
    models: dict[str, type[Model]] = {"client": Client, "account": Account, "user": User, "actor": User}
    try:
        pk = int(key) if models[kind] is User else UUID(key)
        subject = models[kind]._default_manager.get(pk=pk)
    except (KeyError, ValueError, OverflowError, models.get(kind, Client).DoesNotExist) as error:  # type: ignore[attr-defined]
        raise Http404 from error
    return subject, Scope(ScopeKind(kind), subject.pk, subject.user_id if isinstance(subject, Client) else None)


def _link_to_older(request: HttpRequest, items: Sequence[Item]) -> list[Link]:
    if len(items) <= _ROWS:
        return []
    last = items[_ROWS - 1]
    place = {"at": last.at.isoformat(), "source": last.source, "id": last.id}
    return [Link(_narrow(request, **place), gettext("Older"))]


def _narrow(request: HttpRequest, **changes: object) -> str:
    """Return the page's address with other filters; those that are empty are left out."""
    kept = {name: request.GET[name] for name in ("what", "actor") if name in request.GET}
    query = {name: value for name, value in {**kept, **changes}.items() if value}
    return f"{request.path}?{urlencode(query)}"


def _list_filters(request: HttpRequest, wanted: Wanted) -> list[tuple[str, Words, bool]]:
    """Return the address, the words and whether it is chosen, of each filter."""
    kinds: list[tuple[str, Words, bool]] = [
        (_narrow(request, what=value), text, value == wanted.what) for value, text in _WHAT
    ]
    if wanted.actor_id is None:
        return kinds
    name = _name_users([wanted.actor_id]).get(wanted.actor_id, str(wanted.actor_id))
    return [*kinds, (_narrow(request, actor=""), gettext("Only %(name)s - show all") % {"name": name}, True)]


def _make_table(items: Sequence[Item], *, address: str, more: Sequence[Link], title: Words = "") -> Table:
    """Return items as a table; `address` is of the list that they are of, which each person narrows."""
    users = _name_users([item.user_id for item in items if item.user_id is not None])
    return Table(
        title=title or gettext("Trail"),
        headings=_HEADINGS,
        rows=[_make_row(item, users, address) for item in items],
        empty=gettext("Nothing is on record."),
        more=more,
    )


def _name_users(ids: Sequence[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=set(ids)).values_list("pk", "username"))


def _make_row(item: Item, users: Mapping[int, str], address: str) -> tuple[object, ...]:
    origin = item.origin or {}
    return (
        show_moment(item.at),
        _show_actor(item, users, address),
        _show_origin(item.origin),
        _show_what(item),
        _show_subject(item),
        origin.get("reason") or NOTHING,
    )


def _show_actor(item: Item, users: Mapping[int, str], address: str) -> str:
    if item.user_id is None:
        return gettext("the bank") if item.origin else gettext("nobody known: SQL by hand")
    return link(
        f"{address}?{urlencode({'actor': item.user_id})}",
        users.get(item.user_id, gettext("user %(id)s") % {"id": item.user_id}),
    )


def _show_origin(origin: Mapping[str, Any] | None) -> str:
    if not origin:
        return gettext("database")
    return format_html(
        "{} {} {}",
        origin.get("edge", ""),
        origin.get("work", ""),
        show_id(origin["request"]) if origin.get("request") else "",
    )


def _show_what(item: Item) -> str:
    if item.what in ("look", "reveal"):
        return str(dict(LookKind.choices).get(item.label, gettext("Opened the file")))
    if item.what == "export":
        return gettext("Exported: %(what)s") % {"what": dict(ExtractKind.choices).get(item.label, item.label)}
    if item.label == MADE or item.changed is None:
        return gettext(item.label.capitalize())
    before, after = item.before or {}, item.after
    lines = ((_name_field(item.source, name), _show_change(name, before, after)) for name in item.changed)
    return format_html_join("", "<div>{}: {}</div>", lines)


def _name_field(source: str, column: str) -> str:
    try:
        field = apps.get_model(source)._meta.get_field(column.removesuffix("_id"))
    except FieldDoesNotExist:
        return column
    return str(getattr(field, "verbose_name", column)).capitalize()


def _show_change(column: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return a value before and after, as far as the history has them."""
    if column not in after:
        return gettext("changed, not kept")
    return format_html("{} → {}", _show_value(before, column), _show_value(after, column))


def _show_value(row: Mapping[str, Any], column: str) -> object:
    if column not in row:
        return "?"
    value = row[column]
    moment = _find_moment(value)
    return show_moment(moment) if moment else NOTHING if value in (None, "") else value


def _find_moment(value: object) -> datetime | None:
    """Return the moment that a value writes as JSON does, with its zone, if it writes one."""
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _show_subject(item: Item) -> str:
    """Return a link to what was changed or seen, if it has a page."""
    if item.what == "change":
        label, key = item.source, item.after.get("pgh_obj_id")
    else:
        label, key = item.after["page"], item.after["subject"]
    model = apps.get_model(label)
    name = str(model._meta.verbose_name)
    if key is None or not admin.site.is_registered(model):
        return format_html("{} {}", name, show_id(key))
    return format_html("{} {}", name, link_to(model, key))


@table_on(Client, permission=PERMISSION, is_last=True)
def _show_trail_of_client(request: HttpRequest, client: Client) -> Table:
    return _show_latest(Scope(ScopeKind.CLIENT, client.pk, client.user_id))


@table_on(Account, permission=PERMISSION, is_last=True)
def _show_trail_of_account(request: HttpRequest, account: Account) -> Table:
    return _show_latest(Scope(ScopeKind.ACCOUNT, account.pk))


@table_on(User, permission=PERMISSION, is_last=True)
def _show_trail_of_user(request: HttpRequest, user: User) -> Table:
    return _show_latest(Scope(ScopeKind.USER, user.pk))


@table_on(User, permission=PERMISSION, is_last=True)
def _show_what_user_did(request: HttpRequest, user: User) -> Table:
    return _show_latest(Scope(ScopeKind.ACTOR, user.pk))


def _show_latest(scope: Scope) -> Table:
    items = list_trail(scope=scope, wanted=Wanted(), limit=_SHOWN)
    address = reverse("audit_trail", args=[scope.kind.value, scope.key])
    return _make_table(items, title=_TITLES[scope.kind], address=address, more=[Link(address, gettext("All of it"))])


admin_urlpatterns = [
    path("audit/trail/<slug:kind>/<str:key>/", admin.site.admin_view(show_trail), name="audit_trail"),
]
