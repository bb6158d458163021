"""The names of models and fields, and what explains fields, in the reader's language.

Django makes names of those in the code, or takes `verbose_name`. Each becomes a text that is translated when it is
shown; migrations compare what the code says, so they do not see it.
"""

from collections.abc import Iterator
from typing import Any

import pghistory.models
from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Model
from django.utils.translation import gettext_lazy, override


def list_names(app: AppConfig) -> Iterator[str]:
    """Yield the names of an app, its models and their fields, and what explains the fields that a page shows."""
    yield str(app.verbose_name)
    for model in _list_models(app):
        yield from (str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
        yield from (str(field.verbose_name) for field in model._meta.local_fields)
        yield from (str(field.help_text) for field in model._meta.local_fields if field.name in _list_shown(model))


def translate_names(app: AppConfig) -> None:
    """Let them be translated."""
    app.verbose_name = _translate(app.verbose_name)
    for model in _list_models(app):
        model._meta.verbose_name = _translate(model._meta.verbose_name)
        model._meta.verbose_name_plural = _translate(model._meta.verbose_name_plural)
        for field in model._meta.local_fields:
            field.verbose_name, field.help_text = _translate(field.verbose_name), _translate(field.help_text)


def _list_models(app: AppConfig) -> list[type[Model]]:
    """Return its models but for the histories, which have no page."""
    return [model for model in app.get_models() if not issubclass(model, pghistory.models.Event)]


def _list_shown(model: type[Model]) -> set[str]:
    """Return what the page of a model shows; Django explains a column, too, that is called as a field is."""
    page = admin.site._registry.get(model)
    shown: list[Any] = flatten_fieldsets(page.fieldsets or ()) if page else []
    return {getattr(each, "__name__", each) for each in shown}


def _translate(name: object) -> Any:
    with override(None):  # a plural that Django makes is lazy too, and says its "s" in any language
        said = str(name)
    return gettext_lazy(said) if said else ""
