"""Acts: what staff may do to the subject of a page. Each has a button, asks for a reason and makes one service call."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.tables import Table
from core.errors import BankError
from core.language import Words
from core.models import User


class ReasonForm(forms.Form):
    """Why: kept with the act, and told in its event."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text=_("One sentence for whoever reads this in a year. It is kept for good; leave personal data out."),
    )


class Act:
    """What a subclass may do, to whom it is offered, and how it explains itself."""

    name: ClassVar[str]
    """In the page's address."""
    title: ClassVar[Words]
    """On the button."""
    explanation: ClassVar[Words]
    """What will happen, for a new colleague."""
    permission: ClassVar[str]
    icon: ClassVar[str]
    variant: ClassVar[ActionVariant] = ActionVariant.DEFAULT
    needs_proof: ClassVar[bool] = False
    """Whether only who has just proved to be there performs it: an open desk is no decision."""
    form: ClassVar[type[forms.Form]] = ReasonForm
    """What is asked; an act that asks for more than a reason overrides `carry_out`."""

    def make_form(self, subject: Any, **filled_in: Any) -> forms.Form:
        """Return the form about `subject`; `filled_in` is its `data`, or the `initial` values of the page's address."""
        return self.form(**filled_in)

    def is_offered(self, subject: Any) -> bool:
        """Tell whether the button makes sense now. The service, not this, decides whether the act is refused."""
        return True

    def is_for(self, *, user: User, subject: Any) -> bool:
        """Tell whether the act is for this user, who has its permission: a maker is no checker of their own request."""
        return True

    def list_findings(self, subject: Any) -> Sequence[Table]:
        """Return what is worth seeing before the act is confirmed."""
        return ()

    def get_fingerprint(self, subject: Any) -> str:
        """Return what changes with the data that is shown before the act is confirmed, if the act is bound to it."""
        return ""

    def perform(self, *, subject: Any, seen: str, reason: str, actor: User, now: datetime) -> str:
        """Call the service and return the sentence that tells what was done. Raises BankError.

        `seen` is the fingerprint of what stood on the page that was confirmed.
        """
        raise NotImplementedError

    def carry_out(
        self, *, subject: Any, seen: str, answers: Mapping[str, Any], actor: User, now: datetime
    ) -> str | Table:
        """Perform the act with what its form was answered. Raises BankError.

        A table in place of the sentence is shown to the actor in the answer, once, and to nobody else.
        """
        return self.perform(subject=subject, seen=seen, reason=answers["reason"], actor=actor, now=now)

    def explain(self, error: BankError) -> SafeString:
        """Return a refusal in words."""
        faults = format_html_join("", " {}", ((gettext(text),) for texts in error.errors.values() for text in texts))
        return format_html("{}{}", gettext(error.text), faults)


AnyAct = TypeVar("AnyAct", bound=type[Act])

_acts: dict[type[Model], dict[str, Act]] = defaultdict(dict)


def act_on(model: type[Model]) -> Callable[[AnyAct], AnyAct]:
    """Offer the decorated act on the pages of `model`."""

    def register(act: AnyAct) -> AnyAct:
        _acts[model][act.name] = act()
        return act

    return register


def list_acts(model: type[Model]) -> Sequence[Act]:
    """Return the acts on the pages of `model`."""
    return list(_acts[model].values())


def find_act(model: type[Model], name: str) -> Act | None:
    """Return the act called `name` on the pages of `model`, or None."""
    return _acts[model].get(name)


def list_offered_acts(request: HttpRequest, subject: Model) -> list[Act]:
    """Return the acts whose buttons the reader of a page sees."""
    acts = list_acts(type(subject))
    return [act for act in acts if may_act(request, act, subject) and act.is_offered(subject)]


def may_act(request: HttpRequest, act: Act, subject: Model) -> bool:
    """Tell whether whoever asks may perform the act on the subject."""
    user = request.user
    return isinstance(user, User) and user.has_perm(act.permission) and act.is_for(user=user, subject=subject)
