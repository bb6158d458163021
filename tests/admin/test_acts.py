"""Acts: done with the permission and a reason, by POST only, and a refusal explains itself."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Model
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import Account, AccountBlock
from accounts.states import AccountStatus
from approvals.models import Approval
from core.admin.acts import list_acts
from events.models import DeadLetter, Event
from kyc.models import Client, KycCase
from kyc.services import update_client
from kyc.states import ClientStatus, KycStatus
from ledger.models import LedgerAccount
from tests.admin.addresses import address
from tests.admin.conftest import Bank, bury_message, make_member, reserve
from tests.factories import make_account, make_alice, make_blocked_account, make_bob, make_staff, screen
from tests.presence import enter_as, prove_presence

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]

REASON = {"reason": "Asked for by letter"}

SUBJECTS = (Account, AccountBlock, Client, KycCase, DeadLetter)
CASEWORK = {"clear-hit", "confirm-hit", "ask", "note", "check", "expiry", "request-verification"}
"""Acts that end nothing and ask for other things than a reason: tests/admin/test_casework.py."""

LISTINGS = {"list", "unlist"}
"""Acts on a list of antifraud's, which leave the row as it is: tests/admin/test_listings.py."""

# A reveal changes nothing, and answers at once: tests/audit/test_reveal.py.
ELSEWHERE = {*CASEWORK, *LISTINGS, "reveal"}
ACTS = [(model, act) for model in SUBJECTS for act in list_acts(model) if act.name not in ELSEWHERE]


def _make_subject(model: type[Model], name: str) -> Any:
    """Make a row on which the act is due."""
    if model is Account:
        return make_account()
    if model is AccountBlock:
        return make_blocked_account().blocks.get()
    if model is KycCase:
        return make_bob().cases.get()
    if model is DeadLetter:
        return bury_message()
    return make_alice() if name == "inactivate" else make_bob()


def _fill_in(browser: Browser, path: str) -> dict[str, str]:
    """Return what the form of an act sends: the reason, what else one of them asks, and what the page hides in it."""
    hidden = re.search(r'name="seen" value="(\w*)"', browser.get(path).content.decode())
    assert hidden is not None
    return REASON | {"scope": "both", "overdraft_limit": "5.00", "seen": hidden[1]}


def _get_status(subject: Any) -> str:
    subject.refresh_from_db()
    if isinstance(subject, DeadLetter):
        return subject.state
    if isinstance(subject, AccountBlock):
        return str(Approval.objects.filter(subject=str(subject.pk)).count())
    if isinstance(subject, Account):
        return f"{subject.status} {Approval.objects.filter(subject=str(subject.pk)).count()}"
    status: str = subject.kyc_status + subject.status if isinstance(subject, Client) else subject.status
    return status


