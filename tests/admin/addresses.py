"""The addresses of the back office's pages, derived from what is registered."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from core.admin.acts import list_acts

MODELS: list[type[Model]] = sorted(admin.site._registry, key=lambda model: model._meta.label)


def address(model: type[Model], page: str, *keys: Any) -> str:
    """Return the address of a page of `model`."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=keys)


def list_addresses(model: type[Model]) -> Iterator[str]:
    """Yield the addresses of all pages of `model` and of its newest row."""
    yield address(model, "changelist")
    yield address(model, "add")
    key = get_newest(model).pk
    yield from (address(model, page, key) for page in ("change", "delete", "history"))
    yield from (address(model, "act", key, act.name) for act in list_acts(model))


def get_newest(model: type[Model]) -> Any:
    """Return the newest row of `model`."""
    return model._default_manager.order_by("-pk")[0]
