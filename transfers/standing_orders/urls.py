"""The paths of standing orders, below /api/v1/."""

from django.urls import path

from transfers.standing_orders.api import StandingOrdersView, StandingOrderView

urlpatterns = [
    path("standing-orders", StandingOrdersView.as_view()),
    path("standing-orders/<id:standing_order_id>", StandingOrderView.as_view()),
]
