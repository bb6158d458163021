"""The description of the API against the API: whole, true, and of use to a client that was generated from it."""
