"""Notifications in the API: a client's own list, and what it wants to be told by e-mail."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import FlagField, SwitchField, TextField
from core.api.operations import operation
from core.api.pagination import PageAnswer, PageQuery, get_page_request, render_page
from core.api.serializers import Body, read_body, read_query
from core.api.views import get_now
from core.pages import make_page, narrow
from core.scopes import Scope
from kyc.api import ClientView
from notifications import selectors, services
from notifications.errors import NotificationNotFoundError
from notifications.models import Notification, Preferences
from notifications.rendering import Text, render_notification, render_notifications
from notifications.states import Kind, Language

_SECURITY_HELP = "That an account was blocked, and the like: always true, it cannot be switched off."


class NotificationsQuery(PageQuery):
    """Which notifications."""

    unread = FlagField(required=False, help_text="True: only those unread. False: only those read.")


@extend_schema_field({"type": "boolean", "const": True})
class AlwaysOnField(SwitchField):
    """A switch that cannot be switched off; that it stays on may be said."""


class PreferencesBody(Body):
    """What is to be changed; what is left out stays."""

    language = serializers.ChoiceField(choices=Language.choices, required=False)
    email_money_in = SwitchField(required=False)
    email_money_out = SwitchField(required=False)
    email_account = SwitchField(required=False)
    email_security = AlwaysOnField(required=False, help_text=_SECURITY_HELP)


class NotificationAnswer(serializers.Serializer[Any]):
    """Something that the client was told, in the language that it had chosen by then."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    language = serializers.ChoiceField(choices=Language.choices)
    title = TextField(example="Received: R$ 25.00")
    text = TextField(example="R$ 25.00 has come into your account ending in 9012 on 2026-03-02 at 09:00.")
    account = serializers.UUIDField(allow_null=True, help_text="The client's account that it is about, if any.")
    transfer = serializers.UUIDField(allow_null=True, help_text="The transfer that it is about, if any.")
    happened_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class NotificationPage(PageAnswer):
    """Notifications."""

    results = NotificationAnswer(many=True)


class PreferencesAnswer(serializers.Serializer[Any]):
    """In which language the client is told things, and what of them also by e-mail. The list holds all."""

    language = serializers.ChoiceField(choices=Language.choices)
    email_money_in = serializers.BooleanField(help_text="Money that comes.")
    email_money_out = serializers.BooleanField(help_text="Money that goes, or was to go.")
    email_account = serializers.BooleanField(help_text="That an account was opened, and the like.")
    email_security = serializers.BooleanField(help_text=_SECURITY_HELP)


def _render_notification(notification: Notification, text: Text) -> dict[str, object]:
    return {
        "id": notification.pk,
        "kind": notification.kind,
        "language": notification.language,
        "title": text.title,
        "text": text.body,
        "account": notification.facts.get("account"),
        "transfer": notification.facts.get("transfer"),
        "happened_at": notification.happened_at,
        "read_at": notification.read_at,
    }


def _render_preferences(preferences: Preferences) -> dict[str, object]:
    return {
        "language": preferences.language,
        "email_money_in": preferences.email_money_in,
        "email_money_out": preferences.email_money_out,
        "email_account": preferences.email_account,
        "email_security": True,
    }


class NotificationsView(ClientView):
    """/notifications."""

    @operation(
        operation_id="list_notifications",
        summary="List my notifications",
        scope=Scope.CLIENTS_READ,
        query=NotificationsQuery,
        answers={200: NotificationPage},
    )
    def get(self, request: Request) -> Response:
        """Return what the caller was told, the latest first."""
        values = read_query(request, NotificationsQuery)
        wanted = get_page_request(values)
        found = selectors.list_notifications(client_id=self.get_client().id, is_unread=values.get("unread"))
        page = make_page(list(narrow(found, wanted)), wanted, get_id=lambda notification: notification.pk)
        texts = dict(zip(page.rows, render_notifications(notifications=page.rows), strict=True))
        return Response(render_page(request, page, lambda each: _render_notification(each, texts[each])))


class ReadingView(ClientView):
    """/notifications/{id}/read."""

    @operation(
        operation_id="read_notification",
        summary="Mark a notification as read",
        scope=Scope.CLIENTS_WRITE,
        answers={200: NotificationAnswer},
        refusals=[NotificationNotFoundError],
    )
    def post(self, request: Request, notification_id: UUID) -> Response:
        """Note that the caller has read one of its notifications; doing so again changes nothing."""
        client_id = self.get_client().id
        notification = services.mark_read(notification_id=notification_id, client_id=client_id, now=get_now())
        return Response(_render_notification(notification, render_notification(notification=notification)))


class PreferencesView(ClientView):
    """/notifications/preferences."""

    @operation(
        operation_id="show_notification_preferences",
        summary="Show what I am told by e-mail",
        scope=Scope.CLIENTS_READ,
        answers={200: PreferencesAnswer},
    )
    def get(self, request: Request) -> Response:
        """Return the caller's choices, or the defaults: all e-mail, in English."""
        return Response(_render_preferences(selectors.get_preferences(client_id=self.get_client().id)))

    @operation(
        operation_id="change_notification_preferences",
        summary="Choose what I am told by e-mail",
        scope=Scope.CLIENTS_WRITE,
        body=PreferencesBody,
        answers={200: PreferencesAnswer},
    )
    def patch(self, request: Request) -> Response:
        """Change the choices that are given, for what happens from now on."""
        changes = read_body(request, PreferencesBody)
        return Response(
            _render_preferences(services.change_preferences(client_id=self.get_client().id, changes=changes))
        )
