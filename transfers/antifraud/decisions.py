"""What deciding about any order in review is: it is open, somebody else than who ordered it decides, and it is told."""

from datetime import datetime
from uuid import UUID

from core.models import User
from events.services import record_events
from transfers.antifraud.errors import OwnTransferError, ReviewNotFoundError, ReviewNotOpenError
from transfers.antifraud.events import review_ended
from transfers.antifraud.models import Review
from transfers.antifraud.states import ReviewStatus


def get_open_review(*, review_id: UUID, actor: User | None) -> Review:
    """Return a review that `actor` may decide; the account of its order is locked.

    Raises ReviewNotFoundError, ReviewNotOpenError or OwnTransferError.
    """
    review = Review.objects.filter(pk=review_id).first()
    if review is None:
        raise ReviewNotFoundError
    if review.status != ReviewStatus.OPEN:
        raise ReviewNotOpenError
    if actor is not None and actor.pk == review.initiated_by_id:
        raise OwnTransferError
    return review


def end_review(review: Review, status: ReviewStatus, *, reason: str, actor: User | None, now: datetime) -> None:
    """Note how a review ends, and tell of it."""
    review.status, review.reason, review.decided_by, review.decided_at = status, reason, actor, now
    review.save(update_fields=["status", "reason", "decided_by", "decided_at"])
    record_events(events=[review_ended(review=review, now=now)])
