"""Pages of customers' accounts and their blocks, and the closing of accounts.

An upper app says what it knows of in the way of an inactivation with `looks_for_obstacles` of accounts/admin/obstacles.
"""

from accounts.admin import accounts, blocks, inactivation, terms
from accounts.admin.cells import show_account

__all__ = ["accounts", "blocks", "inactivation", "show_account", "terms"]
