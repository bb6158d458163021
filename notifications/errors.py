"""What is refused about notifications, by name."""

from core.errors import BankError


class NotificationNotFoundError(BankError):
    """No such notification, or not one of the caller's: the two look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such notification."


class DeliveryNotFailedError(BankError):
    """Only what failed is sent again; perhaps somebody has just done it."""

    code = "delivery_not_failed"
    http_status = 409
    message = "Only a delivery that failed can be sent again."
