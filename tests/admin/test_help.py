"""Every page explains itself to a new colleague, and an empty list says what to do."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.html import escape

from core.admin.acts import Act, list_acts
from tests.admin.addresses import MODELS, address, get_newest
from tests.admin.conftest import Bank

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]

ACTS = [(model, act) for model in MODELS for act in list_acts(model)]
WITHOUT_HELP = {"login", "logout", "jsi18n", "search", "autocomplete", "password_change", "openid", "second-factor"}
"""They are before the door, lead elsewhere, or are no pages."""


def list_own_pages() -> list[str]:
    """Return the addresses of pages of ours that need no row: searches, exports, forms."""
    return [path for path in _walk(get_resolver(), "/") if path.startswith("/admin/") and _is_own(path)]


def _walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each, path)
        elif isinstance(each, URLPattern) and not set("<^(") & set(path):
            yield path


def _is_own(path: str) -> bool:
    is_of_model = path.endswith("/add/") or path in {address(model, "changelist") for model in MODELS}
    return not is_of_model and path.split("/")[2] not in WITHOUT_HELP


@pytest.mark.parametrize("model", MODELS)
def test_a_list_and_a_page_say_what_they_are_for(model: type[Model], bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("admin")
    text = str(getattr(admin.site._registry[model], "help_text", ""))

    paths = (address(model, "changelist"), address(model, "change", get_newest(model).pk))
    shown = [browser.get(path).content.decode() for path in paths]

    assert text.endswith(".")
    assert len(text) > 60
    assert [escape(text) in page for page in shown] == [True, True]


@pytest.mark.parametrize("model", MODELS)
def test_an_empty_list_says_what_to_do(model: type[Model], sign_in: SignIn) -> None:
    text = str(getattr(admin.site._registry[model], "empty_text", ""))

    shown = sign_in("admin").get(address(model, "changelist"), {"q": "01a00000-0000-7000-8000-000000000000"})

    assert text.endswith(".")
    assert text != "Nothing matches."
    assert escape(text) in shown.content.decode()


@pytest.mark.parametrize(("model", "act"), ACTS, ids=lambda value: getattr(value, "name", str(value)))
def test_an_act_says_what_will_happen(model: type[Model], act: Act) -> None:
    assert str(act.explanation).endswith(".")
    assert len(str(act.explanation)) > 40


@pytest.mark.parametrize("path", list_own_pages())
def test_a_page_of_its_own_says_what_it_is_for(path: str, bank: Bank, sign_in: SignIn) -> None:
    response = sign_in("admin").get(path, follow=True)

    assert response.status_code == 200
    assert 'class="help-for-page"' in response.content.decode()


def test_the_first_page_says_where_to_begin(sign_in: SignIn) -> None:
    assert "begin with what has waited longest" in sign_in("ops_maker").get(reverse("admin:index")).content.decode()
