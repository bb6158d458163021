"""The paths of payments to other banks, below /api/v1/."""

from django.urls import path

from transfers.payments.api import PaymentsView, PaymentView

urlpatterns = [
    path("payments", PaymentsView.as_view()),
    path("payments/<id:payment_id>", PaymentView.as_view()),
]
