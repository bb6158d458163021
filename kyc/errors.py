"""What is refused about clients, by name."""

from core.errors import BankError


class ClientNotFoundError(BankError):
    """No such client, or not one that the caller may see: the two look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such client."


class ClientExistsError(BankError):
    """The document, the e-mail address or the sign-in name belongs to a client already.

    One error for all of them: registration is public, and must not tell whose CPF banks here.
    """

    code = "client_exists"
    http_status = 409
    message = "A client with these data is already registered. Sign in instead."


class EmailTakenError(BankError):
    """The new e-mail address belongs to another client."""

    code = "email_taken"
    http_status = 409
    message = "This e-mail address cannot be used."


class NameVerifiedError(BankError):
    """The name was verified together with the document, so the client alone can no longer change it."""

    code = "name_verified"
    http_status = 409
    message = "The name was verified with the document. Ask the bank to have it changed."


class ClientInactiveError(BankError):
    """The client was inactivated, which is final."""

    code = "client_inactive"
    http_status = 409
    message = "The client is inactive."


class ClientNotVerifiedError(BankError):
    """The bank has not (or no longer) verified who the client is."""

    code = "client_not_verified"
    http_status = 409
    message = "The client's identity is not verified."


class ClientBusyError(BankError):
    """Another transaction held the client's row for longer than the lock timeout."""

    code = "client_busy"
    http_status = 409
    retryable = True
    message = "The client is being changed by somebody else. Try again shortly."


class CaseNotFoundError(BankError):
    """No such KYC case."""

    code = "case_not_found"
    http_status = 404
    message = "There is no such KYC case."


class CaseNotOpenError(BankError):
    """The case was decided before, or closed as the client left."""

    code = "case_not_open"
    http_status = 409
    message = "The KYC case is no longer open."


class ClientChangedError(BankError):
    """Who decides saw other data of the client than it has now."""

    code = "client_changed"
    http_status = 409
    message = "The client's data has changed since you looked. Look again before you decide."


class CaseOpenError(BankError):
    """The client has a case that nobody has decided yet."""

    code = "case_open"
    http_status = 409
    message = "The client already has an open KYC case."


class NotEntitledToDecideError(BankError):
    """Cases are decided by active members of staff, and never one's own."""

    code = "not_entitled_to_decide"
    http_status = 403
    message = "Only an active member of staff may decide a case, and not their own."


class UnsupportedDocumentError(BankError):
    """The file is, by its content, none of those that are taken, or it is broken, hostile or too costly to read."""

    code = "unsupported_document"
    http_status = 422
    message = "The file cannot be read. Send a PDF, a JPEG or a PNG."


class TooManyDocumentsError(BankError):
    """The client has as many documents as the bank keeps of one (MAX_DOCUMENTS_PER_CLIENT)."""

    code = "too_many_documents"
    http_status = 409
    message = "The client has as many documents as it may have."


class DocumentNotFoundError(BankError):
    """No such document, or not one of the caller's: the two look alike."""

    code = "not_found"
    http_status = 404
    message = "There is no such document."


class InspectionBusyError(BankError):
    """As many files are being looked into as this process does at a time, and each takes long."""

    code = "inspection_busy"
    http_status = 503
    retryable = True
    message = "The bank is looking into other files. Send this one again shortly; nothing was kept."


class InvalidListError(BankError):
    """A file is no list of sanctioned people; `errors` says which of its lines are wrong, and how."""

    code = "invalid_list"
    http_status = 422
    message = "The file is no list of sanctioned people."


class NoListError(BankError):
    """No list of sanctioned people was ever loaded, so nobody can be screened."""

    code = "no_list"
    http_status = 409
    message = "No sanctions list is loaded. Load one (manage.py load_sanctions); clients are screened then."


class NotScreenedError(BankError):
    """The client's screening is under way, or waits for a list."""

    code = "not_screened"
    http_status = 409
    retryable = True
    message = "The client is not screened yet. Look again in a moment."


class HitsOpenError(BankError):
    """Nobody has said yet of each hit whether it is the client."""

    code = "hits_open"
    http_status = 409
    message = "Say of each hit first whether it is the client."


class ClientListedError(BankError):
    """A hit is the client, so the client cannot be verified."""

    code = "client_listed"
    http_status = 409
    message = "The client is on a sanctions list and cannot be verified."


class ApprovalNeededError(BankError):
    """The client's risk is high, so two people verify it."""

    code = "approval_needed"
    http_status = 409
    message = "The client's risk is high. Ask somebody else to approve the verification."


class HitNotFoundError(BankError):
    """No such hit in the case's newest screening."""

    code = "hit_not_found"
    http_status = 404
    message = "There is no such hit on this case."


class HitDisposedError(BankError):
    """Somebody has said already whether the hit is the client, which is final."""

    code = "hit_disposed"
    http_status = 409
    message = "Somebody has said already whether this is the client."


class InformationRequestedError(BankError):
    """The case waits for what its client was asked for already."""

    code = "information_requested"
    http_status = 409
    message = "The client has been asked already, and the case waits for it."
