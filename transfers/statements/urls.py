"""The path of statements, below /api/v1/."""

from django.urls import path

from transfers.statements.api import StatementView

urlpatterns = [path("accounts/<id:account_id>/statement", StatementView.as_view())]
