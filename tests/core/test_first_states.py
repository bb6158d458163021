"""PostgreSQL lets a row begin in its first state only: who could write it decided already would pass over all steps."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from accounts.states import AccountStatus
from core.db import get_constraint_name
from core.ids import uuid7
from events.states import DeadLetterState
from kyc.states import ClientStatus, KycStatus
from ledger.models import Hold
from notifications.states import DeliveryState
from tests.admin.conftest import bury_message, fail_to_deliver
from tests.factories import make_account, make_alice, make_bob
from tests.runtime_role import as_runtime_role
from transfers.models import Transfer

HOT: set[type[models.Model]] = {Hold, Transfer}
"""A trigger would cost each insert: the CHECKs of their other columns and `verify_ledger` stand in its place."""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "field", "state"),
    [
        (make_bob, "status", ClientStatus.INACTIVE),
        (make_bob, "kyc_status", KycStatus.VERIFIED),
        (lambda: make_bob().cases.get(), "status", KycStatus.VERIFIED),
        (make_account, "status", AccountStatus.INACTIVE),
        (bury_message, "state", DeadLetterState.DISCARDED),
        (lambda: fail_to_deliver(client=make_alice()), "state", DeliveryState.FAILED),
    ],
)
def test_the_runtime_role_passes_over_no_step(make: Callable[[], models.Model], field: str, state: str) -> None:
    row: Any = make()
    row.pk = uuid7()
    setattr(row, field, state)

    with pytest.raises(IntegrityError) as refused, as_runtime_role(), transaction.atomic():
        row.save(force_insert=True)

    assert get_constraint_name(refused.value) == f"{row._meta.db_table}_born_{field}"


@pytest.mark.parametrize("model", [model for model in apps.get_models() if model not in HOT], ids=str)
def test_each_life_has_its_beginning(model: type[models.Model]) -> None:
    rules = {trigger.name for trigger in getattr(model._meta, "triggers", [])}

    lives = {name.removeprefix("legal_") for name in rules if name.startswith("legal_")}

    assert {f"born_{field}" for field in lives} <= rules
