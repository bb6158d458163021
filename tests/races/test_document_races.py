"""Documents that arrive at once."""

from functools import partial
from threading import Barrier

import pytest
from django.utils import timezone
from pytest_django import Settings

from kyc import services
from kyc.errors import TooManyDocumentsError
from kyc.files import InspectedFile
from kyc.models import ClientDocument, DocumentFile
from kyc.services import add_document
from tests.factories import make_bob
from tests.files import make_pdf
from tests.races.rivals import PATIENCE_SECONDS, run_together

pytestmark = pytest.mark.django_db(transaction=True)

RIVALS = 5


@pytest.fixture(autouse=True)
def _looked_into_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all files be looked into by the same moment; what that does has no part in the race."""
    barrier = Barrier(RIVALS)

    def inspect_file(*, content: bytes) -> InspectedFile:
        barrier.wait(PATIENCE_SECONDS)
        return InspectedFile("application/pdf", "application/pdf", content)

    monkeypatch.setattr(services, "inspect_file", inspect_file)


def test_one_file_that_arrives_five_times_at_once_is_one_document() -> None:
    add = partial(add_document, client_id=make_bob().id, kind="identity", file=make_pdf(), now=timezone.now())

    outcomes = run_together(*[add] * RIVALS)

    assert outcomes == [ClientDocument.objects.get()] * RIVALS
    assert DocumentFile.objects.count() == 1


def test_of_five_documents_at_once_as_many_are_kept_as_there_is_room_for(settings: Settings) -> None:
    settings.MAX_DOCUMENTS_PER_CLIENT = 2
    add = partial(add_document, client_id=make_bob().id, kind="identity", now=timezone.now())

    outcomes = run_together(*[partial(add, file=make_pdf(pages=pages)) for pages in range(1, RIVALS + 1)])

    assert sum(isinstance(outcome, ClientDocument) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, TooManyDocumentsError) for outcome in outcomes) == 3
    assert ClientDocument.objects.count() == 2