@pytest.mark.parametrize(("model", "act"), ACTS, ids=lambda value: getattr(value, "name", None) or value.__name__)
class TestEveryAct:
    """What holds for each act on each page."""

    def test_is_done_with_the_permission_and_kept_with_its_reason(self, model: type[Model], act: Any) -> None:
        subject = _make_subject(model, act.name)
        before, member = _get_status(subject), _make_member_with(model, act.permission)
        browser, path = _open_as(member), address(model, "act", subject.pk, act.name)

        page = browser.post(path, _fill_in(browser, path))

        assert (page.status_code, page["Location"]) == (302, address(model, "change", subject.pk))
        assert _get_status(subject) != before
        told = Event.objects.latest("seq").payload
        assert (told["reason"], told["actor"]) == (REASON["reason"], member.pk)

    def test_is_hidden_and_refused_without_the_permission(self, model: type[Model], act: Any) -> None:
        subject = _make_subject(model, act.name)
        browser = _open_as(_make_member_with(model))
        path, before = address(model, "act", subject.pk, act.name), _get_status(subject)

        page = browser.get(address(model, "change", subject.pk))

        assert path not in page.content.decode()
        assert browser.get(path).status_code == 403
        assert browser.post(path, REASON).status_code == 403
        assert _get_status(subject) == before

    def test_does_nothing_when_it_is_only_looked_at(self, model: type[Model], act: Any) -> None:
        subject = _make_subject(model, act.name)
        browser = _open_as(_make_member_with(model, act.permission))
        path, before = address(model, "act", subject.pk, act.name), _get_status(subject)

        assert path in browser.get(address(model, "change", subject.pk)).content.decode()
        assert browser.get(path, REASON).status_code == 200
        assert _get_status(subject) == before

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 256, "two\u2028lines"])
    def test_is_refused_without_a_proper_reason(self, model: type[Model], act: Any, reason: str) -> None:
        subject = _make_subject(model, act.name)
        browser = _open_as(_make_member_with(model, act.permission))
        before = _get_status(subject)

        page = browser.post(address(model, "act", subject.pk, act.name), {"reason": reason})

        assert page.status_code == 400
        assert _get_status(subject) == before

    def test_needs_the_token_against_forged_requests(self, model: type[Model], act: Any) -> None:
        subject = _make_subject(model, act.name)
        browser = Browser(enforce_csrf_checks=True)
        browser.force_login(_make_member_with(model, act.permission))
        prove_presence(browser)
        before = _get_status(subject)

        assert browser.post(address(model, "act", subject.pk, act.name), REASON).status_code == 403
        assert _get_status(subject) == before

    def test_a_repetition_is_explained(self, model: type[Model], act: Any) -> None:
        subject = _make_subject(model, act.name)
        browser = _open_as(_make_member_with(model, act.permission))
        path = address(model, "act", subject.pk, act.name)
        form = _fill_in(browser, path)
        browser.post(path, form)

        page = browser.post(path, form)

        assert page.status_code == 409
        assert "errornote" in page.content.decode()


def _make_member_with(model: type[Model], *permissions: str) -> Any:
    return make_staff(permissions=(f"{model._meta.app_label}.view_{model._meta.model_name}", *permissions))


def _open_as(member: Any) -> Browser:
    return enter_as(member)


def test_an_account_with_money_is_shown_as_such_and_refused_with_a_link(sign_in: SignIn) -> None:
    account = make_account(balance=12_34)
    browser, path = sign_in("ops_maker"), address(Account, "act", account.pk, "inactivate")

    preview, refusal = browser.get(path), browser.post(path, REASON)

    assert "12.34" in preview.content.decode()
    assert "Not empty" in preview.content.decode()
    assert refusal.status_code == 409
    text = refusal.content.decode()
    assert "must be empty" in text
    assert f'{address(Account, "change", account.pk)}">{account.number}</a>' in text
    assert REASON["reason"] in text  # typed once is enough


def test_an_account_with_a_hold_is_shown_as_such_and_refused(sign_in: SignIn) -> None:
    account = make_account(balance=12_34)
    reserve(account=account, amount=1_00)
    browser, path = sign_in("ops_maker"), address(Account, "act", account.pk, "inactivate")

    preview, refusal = browser.get(path), browser.post(path, REASON)

    assert "Money is moving" in preview.content.decode()
    assert refusal.status_code == 409
    assert "in progress" in refusal.content.decode()


def test_an_inactivated_account_shows_the_proof(sign_in: SignIn) -> None:
    account = make_account()

    page = sign_in("ops_maker").post(address(Account, "act", account.pk, "inactivate"), REASON, follow=True)

    event = Event.objects.get(key=account.pk, type="account.inactivated")
    text = page.content.decode()
    assert "Proof of inactivation" in text
    assert address(Event, "change", event.seq) in text
    assert address(Account, "act", account.pk, "inactivate") not in text


def test_a_client_with_one_full_account_keeps_them_all(sign_in: SignIn) -> None:
    alice = make_alice()
    empty, full = make_account(client=alice), make_account(client=alice, balance=5_00)
    browser, path = sign_in("ops_maker"), address(Client, "act", alice.pk, "inactivate")

    preview, refusal = browser.get(path).content.decode(), browser.post(path, REASON)

    assert preview.count("Ready") == preview.count("Cannot be closed") == 1
    assert refusal.status_code == 409
    assert address(Account, "change", full.pk) in refusal.content.decode()
    assert set(alice.accounts.values_list("status", flat=True)) == {AccountStatus.ACTIVE}
    assert Client.objects.get(pk=alice.pk).status == ClientStatus.ACTIVE
    assert LedgerAccount.objects.get(pk=empty.pk).closed_at is None


