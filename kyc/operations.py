"""What needs two people here: verifying a client of high risk."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from approvals.models import Approval
from approvals.operations import Change, Effect, Operation, Said, operation
from kyc.cases import require_seen, require_verifiable, verify_with_approval
from kyc.errors import CaseNotFoundError, CaseNotOpenError
from kyc.models import KycCase
from kyc.risk import SENTENCES
from kyc.states import CaseStatus, KycStatus


class Verification(msgspec.Struct, frozen=True):
    """A case, and the fingerprint of what its analyst saw."""

    case: UUID
    seen: str


@operation
class VerifyHighRisk(Operation):
    """End a case by verifying its client although the risk is high."""

    name = "kyc.verify_high_risk"
    title = _("Verify a client of high risk")
    explanation = _(
        "The client becomes verified, may open accounts and is told so. It is looked at again in half a year."
    )
    view_permission = "kyc.view_kyccase"
    request_permission = "kyc.decide_kyccase"
    approve_permission = "kyc.approve_kyccase"
    payload = Verification

    def get_subject(self, payload: Verification) -> str:
        """Return the case's id."""
        return str(payload.case)

    def describe(self, payload: Verification) -> Effect:
        """Return the step, and why the risk is high.

        Raises CaseNotFoundError, CaseNotOpenError, ClientChangedError, or what speaks against verifying.
        """
        case = KycCase.objects.select_related("client").filter(pk=payload.case).first()
        if case is None:
            raise CaseNotFoundError
        if case.status != CaseStatus.IN_REVIEW:
            raise CaseNotOpenError
        require_seen(case=case, seen=payload.seen)
        require_verifiable(case=case)
        level = str(case.get_risk_display())
        reasons = (
            Said(gettext_noop("%(level)s risk: %(reason)s."), {"level": level, "reason": SENTENCES[code]})
            for code in case.risk_reasons
        )
        status = KycStatus(case.client.kyc_status)
        return Effect(
            sentences=(
                Said(gettext_noop("The client of KYC case %(case)s becomes verified."), {"case": str(case.pk)}),
                *reasons,
            ),
            changes=(Change("KYC", str(status.label), str(KycStatus.VERIFIED.label)),),
        )

    def perform(self, *, payload: Verification, approval: Approval, now: datetime) -> None:
        """Verify the client."""
        verify_with_approval(case_id=payload.case, seen=payload.seen, approval=approval, now=now)
