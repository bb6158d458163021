"""A bank whose processes all run, and the outsiders around it, who know nothing of it but addresses."""

import email
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from email.message import EmailMessage
from email.policy import default
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx

from events.messages import Message
from tests.events.broker import read_topic, wait_until
from tests.factories import PASSWORD
from tests.notifications.mail_server import MailServer
from tests.simulators.process import SimulatorProcess

PATIENCE_SECONDS = 120.0
"""How long an outsider waits for what is to happen: the machine may be busy with other tests."""

Seen = TypeVar("Seen")


def wait_for(ask: Callable[[], Seen | None]) -> Seen:
    """Return what an outsider sees once there is something to be seen."""
    seen = wait_until(ask, seconds=PATIENCE_SECONDS)
    assert seen is not None
    return seen


class Customer:
    """Somebody who signs in at the API."""

    def __init__(self, url: str, username: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/api/v1/", timeout=30)
        signed_in = self._http.post("auth/token", json={"username": username, "password": PASSWORD})
        token = signed_in.raise_for_status().json()["data"]["access"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def send(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Ask for something once; return status and data."""
        answer = self._http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
        return answer.status_code, answer.json()["data"]

    def see(self, path: str) -> Any:
        """Return what is shown."""
        return self._http.get(path).raise_for_status().json()["data"]

    def see_balance(self, account_id: UUID) -> tuple[str, str]:
        """Return what is booked and what is available."""
        balance = self.see(f"accounts/{account_id}/balance")
        return balance["booked"], balance["available"]

    def list_news(self) -> list[str]:
        """Return the kinds of what the customer was told, the newest first."""
        return [each["kind"] for each in self.see("notifications")["results"]]

    def leave(self) -> None:
        """Close the connections."""
        self._http.close()


class Outside:
    """The addresses of the bank, and everybody whom it talks to."""

    def __init__(self, url: str, *, rail: SimulatorProcess, regulator: SimulatorProcess, mail: MailServer) -> None:
        self.url = url
        self.rail = rail
        self._regulator = regulator
        self._mail = mail

    def list_subjects(self, address: str) -> list[str]:
        """Return the subjects of the e-mails to `address`."""
        letters = (email.message_from_string(text, EmailMessage, policy=default) for text in self._mail.taken)
        return [letter["Subject"] for letter in letters if address in letter["To"]]

    def find_report(self, transfer_id: str) -> tuple[str, str] | None:
        """Return kind and amount of the report that the regulator has accepted of a transfer."""
        with closing(sqlite3.connect(self._regulator.state)) as register:
            found: tuple[str, str] | None = register.execute(
                "SELECT kind, amount FROM report WHERE id = ?", [transfer_id]
            ).fetchone()
        return found

    def wait_told(self, topic: str, account_id: UUID, **facts: object) -> None:
        """Return once Kafka holds a message on `topic` about the account with these facts in it."""

        told: list[Message] = []

        def is_told() -> bool:
            told[:] = read_topic(topic, count=len(told) + 1, key=account_id)
            return any(facts.items() <= json.loads(bytes(message.data)).items() for message in told)

        wait_for(is_told)
