"""What a member of staff does at the desk, in the words of the screen."""

import os
import re
from pathlib import Path

from django.db.models import Model
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Locator, Response, expect

from core.admin.cells import find_list, find_page
from core.models import User
from tests.factories import PASSWORD

expect.set_options(timeout=30_000)

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


class Desk:
    """A browser window in which one person works."""

    def __init__(self, browser: Browser, *, address: str) -> None:
        """Open an empty window; `address` is where the bank is served."""
        self._address = address
        self._complaints: list[str] = []
        self._context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        self.page = self._context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("pageerror", lambda error: self._complaints.append(f"script: {error}"))
        self.page.on("console", self._hear)
        self.page.on("response", self._look_at)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:  # `_look_at` judges those
            self._complaints.append(f"console: {message.text}")

    def _look_at(self, response: Response) -> None:
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self._complaints.append(f"{response.status}: {response.url}")

    def sign_in(self, user: User) -> None:
        """Sign in by name and password."""
        self.page.goto(self._address + reverse("admin:index"))
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()

    def open(self, path: str) -> None:
        """Go to a page of the bank."""
        self.page.goto(self._address + path)

    def open_home(self) -> None:
        """Go to the first page."""
        self.open(reverse("admin:index"))

    def open_list(self, model: type[Model], **filters: str) -> None:
        """Go to the list of a model."""
        self.open(find_list(model, **filters))

    def open_page(self, row: Model) -> None:
        """Go to the page of a row."""
        self.open(find_page(type(row), row.pk))

    def find_button(self, title: str) -> Locator:
        """Return the button of an act, whether it is there or not."""
        return self.page.get_by_role("link", name=re.compile(rf"\b{title}$"))  # the theme's icon is a word before it

    def act(self, title: str, *, reason: str, **fields: str) -> None:
        """Press the button of an act, say why, and confirm; `fields` are the form's others, by label."""
        self.find_button(title).click()
        self.confirm(title, reason=reason, **fields)

    def confirm(self, title: str, *, reason: str, **fields: str) -> None:
        """Fill in the form of an act that is open, and send it."""
        for label, value in fields.items():
            self.answer(label.replace("_", " "), value)
        self.page.get_by_label("Reason").fill(reason)
        self.page.get_by_role("button", name=re.compile(rf"\b{title}$")).click()

    def answer(self, label: str, value: str) -> None:
        """Fill in a field, or choose from its list."""
        field = self.page.get_by_label(label, exact=False).first
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)

    def expect_text(self, text: str) -> None:
        """Wait until the page says `text`."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def expect_no_act(self, row: Model) -> None:
        """See that the page of a row offers nothing to do."""
        self.open_page(row)
        expect(self.page.locator("a[href*='/act/']")).to_have_count(0)

    def read_status(self, path: str) -> int:
        """Return the status with which the bank answers a path."""
        return self.page.request.get(self._address + path).status

    def take_picture(self, name: str) -> None:
        """Keep a picture of the page for the README, if somebody asked for pictures: PICTURES=1."""
        if os.environ.get("PICTURES"):
            self.page.evaluate("document.fonts.ready.then(() => window.scrollTo(0, 0))")
            self.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    def leave(self) -> list[str]:
        """Close the window; return what its pages complained of: faults of ours, scripts, the content policy."""
        self._context.close()
        return self._complaints
