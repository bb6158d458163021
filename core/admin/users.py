"""The people who sign in. Staff are managed here; customers' users are shown, and changed by a superuser only.

Whoever may change users must not become a superuser by it: who is one, and what rights a person has, is for superusers.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from core.admin.cells import column, show_moment
from core.admin.pages import BankAdmin
from core.admin.search import PrivateSearch
from core.admin.tables import make_tables
from core.models import User

_RIGHTS = ("is_superuser", "is_staff", "groups")

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(PrivateSearch, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # unfold ships no types
    """Staff, and the users as which customers and partner systems sign in."""

    help_text = (
        "Everybody who signs in: staff here, customers and partner systems in the API. New users made here are staff. "
        "A person who leaves is not deleted but set inactive, so that the record of what they did stays."
    )
    empty_text = "No user matches."

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    change_form_template = "admin/bank/page.html"
    compressed_fields = True
    list_before_template = "admin/bank/help.html"
    list_filter_submit = True
    list_fullwidth = True
    actions = None
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    list_display = (
        "username",
        "email",
        "is_staff",
        "is_active",
        column("Last sign-in", lambda user: show_moment(user.last_login)),
    )
    list_filter = (("is_staff", BooleanRadioFilter), ("is_active", BooleanRadioFilter))
    search_fields = ("username", "email")
    search_help_text = "Name or e-mail"
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", *_RIGHTS)}),
        ("Record", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave superusers and users who are no staff to superusers. The password's page asks this, too."""
        may_change = super().has_change_permission(request, obj)
        if isinstance(obj, User) and not _is_superuser(request):
            return may_change and obj.is_staff and not obj.is_superuser
        return may_change

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: what a person did stays on record."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[Any, ...]:
        """Let only a superuser give rights."""
        own = tuple(self.readonly_fields)
        return own if _is_superuser(request) else (*own, *_RIGHTS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Make new users staff."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the tables of a user."""
        user = kwargs.get("obj")
        context |= {"help_text": self.help_text, "tables": make_tables(request, user) if user else []}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _list_permissions(group: Group) -> str:
    return "\n".join(group.permissions.order_by("content_type", "codename").values_list("name", flat=True))


@admin.register(Group)
class RoleAdmin(BankAdmin):
    """A role of staff: which permissions it has is decided in the code, so that a review sees it."""

    help_text = "The roles of staff and partner systems. The program defines them; each deployment renews them."
    search_help_text = "Name"
    ordering = ("name",)
    list_display = ("name",)
    fieldsets = ((None, {"fields": ("name", column("May", _list_permissions))}),)

    def search(self, rows: QuerySet[Group], term: str) -> QuerySet[Group]:
        """Find by name."""
        return rows.filter(name__icontains=term)
