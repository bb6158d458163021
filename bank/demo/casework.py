"""What the demo bank's analysts have done: a list of invented people, and a case of high risk that is ready."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from bank.demo.people import KYC_ANALYST
from core.models import User
from kyc.casework import add_note, dispose_hit, record_check
from kyc.models import Client, ScreeningHit
from kyc.screening.lists import load_list
from kyc.states import CaseStatus, CheckKind, Disposition

_LIST = Path(__file__).parent / "sanctions.jsonl"


def seed_sanctions(*, now: datetime) -> Iterator[str]:
    """Load the list of invented people."""
    loaded = load_list(path=_LIST, now=now)
    if loaded.is_new:
        yield f"sanctions list: {loaded.sanctions_list.entry_count} invented people"


def seed_casework(client: Client, *, at: datetime, now: datetime) -> Iterator[str]:
    """Let an analyst find that the client is not who is on the list; what is left is high, and for two people."""
    case = client.cases.filter(status=CaseStatus.IN_REVIEW).first()
    hit = ScreeningHit.objects.filter(screening__client=client).order_by("id").first()
    if case is None or hit is None or hit.disposition or case.notes.exists():
        return
    why: dict[str, Any] = {
        "case_id": case.pk,
        "actor": User.objects.get(username=KYC_ANALYST),
        "now": min(at, now),
    }
    dispose_hit(
        hit_id=hit.pk, disposition=Disposition.FALSE_POSITIVE, reason="Another passport, and another face", **why
    )
    record_check(kind=CheckKind.IDENTITY_LEGIBLE, is_passed=True, **why)
    add_note(text="The name is common where the client comes from. A second person should look.", **why)
    yield f"{client.user.username}: hit cleared, high risk"
