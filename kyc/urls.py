"""The clients' paths, below /api/v1/."""

from django.urls import path

from kyc.api import OwnClientView, RegistrationView

urlpatterns = [
    path("clients", RegistrationView.as_view()),
    path("clients/me", OwnClientView.as_view()),
]
