"""The catalogue of events: what is published is what it says, and holds no personal data."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from jsonschema import Draft202012Validator

from accounts.models import Account
from accounts.services import (
    block_account,
    inactivate_account,
    inactivate_client,
    open_account,
)
from accounts.states import BlockScope
from core.ids import uuid7
from core.models import User
from events.catalogue import CATALOGUE, Schema, list_schemas
from events.catalogue.page import make_example
from events.catalogue.schemas import Document, make_document, read_documents
from events.dead_letters import discard_dead_letter, replay_dead_letter
from events.inbox import bury
from events.messages import Message, make_message
from events.models import DeadLetter, Event
from events.topics import TOPICS, fan_out
from kyc.cases import decide_case, reopen_case
from kyc.casework import add_note, dispose_hit, record_check, record_expiry, request_information
from kyc.models import Client, KycCase, ScreeningHit
from kyc.reviews import run_reviews
from kyc.screening.lists import load_list
from kyc.selectors import get_fingerprint
from kyc.services import add_document, record_sign_in, register_client, update_client
from ledger.holds import capture_hold, expire_holds, place_hold, release_hold
from ledger.services import reverse_entry
from notifications.models import Delivery
from notifications.services import Draft, make_deliveries, make_notifications, send_again
from notifications.states import Channel, Kind
from reporting.regulatory.models import DailySummary, Report
from reporting.regulatory.services import resubmit, resubmit_summary, retry_all_now, retry_now
from tests.antifraud.rulebook import put_in_force, rule
from tests.events.delivery import deliver_all
from tests.events.facts import make_record, transfer
from tests.factories import make_account, make_cpf, make_staff, pay_in, screen, set_overdraft_limit, unblock_account
from tests.files import make_jpeg
from tests.kyc.sanctions import write_list
from tests.payments.cashier import complete, give_back, make_payment, submit
from tests.payments.suspense import keep_in_suspense, pay_out
from tests.rails.desk import do_every_act
from tests.regulatory.reports import make_summary
from tests.reversals.undoing import undo
from tests.standing_orders.orders import carry_out, give
from transfers.antifraud.reviews import accept_transfer
from transfers.antifraud.services import lift_listing, list_party
from transfers.antifraud.states import ListingEffect
from transfers.payments.reviews import accept_payment
from transfers.standing_orders.services import cancel_standing_order

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CPF = make_cpf(number=987_654_321)
BALANCES = "account.balance.updated"
CANARIES = ("Canaria", "Amarela", "canary", CPF, "1990-05-17", "Bruno", "DE8937")


def live_every_life() -> None:
    """Let every event happen, with canaries in whatever people type."""
    staff = make_staff(username="canary-staff")
    client = live_as_a_client(staff)
    account = live_as_an_account(client, staff)
    move_money(account)
    pay_other_banks(staff)
    give_standing_orders()
    hold_funds(account)
    inactivate_client(client_id=client.id, reason="Canaria asked to leave", actor=staff, now=NOW)
    notify(client, staff)
    report(staff)
    bury_messages(staff)
    arouse_suspicion(staff)


def arouse_suspicion(staff: User) -> None:
    """Let a transfer and a payment be in review and accepted, by rules of two people, and list a debtor."""
    put_in_force(rule("new_counterparty", from_amount={"*": 1}), rule("velocity", per_hour=1))
    debtor = make_account(balance=200)
    held = transfer(debtor=debtor, creditor=make_account(), amount=100)
    why: dict[str, Any] = {"reason": "Canaria was called", "actor": staff, "now": timezone.now()}
    accept_transfer(transfer_id=held.id, **why)
    payer = make_account(balance=100)
    make_payment(payer)
    accept_payment(payment_id=make_payment(payer).pk, **why)
    for change in (list_party, lift_listing):
        change(party_id=debtor.pk, effect=ListingEffect.BLOCKED, **why)


def notify(client: Client, staff: User) -> None:
    """Ask for an e-mail, and let staff send again what could not be delivered."""
    draft = Draft(uuid7(), 1, NOW, Kind.CLIENT_CREATED, {}, about=client.pk, client_id=client.pk)
    with transaction.atomic():
        make_notifications(drafts=[draft], now=NOW)
        make_deliveries(notification_ids=[draft.notification_id], channel=Channel.EMAIL, now=NOW)
    Delivery.objects.update(state="failed", ended_at=NOW)
    send_again(delivery_id=Delivery.objects.get().pk, reason="Canaria complained", actor=staff, now=NOW)


def report(staff: User) -> None:
    """Let staff hasten reports, and submit again what the regulator refused."""
    why: dict[str, Any] = {"reason": "Canaria complained", "actor": staff, "now": NOW}
    transfer(debtor=None, creditor=make_account(), amount=5)
    deliver_all(group="regulatory")
    waiting = Report.objects.latest("pk")
    retry_now(report_id=waiting.pk, **why)
    retry_all_now(**why)
    refused = {"state": "refused", "refusal_code": "rejected_by_rule", "decided_at": NOW}
    Report.objects.filter(pk=waiting.pk).update(**refused)
    resubmit(report_id=waiting.pk, **why)
    summary = make_summary()
    DailySummary.objects.update(**refused)
    resubmit_summary(summary_id=summary.pk, **why)


def bury_messages(staff: User) -> None:
    """Bury a message that is replayed, and what is no message and is discarded."""
    why: dict[str, Any] = {"reason": "Canaria complained", "actor": staff, "now": NOW}
    balance = {"account": make_account().pk, "currency": "BRL", "booked": 0, "pending": 0, "available": 0, "version": 1}
    message = make_message(topic=BALANCES, subject=balance["account"], sequence=1, time=NOW, data=balance)
    for value, handle in ((message.encode(), replay_dead_letter), (None, discard_dead_letter)):
        record = make_record(value, topic=BALANCES)
        bury(group="balances", record=record, error=ValueError(f"Canaria, {CPF}"), attempts=1)
        handle(letter_id=DeadLetter.objects.get(state="waiting").pk, **why)


def live_as_a_client(staff: User) -> Client:
    client = register_client(
        name="Canaria da Silva",
        email="canary@example.com",
        document_type="cpf",
        document_number=CPF,
        birth_date=date(1990, 5, 17),
        password="canary-Passphrase-42",
        username="canary-user",
        now=NOW,
    )
    decide: dict[str, Any] = {"decided_by": staff, "reason": f"Canaria has the CPF {CPF}", "now": NOW}
    record_client_sign_in(client)
    update_client(client_id=client.id, name="Canaria Amarela", email="canary-two@example.com", now=NOW)
    add_document(client_id=client.id, kind="selfie", file=make_jpeg(comment=b"Canaria da Silva"), now=NOW)
    case = KycCase.objects.get(client=client)
    decide_case(case_id=case.id, seen=get_fingerprint(case=case), decision="rejected", **decide)
    reopened = reopen_case(client_id=client.id, reason="Canaria came back", actor=staff, now=NOW)
    work_on_case(reopened, staff)
    reopened.refresh_from_db()
    decide_case(case_id=reopened.id, seen=get_fingerprint(case=reopened), decision="verified", **decide)
    review(client)
    return client


def work_on_case(case: KycCase, staff: User) -> None:
    """Let a case have everything: a hit, a check, a note, a document's expiry, and a question to its client."""
    load_list(path=write_list(name="Canaria Amarela", birth_dates=["1991"]), now=NOW)
    screen(client=case.client, now=NOW)
    why: dict[str, Any] = {"case_id": case.pk, "actor": staff, "now": NOW}
    hit = ScreeningHit.objects.get()
    dispose_hit(hit_id=hit.pk, disposition="false_positive", reason="Not Canaria", **why)
    record_check(kind="identity_legible", is_passed=True, **why)
    add_note(text="Canaria is a bird", **why)
    document = case.client.documents.get()
    record_expiry(document_id=document.pk, expires_on=date(2030, 1, 1), **why)
    request_information(kinds=["address"], text="missing", **why)


