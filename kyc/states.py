"""The life of a client and of a KYC case."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DocumentType(models.TextChoices):
    """The document that identifies a client."""

    CPF = "cpf", _("CPF")
    CNPJ = "cnpj", _("CNPJ")
    PASSPORT = "passport", _("Passport")


class DocumentKind(models.TextChoices):
    """What a document that a client sends is to prove."""

    IDENTITY = "identity", _("Identity")
    ADDRESS = "address", _("Address")
    SELFIE = "selfie", _("Selfie")


class DocumentMediaType(models.TextChoices):
    """What files are taken as documents."""

    PDF = "application/pdf", _("PDF")
    JPEG = "image/jpeg", _("JPEG")
    PNG = "image/png", _("PNG")


class ClientStatus(models.TextChoices):
    """Whether the client may use the bank at all."""

    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")


class KycStatus(models.TextChoices):
    """What the bank decided about the client's identity."""

    IN_REVIEW = "in_review", _("In review")
    VERIFIED = "verified", _("Verified")
    REJECTED = "rejected", _("Rejected")


class CaseStatus(models.TextChoices):
    """How far a KYC case is: it waits, ended with a decision, or ended without one as the client left."""

    IN_REVIEW = KycStatus.IN_REVIEW.value, _("In review")
    VERIFIED = KycStatus.VERIFIED.value, _("Verified")
    REJECTED = KycStatus.REJECTED.value, _("Rejected")
    CLOSED = "closed", _("Closed")


class CaseKind(models.TextChoices):
    """Why a case was opened. Under a periodic one, the client stays verified for a while."""

    INITIAL = "initial", _("Registration")
    PERIODIC = "periodic", _("Periodic review")
    REOPENED = "reopened", _("Heard again")


class WaitsFor(models.TextChoices):
    """Whose turn it is with an open case."""

    SCREENING = "screening", _("Screening")
    ANALYST = "analyst", _("Analyst")
    CLIENT = "client", _("Client")


class RiskLevel(models.TextChoices):
    """How much the bank risks by serving a client; what is high, two people decide."""

    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")


class ScreeningCause(models.TextChoices):
    """Why a client is screened."""

    REGISTRATION = "registration", _("Registration")
    CHANGE = "change", _("Changed data")
    REVIEW = "review", _("Review")
    NEW_LIST = "new_list", _("New list")


class Comparison(models.TextChoices):
    """How something of a client compares with what a list says of a person."""

    EQUAL = "equal", _("The same")
    SIMILAR = "similar", _("The same year")
    OTHER = "other", _("Another")
    UNKNOWN = "unknown", _("Not listed")


class Disposition(models.TextChoices):
    """What an analyst found about a hit."""

    FALSE_POSITIVE = "false_positive", _("Somebody else")
    TRUE_MATCH = "true_match", _("The client")


class CheckKind(models.TextChoices):
    """What an analyst checks by looking at what a client has sent."""

    IDENTITY_LEGIBLE = "identity_legible", _("The identity document is legible and whole")
    IDENTITY_MATCHES = "identity_matches", _("Name, number and birth date are those of the identity document")
    SELFIE_MATCHES = "selfie_matches", _("The selfie shows who is on the identity document")
    ADDRESS_RECENT = "address_recent", _("The proof of address is of the last 90 days")
    ADDRESS_MATCHES = "address_matches", _("The proof of address is in the client's name")


class RequestText(models.TextChoices):
    """What a client is told of documents that are asked for; each has its sentences in templates/notifications."""

    MISSING = "missing", _("It is missing")
    ILLEGIBLE = "illegible", _("It cannot be read")
    EXPIRED = "expired", _("It has expired")
    TOO_OLD = "too_old", _("It is older than 90 days")
    OTHER_NAME = "other_name", _("It is in another name")


CLIENT_TRANSITIONS: dict[str, tuple[str, ...]] = {
    ClientStatus.ACTIVE: (ClientStatus.INACTIVE,),
    ClientStatus.INACTIVE: (),
}

KYC_TRANSITIONS: dict[str, tuple[str, ...]] = {
    KycStatus.IN_REVIEW: (KycStatus.VERIFIED, KycStatus.REJECTED),
    KycStatus.VERIFIED: (KycStatus.IN_REVIEW, KycStatus.REJECTED),
    KycStatus.REJECTED: (KycStatus.IN_REVIEW,),
}
"""A verified client goes back into review when the review falls due; a rejected one may be heard again."""

CASE_TRANSITIONS: dict[str, tuple[str, ...]] = {
    CaseStatus.IN_REVIEW: (CaseStatus.VERIFIED, CaseStatus.REJECTED, CaseStatus.CLOSED),
    CaseStatus.VERIFIED: (),
    CaseStatus.REJECTED: (),
    CaseStatus.CLOSED: (),
}
"""A case ends with its decision, or closes when its client leaves; a new look at the client is a new case."""

DECISIONS = frozenset({KycStatus.VERIFIED, KycStatus.REJECTED})
"""What staff may decide."""
