"""Accounts are inactivated while everything that moves money is at work on them."""
