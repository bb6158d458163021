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
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin.cells import NOTHING, column, show_moment
from core.admin.pages import BankAdmin
from core.admin.search import PrivateSearch
from core.admin.tables import make_tables
from core.models import User

_RIGHTS = ("is_superuser", "is_staff", "groups")

_LAST_SIGN_IN: Any = column("Last sign-in", lambda user: show_moment(user.last_login))
_MADE: Any = column("Made", lambda user: show_moment(user.date_joined))
_ROLES_HELP = (
    "What the person may do, and nothing else. A maker blocks and inactivates accounts and clients, handles dead "
    "letters and sends e-mail again. A checker decides KYC cases. An auditor sees all and changes nothing. A partner "
    "is a system that may have clients inactivated through the API. Nobody should be maker and checker at once."
)

admin.site.unregister(Group)


class UserForm(UserChangeForm):  # type: ignore[misc]  # unfold ships no types
    """A user, in the words of this back office."""

    class Meta(UserChangeForm.Meta):  # type: ignore[misc]
        """What the fields are called, and what comes of them."""

        labels = {
            "email": "E-mail",
            "is_active": "May sign in",
            "is_superuser": "Superuser",
            "is_staff": "Staff",
            "groups": "Roles",
        }
        help_texts = {
            "username": "The name to sign in with: letters, digits and @ . + - _",
            "is_active": "Switch this off when a person leaves. From that moment on the person cannot sign in, and "
            "what was signed in stops, here and in the API. All that the person did stays on record. Switched on "
            "again, it lets the person back with the same password and roles.",
            "is_superuser": "May do all that the back office offers, without a role. For the few who set it up.",
            "is_staff": "May enter the back office. What is seen there depends on the roles.",
            "groups": _ROLES_HELP,
        }


@admin.register(User)
class UserAdmin(PrivateSearch, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # unfold ships no types
    """Staff, and the users as which customers and partner systems sign in."""

    help_text = (
        "Everybody who signs in: staff here, customers and partner systems in the API. New users made here are staff. "
        "A person who leaves is not deleted but set inactive, so that the record of what they did stays."
    )
    empty_text = "No user matches."

    form = UserForm
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
        column("E-mail", lambda user: user.email or NOTHING),
        "is_staff",
        "is_active",
        _LAST_SIGN_IN,
    )
    list_filter = (("is_staff", BooleanRadioFilter), ("is_active", BooleanRadioFilter))
    search_fields = ("username", "email")
    search_help_text = "Name or e-mail"
    filter_horizontal = ()
    readonly_fields = (_LAST_SIGN_IN, _MADE)
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", *_RIGHTS)}),
        ("Record", {"fields": (_LAST_SIGN_IN, _MADE)}),
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

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Show the roles as a list to be ticked."""
        return super().formfield_for_manytomany(
            db_field, request, **kwargs, widget=UnfoldAdminCheckboxSelectMultipleWidget()
        )

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
