"""An operation that needs two people, small enough to see through: giving a user a name."""

from datetime import datetime
from typing import ClassVar

import msgspec

from approvals.models import Approval
from approvals.operations import Change, Effect, Operation, operation
from approvals.services import approve, request_approval
from core.errors import InvalidInputError
from core.models import User
from tests.factories import make_staff

MAKE = "events.handle_deadletter"
CHECK = "notifications.resend_delivery"


class Naming(msgspec.Struct, frozen=True):
    """Whom to name how."""

    user_id: int
    name: str


@operation
class GiveName(Operation):
    """Set a user's first name, unless it is Refused."""

    name: ClassVar[str] = "tests.give_name"
    title = "Give a name"
    explanation = "The user is called something else from then on."
    view_permission = "approvals.view_approval"
    request_permission = MAKE
    approve_permission = CHECK
    payload = Naming

    def get_subject(self, payload: Naming) -> str:
        """Return the user's id."""
        return str(payload.user_id)

    def describe(self, payload: Naming) -> Effect:
        """Tell the name of before and after."""
        user = User.objects.get(pk=payload.user_id)
        change = Change("First name", user.first_name, payload.name)
        return Effect(sentences=(f"User {user.pk} gets a name.",), changes=(change,))

    def perform(self, *, payload: Naming, approval: Approval, now: datetime) -> None:
        """Set it."""
        User.objects.filter(pk=payload.user_id).update(first_name=payload.name)
        if payload.name == "Refused":
            raise InvalidInputError(errors={"name": ["Nobody is called that."]})


def make_maker() -> User:
    """Make somebody who may request names."""
    return make_staff(permissions=(MAKE, "approvals.view_approval"))


def make_checker() -> User:
    """Make somebody who may approve names, and request them, too."""
    return make_staff(permissions=(MAKE, CHECK, "approvals.view_approval"))


def request_name(
    *, now: datetime, name: str = "Alice", user: User | None = None, requested_by: User | None = None
) -> Approval:
    """Request a name for a user, a new one unless given."""
    return request_approval(
        operation=GiveName.name,
        payload=Naming((user or make_staff()).pk, name),
        reason="Asked for by letter",
        requested_by=requested_by or make_maker(),
        now=now,
    )


def get_seen(approval: Approval) -> str:
    """Return what stands on the page that a checker confirms."""
    return bytes(approval.content_hash).hex()


def approve_as_seen(*, approval: Approval, decided_by: User, now: datetime) -> Approval:
    """Approve an approval as it is."""
    return approve(approval_id=approval.pk, seen=get_seen(approval), decided_by=decided_by, reason="Right", now=now)


def read_name(approval: Approval) -> str:
    """Return the first name, as it is now, of the user that an approval is about."""
    return User.objects.get(pk=approval.payload["user_id"]).first_name
