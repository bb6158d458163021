"""Pages of clients, their documents and their KYC cases.

clients      the pages of clients
documents    what clients have sent, and the one way to their files
screening    who on a sanctions list may be the client
case_tables  the rest of what stands on the page of a case
casework     what analysts may do about an open case
cases        the pages of cases, and the decision
"""

from kyc.admin import case_tables, cases, casework, clients, documents, screening

__all__ = ["case_tables", "cases", "casework", "clients", "documents", "screening"]