def test_a_client_with_empty_accounts_is_closed_with_all_of_them(sign_in: SignIn) -> None:
    alice = make_alice()
    make_account(client=alice)
    make_account(client=alice, currency="USD")

    page = sign_in("ops_maker").post(address(Client, "act", alice.pk, "inactivate"), REASON, follow=True)

    assert set(alice.accounts.values_list("status", flat=True)) == {AccountStatus.INACTIVE}
    assert "Proof: <a" in page.content.decode()


def test_the_maker_decides_no_case_and_the_checker_blocks_no_account(bank: Bank, sign_in: SignIn) -> None:
    maker, checker = sign_in("ops_maker"), sign_in("kyc_analyst")

    assert maker.post(address(KycCase, "act", bank.case.pk, "approve"), REASON).status_code == 403
    assert checker.post(address(Account, "act", bank.account.pk, "block"), REASON).status_code == 403
    path = address(KycCase, "act", bank.case.pk, "approve")
    assert checker.post(path, _fill_in(checker, path)).status_code == 302
    assert KycCase.objects.get(pk=bank.case.pk).status == KycStatus.VERIFIED


@pytest.mark.parametrize("act", ["approve", "reject"])
def test_a_client_that_changed_since_the_look_is_shown_anew_and_not_decided(act: str, sign_in: SignIn) -> None:
    bob, browser = make_bob(), sign_in("kyc_analyst")
    path = address(Client, "act", bob.pk, act)
    form = _fill_in(browser, path)
    update_client(client_id=bob.pk, name="Mallory Moreira", now=timezone.now())

    page = browser.post(path, form)

    bob.refresh_from_db()
    assert (page.status_code, bob.kyc_status) == (409, KycStatus.IN_REVIEW)
    assert "has changed since you looked" in page.content.decode()
    assert "<td>Mallory Moreira</td>" in page.content.decode()
    screen(client=bob)
    assert browser.post(path, _fill_in(browser, path)).status_code == 302


def test_what_is_decided_about_stands_beside_the_decision(sign_in: SignIn) -> None:
    bob = make_bob()

    page = sign_in("kyc_analyst").get(address(KycCase, "act", bob.cases.get().pk, "approve")).content.decode()

    assert all(f"<td>{text}</td>" in page for text in (bob.name, bob.email))
    assert bob.document_number not in page


def test_a_replay_that_fails_shows_why_and_the_letter_waits(sign_in: SignIn) -> None:
    letter = bury_message(data={"account": "x"})
    browser = sign_in("ops_maker")

    page = browser.post(address(DeadLetter, "act", letter.pk, "replay"), REASON)

    letter.refresh_from_db()
    assert (page.status_code, letter.state) == (422, "waiting")
    assert "ValidationError" in page.content.decode()
    assert "ValidationError" in browser.get(address(DeadLetter, "change", letter.pk)).content.decode()


def test_an_act_needs_the_right_to_see_its_subject() -> None:
    account = make_account()
    browser = _open_as(make_staff(permissions=("accounts.block_account",)))

    assert browser.post(address(Account, "act", account.pk, "block"), REASON).status_code == 403


def test_an_act_that_does_not_exist_is_not_found(bank: Bank, sign_in: SignIn) -> None:
    assert sign_in("admin").post(address(Account, "act", bank.account.pk, "rob"), REASON).status_code == 404
    assert sign_in("ops_maker").post(address(Account, "act", uuid4(), "block"), REASON).status_code == 404


def test_who_is_set_inactive_is_out_at_once(bank: Bank) -> None:
    maker = make_member("ops_maker")
    browser = _open_as(maker)
    maker.is_active = False
    maker.save(update_fields=["is_active"])

    assert browser.post(address(Account, "act", bank.account.pk, "block"), REASON).status_code == 302
    assert Account.objects.get(pk=bank.account.pk).status == AccountStatus.ACTIVE
