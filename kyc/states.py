"""The life of a client and of a KYC case."""

from django.db import models


class DocumentType(models.TextChoices):
    """The document that identifies a client."""

    CPF = "cpf", "CPF"
    CNPJ = "cnpj", "CNPJ"
    PASSPORT = "passport", "Passport"


class DocumentKind(models.TextChoices):
    """What a document that a client sends is to prove."""

    IDENTITY = "identity", "Identity"
    ADDRESS = "address", "Address"
    SELFIE = "selfie", "Selfie"


class DocumentMediaType(models.TextChoices):
    """What files are taken as documents."""

    PDF = "application/pdf", "PDF"
    JPEG = "image/jpeg", "JPEG"
    PNG = "image/png", "PNG"


class ClientStatus(models.TextChoices):
    """Whether the client may use the bank at all."""

    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"


class KycStatus(models.TextChoices):
    """What the bank decided about the client's identity."""

    IN_REVIEW = "in_review", "In review"
    VERIFIED = "verified", "Verified"
    REJECTED = "rejected", "Rejected"


class CaseStatus(models.TextChoices):
    """How far a KYC case is: it waits, ended with a decision, or ended without one as the client left."""

    IN_REVIEW = KycStatus.IN_REVIEW.value, "In review"
    VERIFIED = KycStatus.VERIFIED.value, "Verified"
    REJECTED = KycStatus.REJECTED.value, "Rejected"
    CLOSED = "closed", "Closed"


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
