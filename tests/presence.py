"""Browsers of staff who have just proved to be there, without the pages on which they do."""

from django.test import Client as Browser
from django.utils import timezone

from core.models import User


def prove_presence(browser: Browser) -> None:
    """Let the session be as if its owner had given the second factor this moment."""
    session = browser.session
    session["confirmed_at"] = timezone.now().timestamp()
    session["has_factor"] = True
    session.save()


def enter_as(user: User) -> Browser:
    """Return the browser of somebody who signed in this moment."""
    browser = Browser()
    browser.force_login(user)
    prove_presence(browser)
    return browser