def review(client: Client) -> None:
    """Let a review fall due, and its grace end."""
    for days in (800, 900):
        run_reviews(clock=lambda at=NOW + timedelta(days=days): at, seconds=60)  # type: ignore[misc]
    case = client.cases.get(status="in_review")
    screen(client=client, now=NOW)
    case.refresh_from_db()
    decide_case(
        case_id=case.pk,
        seen=get_fingerprint(case=case),
        decision="verified",
        decided_by=make_staff(),
        reason="Seen",
        now=NOW + timedelta(days=901),
    )


def record_client_sign_in(client: Client) -> None:
    with transaction.atomic():
        record_sign_in(user=client.user, now=NOW)


def live_as_an_account(client: Client, staff: User) -> Account:
    why: dict[str, Any] = {"reason": "Canaria wants it", "actor": staff, "now": NOW}
    account = open_account(client_id=client.id, kind="checking", currency="BRL", now=NOW)
    for scope in BlockScope:
        block_account(account_id=account.pk, scope=scope, **why)
    unblock_account(account_id=account.pk, **why)
    set_overdraft_limit(account_id=account.pk, overdraft_limit=100, **why)
    inactivate_account(account_id=account.pk, **why)
    return open_account(client_id=client.id, kind="checking", currency="BRL", now=NOW)


def move_money(account: Account) -> None:
    """Pay in, move to and fro, fail to pay out, and reverse an entry and a transfer; the account is empty after it."""
    other = make_account()
    for debtor, creditor, amount in ((None, account, 30), (account, other, 30), (other, None, 31), (other, None, 30)):
        transfer(debtor=debtor, creditor=creditor, amount=amount)
    with transaction.atomic():
        reverse_entry(entry_id=pay_in(account_id=account.pk, amount=50), now=NOW)
    undo(transfer_id=transfer(debtor=None, creditor=account, amount=5).id, now=NOW)


