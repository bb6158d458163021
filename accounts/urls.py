"""The accounts' paths, below /api/v1/."""

from django.urls import path

from accounts.api import AccountsView, AccountView, BalanceView, EventsView, InactivationView

urlpatterns = [
    path("accounts", AccountsView.as_view()),
    path("accounts/<id:account_id>", AccountView.as_view()),
    path("accounts/<id:account_id>/balance", BalanceView.as_view()),
    path("accounts/<id:account_id>/events", EventsView.as_view()),
    path("clients/<id:client_id>/inactivate", InactivationView.as_view()),
]
