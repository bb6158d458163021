"""What makes a process of the bank one of the proof: short waiting for what the dead have left, and a planted bug."""

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.apps import AppConfig

LEASE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(seconds=5)


class ProcessConfig(AppConfig):
    """The last app, so that all that it changes is there."""

    name = "proofs.payments"
    label = "proof_payments"

    def ready(self) -> None:
        """Compress time; then plant the bug that PLANTED_BUG names, if any."""
        from proofs.hooks import replace
        from proofs.payments.bugs import BUGS

        def claim_for_seconds(claim: Callable[..., Any]) -> object:
            return partial(claim, lease=LEASE)

        replace("transfers.rails.sending.claim_submission", claim_for_seconds)
        replace("transfers.rails.intake.LEASE", lambda _: LEASE)
        replace("transfers.payments.submissions.LONGEST_PAUSE", lambda _: LONGEST_PAUSE)
        if name := os.environ.get("PLANTED_BUG"):
            bug = BUGS[name]
            replace(bug.where, bug.replace)
