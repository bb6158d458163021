"""What stops the embedded bank, each told to the user in one sentence."""


class CannotStartError(Exception):
    """The bank cannot start or go on; the message is a sentence that says why and what to do."""


class NotInstalledError(CannotStartError):
    """A program is needed that this machine does not have, and that is not ours to install."""
