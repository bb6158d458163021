"""The clients' paths, below /api/v1/."""

from django.urls import path

from kyc.api import OwnClientView, OwnDocumentsView, OwnDocumentView, RegistrationView

urlpatterns = [
    path("clients", RegistrationView.as_view()),
    path("clients/me", OwnClientView.as_view()),
    path("clients/me/documents", OwnDocumentsView.as_view()),
    path("clients/me/documents/<id:document_id>", OwnDocumentView.as_view()),
]
