"""The ground: money, errors, ids, database helpers, the user model and what every API shares. Imports nothing of ours."""
