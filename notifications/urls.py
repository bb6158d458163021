"""The paths of notifications, below /api/v1/."""

from django.urls import path

from notifications.api import NotificationsView, PreferencesView, ReadingView

urlpatterns = [
    path("notifications", NotificationsView.as_view()),
    path("notifications/preferences", PreferencesView.as_view()),
    path("notifications/<id:notification_id>/read", ReadingView.as_view()),
]
