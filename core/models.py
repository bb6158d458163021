"""Users, roles and refresh tokens, who is who at an OpenID provider, and the keys under which requests took effect."""

import pgtrigger
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractUser, Group
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Length
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.history.tracking import keep_history
from core.ids import uuid7
from core.triggers import check_sql, never_changed, refuse

models.BinaryField.register_lookup(Length, "length")


@keep_history(masked=("username", "first_name", "last_name", "email"), unkept=("password",), ignored=("last_login",))
class User(AbstractUser):
    """Who signs in: a customer (through the API), a member of staff (in the admin) or a partner system.

    `is_active` is read at each request, so switching it off stops sessions and tokens at once. Adding to
    `sign_in_epoch` ends all that was signed in before for good, as a new password does.
    """

    sign_in_epoch = models.IntegerField(default=0, db_default=0, editable=False)

    class Meta(AbstractUser.Meta):
        """One spelling of a name: upper and lower case are the same person."""

        constraints = [
            models.UniqueConstraint(models.functions.Lower("username"), name="core_user_username_unique_ci"),
        ]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what sessions and tokens were signed in under: the password, and the epoch once there is one."""
        own: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]  # Django's, also of its fallbacks
        if not self.sign_in_epoch:
            return own
        return salted_hmac("core.models.User", f"{self.sign_in_epoch}:{own}", algorithm="sha256").hexdigest()


@keep_history(found_by=("user",))
class UserRole(User.groups.through):  # type: ignore[misc, name-defined]  # made by Django
    """That a user has a role.

    Who gives a role holds the user's row, so that two who give one each know of each other.
    """

    class Meta:
        """The table is Django's. Nobody has both roles of a forbidden pair."""

        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="duties_apart",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    PERFORM FROM core_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
                    IF EXISTS (
                        SELECT FROM core_forbiddenpair pair
                        JOIN core_user_groups one ON one.group_id = pair.one_id
                        JOIN core_user_groups other ON other.group_id = pair.other_id AND other.user_id = one.user_id
                        WHERE one.user_id = NEW.user_id AND NEW.group_id IN (pair.one_id, pair.other_id)
                    ) THEN
                        {refuse(constraint="core_user_duties_apart", message="these two roles exclude each other")}
                    END IF;
                    RETURN NULL;
                """,
            )
        ]


@keep_history(found_by=("user",))
class UserPermission(User.user_permissions.through):  # type: ignore[misc, name-defined]  # made by Django
    """That a user has a permission of its own. Nobody has: rights come of roles alone."""

    class Meta:
        """The table is Django's. It takes no row."""

        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="roles_alone",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=refuse(constraint="core_user_roles_alone", message="permissions are given by roles alone"),
            )
        ]


@keep_history(app_label="core")
class Role(Group):
    """What a member of staff may do, as a set of permissions."""

    class Meta:
        """The table is Django's."""

        proxy = True


@keep_history(app_label="core")
class RolePermission(Group.permissions.through):  # type: ignore[misc, name-defined]  # made by Django
    """That a role has a permission."""

    class Meta:
        """The table is Django's."""

        proxy = True


@keep_history(app_label="core", ignored=("data", "last_used_at"), found_by=("user",))
class Factor(Authenticator):  # type: ignore[misc]  # allauth ships no types
    """A second factor of a member of staff. That it was used is no change of it."""

    class Meta:
        """The table is allauth's."""

        proxy = True


class RoleEntry(models.Model):
    """A role as the table in bank/roles.py has it: what its group of permissions is for. Written with each
    release, and by nobody else.
    """

    group = models.OneToOneField(Group, primary_key=True, on_delete=models.PROTECT, related_name="role")
    position = models.IntegerField()
    title = models.CharField(max_length=64)
    purpose = models.CharField(max_length=255, help_text="One sentence, which begins with the role's name.")

    class Meta:
        """In the order of the table."""

        verbose_name = _("role")
        ordering = ("position",)

    def __str__(self) -> str:
        """Return its name for people."""
        return gettext(self.title)


class ForbiddenPair(models.Model):
    """Two roles that nobody may have at once; written with each release from bank/roles.py, and by nobody else."""

    one = models.ForeignKey(RoleEntry, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(RoleEntry, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=255)

    class Meta:
        """Each pair once."""

        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="core_forbiddenpair_once"),
            check_sql("core_forbiddenpair_two", "one_id <> other_id"),
        ]

    def __str__(self) -> str:
        """Return the reason."""
        return gettext(self.reason)


class RefreshToken(models.Model):
    """A refresh token that was issued. It works once, and no longer than the password that it was issued under."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    family = models.UUIDField(db_index=True, help_text="The sign-in that all tokens of a family descend from.")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    scope = models.TextField(blank=True)
    password_tag = models.CharField(
        max_length=64, db_default="", help_text="Keyed hash of the stored password that this token was issued under."
    )
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


@keep_history(found_by=("user",))
class OpenIdLink(models.Model):
    """Which user a subject of an OpenID provider is here: made at the first call with its token, never changed.

    It is deleted to let the user be linked anew, for instance when the provider has lost the subject.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, help_text="The provider's name of the person; it means nothing to us.")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="openid_links")
    linked_at = models.DateTimeField()

    class Meta:
        """One user a subject, and one subject a user: nobody else gets in by taking over the e-mail address."""

        triggers = [
            never_changed(table="core_openidlink", fields=["id", "issuer", "subject", "user_id", "linked_at"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="core_openidlink_subject_unique"),
            models.UniqueConstraint(fields=["issuer", "user"], name="core_openidlink_user_unique"),
        ]

    def __str__(self) -> str:
        """Return the provider's name of the person."""
        return f"{self.subject} of {self.issuer}"


class IdempotencyKey(models.Model):
    """A key under which a caller's request took effect: inserted in the transaction of the effect, never changed.

    The first answer is not stored: it is derived from the resource, whose facts never change either.
    """

    pk = models.CompositePrimaryKey("principal_id", "key")
    principal_id = models.BigIntegerField(help_text="The caller: a user's id.")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32, help_text="SHA-256 of the request.")
    resource_id = models.UUIDField(help_text="What the request made, for instance a transfer.")
    created_at = models.DateTimeField()

    class Meta:
        """The hash has a fixed length."""

        triggers = [
            never_changed(
                table="core_idempotencykey", fields=["principal_id", "key", "request_hash", "resource_id", "created_at"]
            )
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(request_hash__length=32), name="core_idempotencykey_hash_length"),
        ]
        indexes = [BrinIndex(fields=["created_at"], name="core_idempotencykey_age", autosummarize=True)]
