"""Clients and what the bank must know of them: documents, screening, KYC cases."""
