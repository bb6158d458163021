"""The ground: money, errors, ids, database helpers, users, what every API shares. Imports nothing of ours."""
