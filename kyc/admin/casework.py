"""What analysts may do about an open case before it is decided: each act has a form of its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.admin.acts import Act, ReasonForm, act_on
from core.admin.cells import show_day
from core.admin.tables import Table
from core.models import User
from kyc import casework
from kyc.admin.screening import make_comparisons
from kyc.models import KycCase
from kyc.selectors import find_last_screening, list_hits
from kyc.states import CaseStatus, CheckKind, Disposition, DocumentKind, RequestText

DECIDE = "kyc.decide_kyccase"

_OUTCOMES = [("passed", _("Passed")), ("failed", _("Failed"))]


class CaseAct(Act):
    """An act on a case while it is open."""

    permission = DECIDE

    def is_offered(self, subject: KycCase) -> bool:
        """Offer it while the case is open."""
        return subject.status == CaseStatus.IN_REVIEW


class _HitForm(ReasonForm):
    """Which hit, and why."""

    hit = forms.ChoiceField(label=_("Hit"), widget=UnfoldAdminSelectWidget)
    field_order = ("hit", "reason")


class _Disposition(CaseAct):
    """What an analyst says of a hit. Its buttons stand beside the hits."""

    form = _HitForm
    disposition: Disposition

    def is_offered(self, subject: KycCase) -> bool:
        """Offer it beside each hit only."""
        return False

    def make_form(self, subject: KycCase, **filled_in: Any) -> forms.Form:
        """Return the form with the hits that nobody has said anything of."""
        form = super().make_form(subject, **filled_in)
        hits = list_hits(screening=find_last_screening(client_id=subject.client_id))
        choices = [(str(hit.pk), f"{hit.listed_name}, {hit.score}") for hit in hits if not hit.disposition]
        form.fields["hit"].choices = choices  # type: ignore[attr-defined]
        return form

    def list_findings(self, subject: KycCase) -> list[Table]:
        """Show the client beside whoever it may be."""
        return make_comparisons(subject)

    def carry_out(self, *, subject: KycCase, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Keep what the analyst says."""
        hit = casework.dispose_hit(
            case_id=subject.pk,
            hit_id=UUID(answers["hit"]),
            disposition=self.disposition,
            actor=actor,
            reason=answers["reason"],
            now=now,
        )
        return format_html("{}: {}.", hit.listed_name, hit.get_disposition_display().lower())


@act_on(KycCase)
class ClearHit(_Disposition):
    """Say that a hit is somebody else."""

    name = "clear-hit"
    title = _("Somebody else")
    icon = "person_off"
    variant = ActionVariant.SUCCESS
    disposition = Disposition.FALSE_POSITIVE
    explanation = _(
        "You say that the person on the list is not the client. This is final, and holds on in later screenings as "
        "long as neither the client nor the entry on the list have changed."
    )


@act_on(KycCase)
class ConfirmHit(_Disposition):
    """Say that a hit is the client."""

    name = "confirm-hit"
    title = _("It is the client")
    icon = "person_alert"
    variant = ActionVariant.DANGER
    disposition = Disposition.TRUE_MATCH
    explanation = _(
        "You say that the person on the list is the client. This is final: the client can only be rejected then, which "
        "blocks all of its accounts."
    )


class _RequestForm(forms.Form):
    """What is missing, and what the client is told of it."""

    kinds = forms.MultipleChoiceField(
        label=_("Documents"),
        choices=DocumentKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What the client is to send. The case comes back to you once all of it has come."),
    )
    text = forms.ChoiceField(
        label=_("Why"),
        choices=RequestText.choices,
        widget=UnfoldAdminSelectWidget,
        help_text=_("The client is told so, in its own language."),
    )


