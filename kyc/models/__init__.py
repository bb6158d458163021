"""Clients, what they have sent, their KYC cases, and the lists that they are screened against."""

from kyc.models.cases import CaseCheck, CaseNote, InformationRequest, KycCase
from kyc.models.clients import Client, FormerEmail
from kyc.models.documents import ClientDocument, DocumentExpiry, DocumentFile, DocumentLook
from kyc.models.screening import SanctionsEntry, SanctionsList, Screening, ScreeningHit

__all__ = [
    "CaseCheck",
    "CaseNote",
    "Client",
    "ClientDocument",
    "DocumentExpiry",
    "DocumentFile",
    "DocumentLook",
    "FormerEmail",
    "InformationRequest",
    "KycCase",
    "SanctionsEntry",
    "SanctionsList",
    "Screening",
    "ScreeningHit",
]
