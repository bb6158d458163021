"""What is refused about dead letters, by name."""

from core.errors import BankError


class DeadLetterNotFoundError(BankError):
    """No such dead letter."""

    code = "dead_letter_not_found"
    http_status = 404
    message = "There is no such dead letter."


class DeadLetterHandledError(BankError):
    """Somebody has replayed or discarded it before."""

    code = "dead_letter_handled"
    http_status = 409
    message = "The dead letter was already replayed or discarded."


class DeadLetterBusyError(BankError):
    """Somebody else is replaying it now."""

    code = "dead_letter_busy"
    http_status = 409
    retryable = True
    message = "The dead letter is being handled by somebody else. Try again shortly."


class ReplayFailedError(BankError):
    """The replay failed as the message did before; nothing of it took effect, and the letter still waits."""

    code = "replay_failed"
    http_status = 422
    message = "The message failed again, nothing of it took effect, and it still waits."
