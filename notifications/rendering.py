"""The texts of notifications, from templates/notifications: a file for each kind and language, made when it is shown.

The first line of a text is its title, which is also the subject of the e-mail.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.template.loader import render_to_string
from django.utils.numberformat import format as format_number

from accounts.models import Account
from core.money import format_amount
from notifications.models import Notification
from notifications.states import Language

ENGINE = "texts"
"""The engine of TEMPLATES that escapes nothing: what it makes is no HTML."""

_SYMBOLS = {"BRL": "R$", "EUR": "€", "GBP": "£", "USD": "US$"}
_SEPARATORS = {Language.EN: (".", ","), Language.PT_BR: (",", ".")}
_SHOWN_DIGITS = 4
_FOLD = re.compile("[ \n]+")  # \\s would match the space inside an amount, which is none to break a line at


class Text(NamedTuple):
    """A notification in words."""

    title: str
    body: str


def render_notifications(*, notifications: Sequence[Notification]) -> list[Text]:
    """Return the text of each notification, in its own language; one query for all."""
    numbers = _find_numbers(notifications)
    return [_render(notification, numbers) for notification in notifications]


def render_notification(*, notification: Notification) -> Text:
    """Return the text of a notification, in its own language."""
    return render_notifications(notifications=[notification])[0]


def render_email(*, notification: Notification, name: str) -> Text:
    """Return the subject and the whole text of the e-mail to a client called `name`."""
    text = render_notification(notification=notification)
    frame = {"name": name, "body": text.body}
    return Text(text.title, render_to_string(f"email/{notification.language}.txt", frame, using=ENGINE))


def format_money(*, amount_minor: int, currency: str, language: str) -> str:
    """Return minor units as people of a language write them: (123456, "BRL", "pt-br") is R$ 1.234,56."""
    point, separator = _SEPARATORS[Language(language)]
    figures = format_number(
        format_amount(amount_minor, currency), point, grouping=3, thousand_sep=separator, force_grouping=True
    )
    return f"{_SYMBOLS.get(currency, currency)}\xa0{figures}"


def _find_numbers(notifications: Iterable[Notification]) -> dict[str, str]:
    """Return the numbers of the accounts that the notifications are about, by id as facts write it."""
    ids = {each.facts["account"] for each in notifications if "account" in each.facts}
    rows = Account.objects.filter(pk__in=ids).values_list("pk", "number") if ids else ()
    return {str(pk): number for pk, number in rows}


def _render(notification: Notification, numbers: dict[str, str]) -> Text:
    template = f"{notification.kind}/{notification.language}.txt"
    rendered = render_to_string(template, _make_context(notification, numbers), using=ENGINE)
    title, _, body = rendered.strip().partition("\n")
    return Text(title, _FOLD.sub(" ", body))


def _make_context(notification: Notification, numbers: dict[str, str]) -> dict[str, Any]:
    """Return the facts as texts show them: of an account's number the end only."""
    facts = notification.facts
    context = {**facts, "happened_at": notification.happened_at}
    if "account" in facts:
        context["account_end"] = numbers[facts["account"]][-_SHOWN_DIGITS:]
    if "amount" in facts:
        context["amount"] = format_money(
            amount_minor=facts["amount"], currency=facts["currency"], language=notification.language
        )
    return context