@act_on(KycCase)
class AskForMore(CaseAct):
    """Ask the client for documents."""

    name = "ask"
    title = _("Ask for more")
    icon = "contact_mail"
    form = _RequestForm
    explanation = _("The client is asked for documents, and the case waits for it. You can still decide meanwhile.")

    def is_offered(self, subject: KycCase) -> bool:
        """Offer it while the case is open and its client was not asked already."""
        return super().is_offered(subject) and not subject.requests.filter(answered_at=None).exists()

    def carry_out(self, *, subject: KycCase, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Ask."""
        casework.request_information(
            case_id=subject.pk, kinds=answers["kinds"], text=answers["text"], actor=actor, now=now
        )
        return gettext("The client is told what to send. The case waits for it.")


class _NoteForm(forms.Form):
    """A note."""

    text = forms.CharField(
        label=_("Note"),
        max_length=casework.NOTE_LENGTH,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text=_("For whoever works on this case next. It is kept for good."),
    )


@act_on(KycCase)
class AddNote(CaseAct):
    """Write something down."""

    name = "note"
    title = _("Add note")
    icon = "note_add"
    form = _NoteForm
    explanation = _("Your note stands on the case for all staff who may see it. It cannot be changed.")

    def carry_out(self, *, subject: KycCase, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Keep the note."""
        casework.add_note(case_id=subject.pk, text=answers["text"], actor=actor, now=now)
        return gettext("Your note is kept.")


class _CheckForm(forms.Form):
    """What was checked, and what came of it."""

    kind = forms.ChoiceField(label=_("Checked"), choices=CheckKind.choices, widget=UnfoldAdminSelectWidget)
    outcome = forms.ChoiceField(label=_("Outcome"), choices=_OUTCOMES, widget=UnfoldAdminSelectWidget)


@act_on(KycCase)
class RecordCheck(CaseAct):
    """Write down what came of a check. Its buttons stand beside the checks."""

    name = "check"
    title = _("Record check")
    icon = "fact_check"
    form = _CheckForm
    explanation = _("What you have checked is kept with your name. A wrong one is made anew; the newest counts.")

    def is_offered(self, subject: KycCase) -> bool:
        """Offer it beside each check only."""
        return False

    def carry_out(self, *, subject: KycCase, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Keep the outcome."""
        check = casework.record_check(
            case_id=subject.pk, kind=answers["kind"], is_passed=answers["outcome"] == "passed", actor=actor, now=now
        )
        return format_html(
            "{}: {}.", check.get_kind_display(), gettext("passed") if check.is_passed else gettext("failed")
        )


class _ExpiryForm(forms.Form):
    """Until when a document is good."""

    document = forms.ChoiceField(label=_("Document"), widget=UnfoldAdminSelectWidget)
    expires_on = forms.DateField(
        label=_("Good until"), widget=UnfoldAdminDateWidget, help_text=_("The last day, as it stands on the document.")
    )


@act_on(KycCase)
class RecordExpiry(CaseAct):
    """Write down until when a document is good. Its buttons stand beside the documents."""

    name = "expiry"
    title = _("Record expiry")
    icon = "event_busy"
    form = _ExpiryForm
    explanation = _(
        "A document that has expired makes the client riskier. One that expires later brings the next review forward "
        "to that day."
    )

    def is_offered(self, subject: KycCase) -> bool:
        """Offer it beside each document only."""
        return False

    def make_form(self, subject: KycCase, **filled_in: Any) -> forms.Form:
        """Return the form with the client's documents."""
        form = super().make_form(subject, **filled_in)
        documents = subject.client.documents.order_by("-id")
        choices = [(str(each.pk), f"{each.get_kind_display()}, {show_day(each.created_at)}") for each in documents]
        form.fields["document"].choices = choices  # type: ignore[attr-defined]
        return form

    def carry_out(self, *, subject: KycCase, seen: str, answers: Mapping[str, Any], actor: User, now: datetime) -> str:
        """Keep the day."""
        expiry = casework.record_expiry(
            case_id=subject.pk,
            document_id=UUID(answers["document"]),
            expires_on=answers["expires_on"],
            actor=actor,
            now=now,
        )
        return gettext("The document is good until %(day)s.") % {"day": show_day(expiry.expires_on)}
