"""Pages of clients, their documents and their KYC cases."""

from kyc.admin import cases, clients, documents

__all__ = ["cases", "clients", "documents"]
