"""What the API itself refuses, before any service is asked."""

from core.errors import BankError


class NotFoundError(BankError):
    """Nothing is at this path."""

    code = "not_found"
    http_status = 404
    message = "There is nothing at this path."


class MethodNotAllowedError(BankError):
    """The path exists, but not for this method."""

    code = "method_not_allowed"
    http_status = 405
    message = "This path does not take this method."


class NotAcceptableError(BankError):
    """The answer exists in no format that the caller accepts."""

    code = "not_acceptable"
    http_status = 406
    message = "This answer cannot be given in the format asked for."


class RequestTimeoutError(BankError):
    """The request began to arrive and did not end in time. Nothing of it was looked at."""

    code = "request_timeout"
    http_status = 408
    retryable = True
    message = "The request took too long to arrive, and nothing was done."


class LengthRequiredError(BankError):
    """The body came in chunks: WSGI does not read it, and a limit of sizes wants to know the size."""

    code = "length_required"
    http_status = 411
    message = "Send the body in one piece, with its Content-Length."


class PayloadTooLargeError(BankError):
    """The body is larger than MAX_REQUEST_BYTES, or the file in it than MAX_UPLOAD_BYTES."""

    code = "payload_too_large"
    http_status = 413
    message = "The request's body is too large."


class UriTooLongError(BankError):
    """The path with its query is longer than the web server reads."""

    code = "uri_too_long"
    http_status = 414
    message = "The request's path is too long."


class UnsupportedMediaTypeError(BankError):
    """The body is not of a kind that this call reads."""

    code = "unsupported_media_type"
    http_status = 415
    message = "Send the body as application/json in UTF-8, or as multipart/form-data where a call takes a file."


class HeadersTooLargeError(BankError):
    """The header fields are more or longer than the web server reads."""

    code = "headers_too_large"
    http_status = 431
    message = "The request's header fields are too large."


class InternalError(BankError):
    """A fault of ours. The log has it under the request's id; the answer says nothing of it."""

    code = "internal_error"
    http_status = 500
    message = "Something went wrong on our side."


class ServiceUnavailableError(BankError):
    """The database went away, perhaps during the commit: nobody knows whether the request took effect."""

    code = "service_unavailable"
    http_status = 503
    retryable = True
    message = (
        "The bank cannot answer now, and the outcome of the request is unknown. It can be repeated with the same"
        " Idempotency-Key: it takes effect at most once."
    )


class NotReadyError(BankError):
    """Something that requests need is missing; `details` has the checks."""

    code = "not_ready"
    http_status = 503
    retryable = True
    message = "The bank is not ready to serve."
