"""The people who sign in. Staff are managed here; customers' users are shown, and changed by a superuser only.

Whoever may change users must not become a superuser by it: who is one, and what rights a person has, is for superusers.
"""

from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.paginator import InfinitePaginator

from core.admin.acts import Act, act_on
from core.admin.cells import NOTHING, column, show_moment
from core.admin.pages import ActPages
from core.factors import end_sign_ins, has_factor, reset_factors
from core.models import User
from core.roles import list_roles

_RIGHTS = ("is_superuser", "is_staff")

_LAST_SIGN_IN: Any = column(_("Last sign-in"), lambda user: show_moment(user.last_login))
_ROLES: Any = column(_("Roles"), lambda user: "\n".join(map(str, list_roles(user=user))) or NOTHING)
_MADE: Any = column(_("Made"), lambda user: show_moment(user.date_joined))


admin.site.unregister(Group)  # roles have a page of their own, core/admin/roles.py
admin.site.unregister([Authenticator, EmailAddress])  # allauth's forms would let second factors be edited


class UserForm(UserChangeForm):  # type: ignore[misc]  # unfold ships no types
    """A user, in the words of this back office."""

    class Meta(UserChangeForm.Meta):  # type: ignore[misc]
        """What the fields are called, and what comes of them."""

        labels = {
            "email": _("E-mail"),
            "is_active": _("May sign in"),
            "is_superuser": _("Superuser"),
            "is_staff": _("Staff"),
        }
        help_texts = {
            "username": _("The name to sign in with: letters, digits and @ . + - _"),
            "is_active": _(
                "Switch this off when a person leaves. From that moment on the person cannot sign in, and "
                "what was signed in stops, here and in the API. All that the person did stays on record. Switched on "
                "again, it lets the person back with the same password and roles."
            ),
            "is_superuser": _(
                "May do all that the back office offers, without a role. It is for emergencies and for "
                "whoever sets the bank up; daily work needs a role."
            ),
            "is_staff": _("May enter the back office. What is seen there depends on the roles."),
        }


@admin.register(User)
class UserAdmin(ActPages, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # unfold ships no types
    """Staff, and the users as which customers and partner systems sign in."""

    help_text = _(
        "Everybody who signs in: staff here, customers and partner systems in the API. New users made here are staff. "
        "A person who leaves is not deleted but set inactive, so that the record of what they did stays."
    )
    empty_text = _("No user matches.")

    form = UserForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    compressed_fields = True
    list_before_template = "admin/bank/help.html"
    list_filter_submit = True
    list_fullwidth = True
    actions = None
    paginator = InfinitePaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    ordering = ("-pk",)
    list_display = (
        "username",
        column(_("E-mail"), lambda user: user.email or NOTHING),
        "is_staff",
        "is_active",
        _LAST_SIGN_IN,
    )
    list_filter = (("is_staff", BooleanRadioFilter), ("is_active", BooleanRadioFilter))
    search_fields = ("username", "email")
    search_help_text = _("Name or e-mail")
    filter_horizontal = ()
    readonly_fields = (_ROLES, _LAST_SIGN_IN, _MADE)
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", *_RIGHTS, _ROLES)}),
        (_("Record"), {"fields": (_LAST_SIGN_IN, _MADE)}),
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
        """Let only a superuser say who is one, and who is staff; roles need two people (approvals/rights)."""
        own = tuple(self.readonly_fields)
        return own if _is_superuser(request) else (*own, *_RIGHTS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Make new users staff; end for good what is signed in of somebody who is set inactive."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data and not obj.is_active:
            end_sign_ins(user=obj)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


@act_on(User)
class ResetFactors(Act):
    """Lets in somebody who has lost telephone, passkeys and recovery codes."""

    name = "reset-factors"
    title = _("Reset second factors")
    explanation = _(
        "For somebody who has lost telephone, passkeys and recovery codes. Make sure who it is: call back, or meet. "
        "What the person is signed in to ends, and at the next sign-in the person sets up a second factor anew. It is "
        "recorded who reset it and why. Nobody resets their own."
    )
    permission = "core.change_user"
    icon = "lock_reset"
    variant = ActionVariant.DANGER
    needs_proof = True

    def is_offered(self, subject: User) -> bool:
        """Offer it where there is something to reset."""
        return has_factor(user=subject)

    def is_for(self, *, user: User, subject: User) -> bool:
        """Keep it from one's own factors, and those of superusers from administrators."""
        return user.pk != subject.pk and subject.is_staff and (user.is_superuser or not subject.is_superuser)

    def perform(self, *, subject: User, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Reset them."""
        reset_factors(user=subject, actor=actor)
        return gettext("%(user)s sets up a second factor at the next sign-in.") % {"user": subject}
