"""The port to the mail server: one e-mail, sent or refused, for good or for now."""

import re
from email.utils import parseaddr
from smtplib import SMTPDataError, SMTPException, SMTPNotSupportedError, SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from events.dead_letters import describe_error

_FOR_GOOD = 500
_ADDRESS = r"""[^\s<>"'(),:;]+@[^\s<>"'(),:;]+"""


class EmailRefusedError(Exception):
    """The mail server refuses this e-mail for good: there is no such address, or it does not take such a text."""


class EmailPutOffError(Exception):
    """The e-mail cannot be sent now; later it may. The mail server answered, so others may be sent."""


class MailAwayError(EmailPutOffError):
    """No mail server answers, or it does not let the bank in, so nothing can be sent now."""


def send_email(*, connection: BaseEmailBackend, delivery_id: UUID, to: str, subject: str, text: str) -> None:
    """Send an e-mail under the Message-ID that belongs to the delivery, however often it is sent.

    Raises EmailRefusedError, EmailPutOffError or MailAwayError.
    """
    try:
        connection.open()
    except (SMTPException, OSError) as error:  # one without TLS, or sign-in, too: nothing is wrong with the e-mail
        raise MailAwayError(describe_error(error)) from error
    message = EmailMessage(
        subject=subject,
        body=text,
        to=[to],
        connection=connection,
        headers={"Message-ID": make_message_id(delivery_id=delivery_id), "Auto-Submitted": "auto-generated"},
    )
    try:
        _send(message, to)
    except EmailPutOffError:
        connection.close()  # whatever state it is in
        raise


def make_message_id(*, delivery_id: UUID) -> str:
    """Return the Message-ID of a delivery's e-mail."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{delivery_id}@{domain}>"


def _send(message: EmailMessage, to: str) -> None:
    """Send. What is our own fault, such as a sender that is refused, is worth another try once mended."""
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise (EmailRefusedError if min(codes) >= _FOR_GOOD else EmailPutOffError)(_describe(error, to)) from error
    except SMTPDataError as error:
        raise (EmailRefusedError if error.smtp_code >= _FOR_GOOD else EmailPutOffError)(_describe(error, to)) from error
    except SMTPNotSupportedError as error:  # an address that this server cannot write
        raise EmailRefusedError(_describe(error, to)) from error
    except (SMTPException, OSError) as error:
        raise MailAwayError(_describe(error, to)) from error


def _describe(error: Exception, to: str) -> str:
    """Return an error without the client's address, in whatever spelling: it is kept for ever, and logged."""
    return re.sub(f"{re.escape(to)}|{_ADDRESS}", "(address)", describe_error(error), flags=re.IGNORECASE)
