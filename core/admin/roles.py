"""Roles: which permissions each has, and which exclude each other, as the database has it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.cells import column, link_to
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from core.models import RoleEntry, User
from core.roles import list_forbidden_pairs, list_offenders

_VIEW = "view_"


@admin.register(RoleEntry)
class RoleAdmin(BankAdmin):
    """A role of staff or of a partner system."""

    help_text = _(
        "Who may do what. A person may have several roles, unless they exclude each other: so nobody alone can carry "
        "through what needs two people. The program defines the roles and each release renews them; here they are "
        "read, as the database enforces them."
    )
    empty_text = _("No role has this name. Show all: there are few, and only a release brings others.")
    search_help_text = _("Name")
    list_after_template = "admin/bank/contributed_tables.html"
    list_display = (
        column(_("Role"), str),
        column(_("Purpose"), lambda role: gettext(role.purpose)),
        column(_("People"), lambda role: role.people),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    column(_("Role"), str),
                    column(_("Purpose"), lambda role: gettext(role.purpose)),
                    column(_("Name"), lambda role: role.group.name),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoleEntry]:
        """Return the roles, each with how many active users have it."""
        people = Count("group__user", filter=Q(group__user__is_active=True))
        rows: QuerySet[RoleEntry] = super().get_queryset(request)
        return rows.annotate(people=people).select_related("group")

    def search(self, rows: QuerySet[RoleEntry], term: str) -> QuerySet[RoleEntry]:
        """Find by name."""
        return rows.filter(title__icontains=term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, what each role may do, and which exclude each other."""
        tables = [*_make_matrices(), _make_pairs(), _make_offenders()] if self.has_view_permission(request) else []
        return super().changelist_view(request, {**(extra_context or {}), "tables": tables})


def _make_matrices() -> Iterable[Table]:
    roles, holders = list(RoleEntry.objects.all()), _list_holders()
    does = {name: held for (name, codename), held in holders.items() if not codename.startswith(_VIEW)}
    sees = {name: held for (name, codename), held in holders.items() if codename.startswith(_VIEW)}
    yield _make_matrix(
        gettext("What each role may do"), gettext("A role that is not ticked anywhere only looks."), roles, does
    )
    yield _make_matrix(
        gettext("What each role may look at"), gettext("Pages without a tick are not even in its menu."), roles, sees
    )


def _list_holders() -> Mapping[tuple[str, str], set[int]]:
    """Return the ids of the roles that have each permission, by its sentence and its code name."""
    rows = (
        Permission.objects.filter(group__role__isnull=False)
        .order_by("content_type__app_label", "content_type__model", "codename")
        .values_list("name", "codename", "group")
    )
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    for name, codename, group_id in rows:
        holders[name_permission(name), codename].add(group_id)
    return holders


def name_permission(name: str) -> str:
    """Return a permission as people read it: "Can view client" is "View client"."""
    words = name.removeprefix("Can ")
    return words[:1].upper() + words[1:]


def _show_grant(*, is_granted: bool) -> str:
    return format_html('<span class="granted">{}</span>', gettext("yes")) if is_granted else ""


def _make_matrix(title: str, note: str, roles: list[RoleEntry], holders: Mapping[str, set[int]]) -> Table:
    rows = [
        [gettext(name), *(_show_grant(is_granted=role.pk in held) for role in roles)] for name, held in holders.items()
    ]
    return Table(title, [gettext("May"), *map(str, roles)], rows, gettext("No role has any."), help=note)


def _make_pairs() -> Table:
    rows = [[pair.one, pair.other, pair] for pair in list_forbidden_pairs()]
    return Table(
        gettext("Roles that exclude each other"),
        [gettext("Role"), gettext("Role"), gettext("Why")],
        rows,
        gettext("None do."),
    )


def _make_offenders() -> Table:
    """Return who has two roles that exclude each other: they were given before the pair was forbidden."""
    rows = [
        [link_to(User, user.pk, user.username), ", ".join(str(group.role) for group in user.groups.all())]
        for user in list_offenders().prefetch_related("groups__role")
    ]
    help_text = gettext("Given before the pair was forbidden. Take one of the roles away.")
    return Table(
        gettext("Who has two of these"),
        [gettext("User"), gettext("Roles")],
        rows,
        gettext("Nobody, as it should be."),
        help=help_text,
    )


@table_on(RoleEntry, permission="core.view_roleentry")
def _list_permissions_of_role(request: HttpRequest, role: RoleEntry) -> Table:
    permissions = role.group.permissions.order_by("content_type__app_label", "content_type__model", "codename")
    rows = [
        [gettext(name_permission(name)), codename] for name, codename in permissions.values_list("name", "codename")
    ]
    return Table(gettext("What it may"), [gettext("May"), gettext("Permission")], rows, gettext("Nothing."))


@table_on(RoleEntry, permission="core.view_roleentry")
def _list_excluded(request: HttpRequest, role: RoleEntry) -> Table:
    pairs = list_forbidden_pairs().filter(Q(one=role) | Q(other=role))
    rows = [[pair.other if pair.one_id == role.pk else pair.one, pair] for pair in pairs]
    return Table(gettext("Which roles it excludes"), [gettext("Role"), gettext("Why")], rows, gettext("None."))


@table_on(RoleEntry, permission="core.view_user")
def _list_people(request: HttpRequest, role: RoleEntry) -> Table:
    users = role.group.user_set.filter(is_active=True).order_by(F("last_login").desc(nulls_last=True))[:100]
    rows = [[link_to(User, user.pk, user.username), user.get_full_name()] for user in users]
    return Table(
        gettext("Who has it"),
        [gettext("User"), gettext("Name")],
        rows,
        gettext("Nobody."),
        help=gettext("At most a hundred, who signed in last first."),
    )