def hold_funds(account: Account) -> None:
    """Hold funds and let each hold end in its own way; the account is empty after it."""
    other = make_account()
    pay_in(account_id=account.pk, amount=30)
    with transaction.atomic():
        captured = place_hold(account_id=account.pk, amount=30, now=NOW)
        capture_hold(hold_id=captured.id, credit_account_id=other.pk, code="purchase", now=NOW)
        released = place_hold(account_id=other.pk, amount=30, now=NOW)
        release_hold(hold_id=released.id, now=NOW)
        place_hold(account_id=other.pk, amount=30, now=NOW, expires_at=NOW + timedelta(seconds=1))
    expire_holds(now=NOW + timedelta(seconds=1))


def pay_other_banks(staff: User) -> None:
    """Let a payment go each step that there is, and staff do what they may about the rail."""
    held = make_payment(make_account(balance=100))
    do_every_act(payment=held, staff=staff, reason="Canaria complained", now=NOW)
    payment = make_payment(make_account(balance=100), submit, complete, give_back)
    assert payment.status == "returned"
    pay_out(*keep_in_suspense())


def give_standing_orders() -> None:
    """Let standing orders end in each way that there is."""
    debtor, creditor = make_account(balance=100), make_account()
    cancelled = give(debtor, creditor)
    cancel_standing_order(order_id=cancelled.pk, client_id=cancelled.client_id, now=NOW)
    give(debtor, creditor)
    closed = make_account()
    give(make_account(), closed)
    inactivate_account(account_id=closed.pk, reason="Canaria wants it", actor=None, now=NOW)
    carry_out()


@pytest.fixture
def messages(db: None) -> list[Message]:
    """Everything that is published of lives in which every event happens."""
    live_every_life()
    return [message for event in Event.objects.order_by("seq") for message in fan_out(event)]


def list_published() -> set[str]:
    return {telling.name for tellings in TOPICS.values() for telling in tellings}


def name_in_catalogue(message: Message) -> str:
    """Return under which name the message's topic is in the catalogue: all topics of dead letters are one."""
    return "dlq" if message.type.startswith("dlq.") else message.type


def get_schema(message: Message) -> Document:
    """Return the JSON Schema that stands in events/schemas under the message's dataschema."""
    return {document["$id"]: document for document in read_documents().values()}[str(message.dataschema)]


def test_every_message_is_what_its_schema_says(messages: list[Message]) -> None:
    schemas = {document["$id"]: Draft202012Validator(document) for document in read_documents().values()}

    assert set(Event.objects.values_list("type", flat=True)) == TOPICS.keys(), "every event should happen"
    for message in messages:
        name = name_in_catalogue(message)
        schemas[str(message.dataschema)].validate(json.loads(message.encode())["data"])
        assert message.dataschema == Schema(name, len(CATALOGUE[name].versions)).uri
    assert {name_in_catalogue(message) for message in messages} == list_published()


def test_a_message_has_no_other_fields_than_its_schema_names(messages: list[Message]) -> None:
    for message in messages:
        assert json.loads(bytes(message.data)).keys() == get_schema(message)["properties"].keys()


def test_no_message_holds_personal_data(messages: list[Message]) -> None:
    told = b"".join(message.encode() for message in messages).lower()

    assert not [canary for canary in CANARIES if canary.lower().encode() in told]
    assert b"reason" not in told


def test_a_message_is_under_the_key_that_the_catalogue_names(messages: list[Message]) -> None:
    for message in messages:
        data = json.loads(bytes(message.data))
        key = CATALOGUE[name_in_catalogue(message)].key
        if key == "the client's id":
            assert message.subject == UUID(data["client"])
        if key == "the account's id":
            assert message.subject == UUID(data["account"])


def test_what_is_published_is_no_draft_and_what_is_a_draft_is_not_published() -> None:
    drafts = {topic.name for topic in CATALOGUE.values() if topic.is_draft}

    assert drafts == CATALOGUE.keys() - list_published()


@pytest.mark.parametrize(("schema", "data_type"), list_schemas(), ids=lambda value: getattr(value, "uri", ""))
class TestEveryVersion:
    """What holds for the class and the schema of each version of each topic."""

    def test_has_a_valid_schema_in_one_piece(self, schema: Schema, data_type: Any) -> None:
        document = make_document(schema=schema, data_type=data_type)

        Draft202012Validator.check_schema(document)
        assert "$ref" not in json.dumps(document)
        assert document["$id"] == schema.uri

    def test_says_what_it_tells_and_what_each_field_is(self, schema: Schema, data_type: Any) -> None:
        document = make_document(schema=schema, data_type=data_type)

        assert document["description"].endswith(".")
        assert all(field["description"].endswith(".") for field in document["properties"].values())
        assert document["required"] == list(document["properties"])

    def test_has_an_example_that_is_valid(self, schema: Schema, data_type: Any) -> None:
        document = make_document(schema=schema, data_type=data_type)

        Draft202012Validator(document).validate(make_example(document=document))
