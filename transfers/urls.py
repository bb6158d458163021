"""The paths of what moves money, below /api/v1/."""

from django.urls import path

from transfers.api.batch import BatchView
from transfers.api.holds import CaptureView, HoldsView, HoldView, ReleaseView
from transfers.api.movements import DepositsView, WithdrawalsView
from transfers.api.transfers import TransfersView, TransferView

urlpatterns = [
    path("accounts/<id:account_id>/deposits", DepositsView.as_view()),
    path("accounts/<id:account_id>/withdrawals", WithdrawalsView.as_view()),
    path("transfers", TransfersView.as_view()),
    path("transfers/batch", BatchView.as_view()),
    path("transfers/<id:transfer_id>", TransferView.as_view()),
    path("holds", HoldsView.as_view()),
    path("holds/<id:hold_id>", HoldView.as_view()),
    path("holds/<id:hold_id>/capture", CaptureView.as_view()),
    path("holds/<id:hold_id>/release", ReleaseView.as_view()),
]
