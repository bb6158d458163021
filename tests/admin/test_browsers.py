"""What answers tell browsers: to run no script within a page, to be framed by nobody, to keep nothing of staff's."""

import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.urls import reverse

from tests.admin.addresses import MODELS, address, get_newest
from tests.admin.conftest import Bank

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]

INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|\son\w+=\"|javascript:")


def read_policy(path: str) -> dict[str, set[str]]:
    """Return the sources by directive of the policy at `path`."""
    header = Browser().get(path)["Content-Security-Policy"]
    return {name: set(sources) for name, *sources in (directive.split() for directive in header.split("; "))}


@pytest.mark.parametrize("path", ["/api/docs/", "/api/schema/", "/api/v1/accounts", "/nothing/", "/livez", "/metrics"])
def test_outside_the_back_office_a_page_runs_nothing_but_our_files(path: str) -> None:
    policy = read_policy(path)

    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == {"'none'"}
    assert policy["script-src"] == policy["style-src"] == {"'self'"}


def test_in_the_back_office_alone_the_theme_may_evaluate_its_attributes() -> None:
    policy = read_policy(reverse("admin:login"))

    assert policy["script-src"] == {"'self'", "'unsafe-eval'"}
    assert policy["style-src"] == {"'self'", "'unsafe-inline'"}
    assert policy["default-src"] == policy["frame-ancestors"] == {"'none'"}
    assert policy["frame-src"] == {"'self'"}  # documents are shown in the page of their case


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/api/docs/", "/api/v1/accounts"])
def test_every_answer_says_what_else_is_refused(path: str) -> None:
    response = Browser().get(path)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


def test_nothing_that_staff_see_is_kept(sign_in: SignIn) -> None:
    browser = sign_in("auditor")

    for path in (reverse("admin:index"), reverse("admin:login"), "/admin/nothing/"):
        assert browser.get(path)["Cache-Control"] == "no-store", path


def test_no_page_of_the_back_office_has_a_script_within(bank: Bank, sign_in: SignIn) -> None:
    browser = sign_in("admin")
    pages = [reverse("admin:index"), *(address(model, "changelist") for model in MODELS)]
    pages += [address(model, "change", get_newest(model).pk) for model in MODELS]

    found = {path: INLINE_SCRIPT.findall(browser.get(path).content.decode()) for path in pages}

    assert {path: scripts for path, scripts in found.items() if scripts} == {}


def test_the_documentation_of_the_api_has_neither_script_nor_style_within() -> None:
    page = Browser().get("/api/docs/").content.decode()

    assert not INLINE_SCRIPT.search(page)
    assert "<style" not in page
    assert "style=" not in page
