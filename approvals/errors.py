"""What approvals refuse, by name."""

from core.errors import BankError


class ApprovalNotFoundError(BankError):
    """No such approval."""

    code = "approval_not_found"
    http_status = 404
    message = "There is no such approval."


class OperationNotFoundError(BankError):
    """No operation of this name needs an approval, or not any more."""

    code = "operation_not_found"
    http_status = 404
    message = "There is no such operation."


class NotEntitledToRequestError(BankError):
    """The user is no active member of staff, or may not request this operation."""

    code = "not_entitled_to_request"
    http_status = 403
    message = "You may not request this."


class NotEntitledToApproveError(BankError):
    """The user is no active member of staff, or may not decide about this operation."""

    code = "not_entitled_to_approve"
    http_status = 403
    message = "You may not decide about this."


class OverLimitError(BankError):
    """It is about more money than the roles of whoever requests or approves it decide about."""

    code = "over_limit"
    http_status = 403
    message = "This is more than your role decides about."


class SamePersonError(BankError):
    """Whoever requested it also wants to decide about it."""

    code = "same_person"
    http_status = 403
    message = "Somebody else has to decide about what you requested. You can withdraw it."


class NotTheMakerError(BankError):
    """Somebody else requested it, so it is not theirs to withdraw."""

    code = "not_the_maker"
    http_status = 403
    message = "Only who requested this can withdraw it."


class ApprovalNotPendingError(BankError):
    """It was decided, withdrawn or expired before."""

    code = "approval_not_pending"
    http_status = 409
    message = "This was decided, withdrawn or expired before."


class ApprovalExpiredError(BankError):
    """Its time is over, though nobody has noted that yet."""

    code = "approval_expired"
    http_status = 409
    message = "The time in which this could be approved is over. Request it anew."


class EffectChangedError(BankError):
    """What would be done is not what the checker saw."""

    code = "effect_changed"
    http_status = 409
    message = "What this would do is not what you saw. Look at it again; if it has changed, it must be requested anew."


class ApprovalPendingError(BankError):
    """The same operation on the same subject was requested before, and waits."""

    code = "approval_pending"
    http_status = 409
    message = "The same was requested before and waits for a decision."


class ApprovalBusyError(BankError):
    """Another transaction held the approval's row for longer than the lock timeout."""

    code = "approval_busy"
    http_status = 409
    retryable = True
    message = "Somebody else is deciding about this. Try again shortly."
