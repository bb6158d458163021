"""Customers' accounts: their life cycle, their balance for readers."""
