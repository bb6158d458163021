"""Rights of staff, which two people give: a user's roles, and the limits of amounts of a role."""
