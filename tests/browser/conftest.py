"""Members of staff in a real browser: Debian's Chromium, which Playwright drives."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from core.models import User
from tests.browser.desk import Desk

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say why nothing is walked where there is no browser. In CI that is a failure, not a skip."""
    if _find_chromium() is None and not os.environ.get("CI"):
        skip = pytest.mark.skip(reason="no Chromium on PATH (Debian: apt-get install chromium)")
        for item in items:
            if "tests/browser/" in item.nodeid:
                item.add_marker(skip)


def _find_chromium() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@pytest.fixture
def chromium(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Browser]:
    """A browser in which each member of staff has a profile of their own.

    Playwright runs a loop in the test's thread as long as it lives, and Django then refuses to ask the database there
    unless told that it may. So both begin after the bank is up and end before it is emptied.
    """
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_find_chromium(), chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()
        connections.close_all()  # the loop's context has its own, which nobody else would close


@pytest.fixture
def sit_down(chromium: Browser, live_server: LiveServer) -> Iterator[Callable[[User], Desk]]:
    """Return a function that signs a member of staff in and gives the desk; at the end no page had complained."""
    desks: list[Desk] = []

    def sit_down_as(user: User) -> Desk:
        desk = Desk(chromium, address=live_server.url)
        desks.append(desk)
        desk.sign_in(user)
        return desk

    yield sit_down_as
    complaints = [complaint for desk in desks for complaint in desk.leave()]
    assert complaints == []
