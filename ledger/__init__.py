"""The double-entry ledger: accounts of the books, journal entries, postings and holds. Knows no product."""
