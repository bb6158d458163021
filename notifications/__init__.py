"""What clients and staff are told of what happened: a list in the app, and e-mail to clients who want it."""
