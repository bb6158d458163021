"""What is refused of standing orders, besides what transfers refuse."""

from core.errors import BankError


class StandingOrderNotFoundError(BankError):
    """No such standing order, or not one that the caller may see: the two look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such standing order."


class StandingOrderOverError(BankError):
    """Nothing is left to be cancelled."""

    code = "standing_order_over"
    http_status = 409
    message = "The standing order is over already."


class StandingOrderBusyError(BankError):
    """The order was being carried out for longer than the lock timeout."""

    code = "standing_order_busy"
    http_status = 409
    retryable = True
    message = "The standing order is being carried out. Try again shortly."
