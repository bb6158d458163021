"""What is refused about rights, by name."""

from core.errors import BankError


class NotStaffError(BankError):
    """Roles are for active staff; superusers have none, and what a customer may do is no role."""

    code = "not_staff"
    http_status = 409
    message = "Only active staff who are no superusers are given roles here."


class OwnRightsError(BankError):
    """Somebody would decide about rights of their own, as maker or as checker."""

    code = "own_rights"
    http_status = 403
    message = "Nobody takes part in deciding about rights of their own."
