"""Movements of customers' money: deposits, withdrawals, internal transfers."""
