"""Revealing what pages hide of a client: for a reason, on record, shown once in the answer to the form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.services import reveal_client
from core.admin.acts import Act, act_on
from core.admin.cells import show_id
from core.admin.tables import Table
from core.api.middleware import get_request_id
from core.models import User
from kyc.models import Client, KycCase


@act_on(Client)
@act_on(KycCase)
class Reveal(Act):
    """Show the whole document number and the birth date."""

    name = "reveal"
    title = _("Reveal")
    icon = "visibility"
    permission = "kyc.reveal_client"
    explanation = _(
        "You will see the whole number of the document and the birth date, once. That you saw them, and why, stays on "
        "record for the auditors. Do it only if your work needs it."
    )

    def carry_out(self, *, subject: Any, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> Table:
        """Reveal. Raises InvalidInputError and ClientNotFoundError."""
        personal = reveal_client(
            client_id=subject.pk if isinstance(subject, Client) else subject.client_id,
            page=subject._meta.label_lower,
            subject_id=subject.pk,
            reason=answers["reason"],
            looked_by=actor,
            request=get_request_id(),
            now=now,
        )
        rows = [(gettext("Document"), show_id(personal.document_number)), (gettext("Born"), personal.birth_date)]
        return Table(title=gettext("Revealed"), headings=(gettext("What"), gettext("Value")), rows=rows, empty="")
