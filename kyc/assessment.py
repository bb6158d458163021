"""Keeping a case's risk, and whose turn it is, in step with what is known of its client."""

from datetime import datetime

import msgspec
from django.utils import timezone

from core.db import require_transaction
from kyc.models import Client, KycCase
from kyc.risk import RiskFacts, assess_risk
from kyc.selectors import find_last_screening, list_newest_documents, map_expiries
from kyc.states import CaseStatus, Disposition, WaitsFor


def assess_case(*, case: KycCase, now: datetime) -> None:
    """Write the risk of an open case, and for whom it waits, as they follow from everything else.

    Called under the lock of the client, in the transaction of whatever changed.
    """
    require_transaction()
    facts = _gather_facts(client=case.client, now=now)
    risk = assess_risk(facts=facts)
    case.risk, case.risk_reasons = risk.level, list(risk.reasons)
    case.risk_facts = msgspec.to_builtins(facts)
    waits_for = _find_turn(case)
    if waits_for != case.waits_for:
        case.waits_for, case.waits_since = waits_for, now
    case.save(update_fields=["risk", "risk_reasons", "risk_facts", "waits_for", "waits_since"])


def assess_open_case(*, client: Client, now: datetime) -> None:
    """Assess the open case of a client whom the caller has locked, if there is one."""
    case = client.cases.filter(status=CaseStatus.IN_REVIEW).first()
    if case is not None:
        case.client = client
        assess_case(case=case, now=now)


def _gather_facts(*, client: Client, now: datetime) -> RiskFacts:
    screening = find_last_screening(client_id=client.pk)
    hits = list(screening.hits.all()) if screening else []
    cleared = [hit.score for hit in hits if hit.disposition == Disposition.FALSE_POSITIVE]
    newest = list_newest_documents(client=client)
    days = {document.kind: (now - document.created_at).days for document in newest}
    expiries, today = map_expiries(client=client), timezone.localdate(now)
    return RiskFacts(
        document_type=client.document_type,
        hits_open=sum(not hit.disposition for hit in hits),
        hits_confirmed=sum(hit.disposition == Disposition.TRUE_MATCH for hit in hits),
        hits_cleared=len(cleared),
        strongest_cleared=max(cleared, default=0),
        identity_days=days.get("identity"),
        address_days=days.get("address"),
        selfie_days=days.get("selfie"),
        expired_documents=sum(expiries.get(document.pk, today) < today for document in newest),
    )


def _find_turn(case: KycCase) -> WaitsFor:
    """Return for whom the case waits. The client is asked for what an analyst misses, whatever else is under way."""
    if case.requests.filter(answered_at=None).exists():
        return WaitsFor.CLIENT
    screening = find_last_screening(client_id=case.client_id)
    if screening is None or screening.done_at is None:
        return WaitsFor.SCREENING
    return WaitsFor.ANALYST
