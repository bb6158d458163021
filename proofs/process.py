"""What makes a process of the bank one of a proof: a bug that was planted in it, and points where it can be stopped."""

import os

from django.apps import AppConfig


class ProcessConfig(AppConfig):
    """The last app, so that all that it changes is there."""

    name = "proofs"

    def ready(self) -> None:
        """Plant the bug that PLANTED_BUG names, if any; then install the points, which lie around it."""
        from proofs.bugs import find_bug
        from proofs.hooks import install_points

        if name := os.environ.get("PLANTED_BUG"):
            find_bug(name).plant()
        install_points()
