"""What is told, in which languages, and the life of a delivery."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a notification tells; each kind has a text in each language in templates/notifications."""

    CLIENT_CREATED = "client_created", _("Registered")
    CLIENT_VERIFIED = "client_verified", _("Verified")
    CLIENT_REJECTED = "client_rejected", _("Rejected")
    CLIENT_REVIEW_OPENED = "client_review_opened", _("Review opened")
    CLIENT_IN_REVIEW = "client_in_review", _("In review again")
    INFORMATION_REQUESTED = "information_requested", _("Documents asked for")
    CLIENT_INACTIVATED = "client_inactivated", _("Left the bank")
    EMAIL_CHANGED = "email_changed", _("E-mail address changed")
    ACCOUNT_CREATED = "account_created", _("Account opened")
    ACCOUNT_BLOCKED = "account_blocked", _("Account blocked")
    ACCOUNT_UNBLOCKED = "account_unblocked", _("Account unblocked")
    ACCOUNT_INACTIVATED = "account_inactivated", _("Account closed")
    DEPOSIT_COMPLETED = "deposit_completed", _("Cash paid in")
    WITHDRAWAL_COMPLETED = "withdrawal_completed", _("Cash drawn")
    TRANSFER_RECEIVED = "transfer_received", _("Transfer received")
    TRANSFER_SENT = "transfer_sent", _("Transfer sent")
    OWN_TRANSFER_COMPLETED = "own_transfer_completed", _("Transfer between own accounts")
    TRANSFER_FAILED = "transfer_failed", _("Transfer failed")
    REVERSAL_CREDITED = "reversal_credited", _("Movement undone, money back")
    REVERSAL_DEBITED = "reversal_debited", _("Movement undone, money taken back")
    PAYMENT_SETTLED = "payment_settled", _("Payment settled")
    PAYMENT_RETURNED = "payment_returned", _("Payment returned")
    FRAUD_ALERT = "fraud_alert", _("Fraud alert")


class Category(models.TextChoices):
    """Kinds between which a client does not choose one by one."""

    MONEY_IN = "money_in", _("Money in")
    MONEY_OUT = "money_out", _("Money out")
    ACCOUNT = "account", _("Accounts")
    SECURITY = "security", _("Security")


CATEGORIES: dict[str, Category] = {
    Kind.CLIENT_CREATED: Category.ACCOUNT,
    Kind.CLIENT_VERIFIED: Category.ACCOUNT,
    Kind.CLIENT_REJECTED: Category.SECURITY,
    Kind.CLIENT_REVIEW_OPENED: Category.ACCOUNT,
    Kind.CLIENT_IN_REVIEW: Category.SECURITY,
    Kind.INFORMATION_REQUESTED: Category.SECURITY,
    Kind.CLIENT_INACTIVATED: Category.SECURITY,
    Kind.EMAIL_CHANGED: Category.SECURITY,
    Kind.ACCOUNT_CREATED: Category.ACCOUNT,
    Kind.ACCOUNT_BLOCKED: Category.SECURITY,
    Kind.ACCOUNT_UNBLOCKED: Category.SECURITY,
    Kind.ACCOUNT_INACTIVATED: Category.SECURITY,
    Kind.DEPOSIT_COMPLETED: Category.MONEY_IN,
    Kind.WITHDRAWAL_COMPLETED: Category.MONEY_OUT,
    Kind.TRANSFER_RECEIVED: Category.MONEY_IN,
    Kind.TRANSFER_SENT: Category.MONEY_OUT,
    Kind.OWN_TRANSFER_COMPLETED: Category.MONEY_OUT,
    Kind.TRANSFER_FAILED: Category.MONEY_OUT,
    Kind.REVERSAL_CREDITED: Category.MONEY_IN,
    Kind.REVERSAL_DEBITED: Category.MONEY_OUT,
    Kind.PAYMENT_SETTLED: Category.MONEY_OUT,
    Kind.PAYMENT_RETURNED: Category.MONEY_IN,
    Kind.FRAUD_ALERT: Category.SECURITY,
}


class Language(models.TextChoices):
    """The languages in which clients are told things."""

    EN = "en", _("English")
    PT_BR = "pt-br", _("Portuguese (Brazil)")


class StaffRole(models.TextChoices):
    """The roles of staff (bank/roles.py) that are told things."""

    OPS_CHECKER = "ops_checker", _("Operations checkers")


class Channel(models.TextChoices):
    """How a notification goes out; all of them stand in the list in the app anyway."""

    EMAIL = "email", _("E-mail")


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


DELIVERY_TRANSITIONS: dict[str, tuple[str, ...]] = {
    DeliveryState.WAITING: (DeliveryState.SENT, DeliveryState.FAILED),
    DeliveryState.SENT: (),
    DeliveryState.FAILED: (DeliveryState.WAITING,),
}
"""What failed is tried again when staff say so."""


class Outcome(models.TextChoices):
    """How an attempt at a delivery ended."""

    SENT = "sent", _("Sent")
    REFUSED = "refused", _("Refused for good")
    PUT_OFF = "put_off", _("Could not be sent then")
    UNKNOWN = "unknown", _("Not known: the worker ended meanwhile")
