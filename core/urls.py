"""Paths that every bank has: signing in, below /api/v1/."""

from django.urls import path

from core.api.sign_in import RefreshView, RevokeView, TokenView

urlpatterns = [
    path("auth/token", TokenView.as_view()),
    path("auth/token/refresh", RefreshView.as_view()),
    path("auth/token/revoke", RevokeView.as_view()),
]
