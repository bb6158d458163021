"""Every operation, called by everybody, with the things of anybody: what `policy.py` says, and nothing else."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client as HttpClient
from django.utils import timezone

from accounts.models import Account
from accounts.numbers import make_number
from bank.roles import ROLES
from core.models import User
from core.scopes import Scope
from core.tokens import sign_access_token
from kyc.scopes import CUSTOMER_SCOPES
from tests.api.caller import Answer, Caller, make_token
from tests.api.session import sign_in
from tests.factories import make_partner, make_staff
from tests.security.calls import list_operations
from tests.security.policy import MISSING, POLICY, Refusal, Rule, Who
from tests.security.world import World, block

pytestmark = pytest.mark.django_db

NOT_AUTHENTICATED = (401, "not_authenticated")
INSUFFICIENT_SCOPE = (403, "insufficient_scope")
ACCOUNT_BLOCKED = (409, "account_blocked")

OPERATIONS = list(POLICY)
PROTECTED = [operation_id for operation_id, rule in POLICY.items() if rule.who is not Who.EVERYBODY]
TAKING_OWN = [operation_id for operation_id, rule in POLICY.items() if rule.own]
TAKING_ANY = [operation_id for operation_id, rule in POLICY.items() if rule.any]
ON_ACCOUNTS = [operation_id for operation_id, rule in POLICY.items() if "account" in rule.own.values()]
FILTERED = [operation_id for operation_id, rule in POLICY.items() if rule.filters]
MOVING = [operation_id for operation_id, rule in POLICY.items() if rule.moves]


def expect_nobody(rule: Rule) -> int | Refusal:
    """Return what becomes of a call whose token is none."""
    return rule.status if rule.who is Who.EVERYBODY else NOT_AUTHENTICATED


def expect_powerless(rule: Rule) -> int | Refusal:
    """Return what becomes of a call whose token is good for nothing that it asks for."""
    return rule.status if rule.who is Who.EVERYBODY else INSUFFICIENT_SCOPE


def expect_owner(rule: Rule) -> int | Refusal:
    """Return what becomes of Alice's call."""
    return INSUFFICIENT_SCOPE if rule.who is Who.PARTNERS else rule.status


def expect_other(rule: Rule) -> int | Refusal:
    """Return what becomes of another client's call that names Alice's things."""
    return MISSING[next(iter(rule.own.values()))] if rule.own else expect_owner(rule)


def expect_new(rule: Rule) -> int | Refusal:
    """Return what becomes of Bob's call; the bank does not know yet who Bob is."""
    return rule.when_new or expect_other(rule)


def expect_partner(rule: Rule) -> int | Refusal:
    """Return what becomes of a partner's call."""
    return INSUFFICIENT_SCOPE if rule.who is Who.CLIENTS else rule.status


class Role(NamedTuple):
    """Somebody who calls with a token, made for the scope that the operation asks for, and what is expected."""

    make_token: Callable[[World, Scope | None], str | None]
    expect: Callable[[Rule], int | Refusal]


def sign_staff(*groups: str, is_superuser: bool = False) -> str:
    """Return a token of a member of staff, for all scopes."""
    user = make_staff(is_superuser=is_superuser)
    user.groups.set(Group.objects.filter(name__in=groups))
    return make_token(user, *Scope)


def _sign_role(role: str, world: World, scope: Scope | None) -> str:
    return sign_staff(role)


def sign_expired(user: User) -> str:
    """Return a token whose time was over a second ago."""
    made_at = timezone.now() - timedelta(seconds=3601)
    return sign_access_token(user=user, scopes=frozenset(Scope), now=made_at)


def sign_former_partner() -> str:
    """Return a token of a partner from whom the permission was taken since."""
    partner = make_partner()
    token = make_token(partner, *Scope)
    partner.groups.clear()
    return token


CALLERS: dict[str, Role] = {
    "nobody": Role(lambda world, scope: None, expect_nobody),
    "nonsense": Role(lambda world, scope: "nonsense", expect_nobody),
    "Alice, expired": Role(lambda world, scope: sign_expired(world.alice.client.user), expect_nobody),
    "Alice, with a refresh token": Role(
        lambda world, scope: str(sign_in(world.alice.client.user.username).data["refresh"]), expect_nobody
    ),
    "Bruno, who is inactive": Role(lambda world, scope: make_token(world.bruno.user, *Scope), expect_nobody),
    "Mallory, who is shut out": Role(lambda world, scope: make_token(world.mallory.user, *Scope), expect_nobody),
    "Alice": Role(lambda world, scope: make_token(world.alice.client.user, *CUSTOMER_SCOPES), expect_owner),
    "Alice, claiming all scopes": Role(lambda world, scope: make_token(world.alice.client.user, *Scope), expect_owner),
    "Alice, with this scope alone": Role(
        lambda world, scope: make_token(world.alice.client.user, *([scope] if scope else Scope)), expect_owner
    ),
    "Alice, with all scopes but this": Role(
        lambda world, scope: make_token(world.alice.client.user, *(set(Scope) - {scope})), expect_powerless
    ),
    "Bob, in review": Role(lambda world, scope: make_token(world.bob.user, *Scope), expect_new),
    "Carla": Role(lambda world, scope: make_token(world.carla.client.user, *Scope), expect_other),
    **{f"staff: {role}": Role(partial(_sign_role, role), expect_powerless) for role in ROLES if role != "partner"},
    "staff: no role": Role(lambda world, scope: sign_staff(), expect_powerless),
    "staff: partner, too": Role(lambda world, scope: sign_staff("partner"), expect_powerless),
    "staff: superuser": Role(lambda world, scope: sign_staff(is_superuser=True), expect_powerless),
    "a partner": Role(lambda world, scope: make_token(make_partner(), *Scope), expect_partner),
    "a former partner": Role(lambda world, scope: sign_former_partner(), expect_powerless),
}


def describe(answer: Answer) -> int | Refusal:
    """Return the status of a success, or the refusal."""
    return answer.status if answer.body["status"] == "success" else answer.refusal


@pytest.mark.parametrize("operation_id", OPERATIONS)
@pytest.mark.parametrize("name", CALLERS)
def test_lets_in_whom_the_policy_names(world: World, operation_id: str, name: str) -> None:
    rule, role = POLICY[operation_id], CALLERS[name]
    caller = Caller(role.make_token(world, rule.scope))

    answer = world.call(operation_id, caller=caller)

    assert describe(answer) == role.expect(rule)


@pytest.mark.parametrize("operation_id", [each for each in PROTECTED if list_operations()[each].method == "GET"])
def test_head_asks_for_what_get_does(operation_id: str) -> None:
    """An answer without a body has a status all the same."""
    operation = list_operations()[operation_id]
    path = operation.path.format(**dict.fromkeys(operation.get_parameters("path"), uuid4()))

    response = HttpClient().head(path)

    assert response.status_code == 401


# The token that was good before: who calls, and what for, is looked up at each request.


@pytest.mark.parametrize("operation_id", [each for each in PROTECTED if POLICY[each].who is Who.CLIENTS])
def test_a_client_who_is_shut_out_is_so_at_once(world: World, operation_id: str) -> None:
    alice = world.alice.client
    caller = Caller(make_token(alice.user, *CUSTOMER_SCOPES))
    assert caller.get("clients/me").status == 200

    User.objects.filter(pk=alice.user_id).update(is_active=False)

    assert world.call(operation_id, caller=caller).refusal == NOT_AUTHENTICATED


@pytest.mark.parametrize("operation_id", MOVING)
def test_a_block_of_the_account_stops_what_moves_its_money(world: World, operation_id: str) -> None:
    caller = Caller(make_token(world.alice.client.user, *CUSTOMER_SCOPES))
    block(world.alice.account)

    assert world.call(operation_id, caller=caller).refusal == ACCOUNT_BLOCKED


@pytest.mark.parametrize("operation_id", [each for each in ON_ACCOUNTS if not POLICY[each].moves])
def test_what_moves_no_money_does_not_mind_a_block(world: World, operation_id: str) -> None:
    block(world.alice.account)

    assert world.call(operation_id).status == POLICY[operation_id].status


# Another's things and none at all look alike.


def blank(answer: Answer, *sent: str) -> tuple[int, str, dict[str, str]]:
    """Return all that an answer is, but for the ids that were `sent` or made for it."""
    text = json.dumps(answer.body, sort_keys=True)
    for each in sent:
        text = text.replace(each, "...")
    return answer.status, text, {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}


@pytest.mark.parametrize("operation_id", TAKING_OWN)
def test_anothers_thing_looks_as_if_it_were_not_there(world: World, operation_id: str) -> None:
    for place, kind in POLICY[operation_id].own.items():
        foreign, missing = world.carla.things[kind], str(uuid4())

        answers = {each: world.call(operation_id, values={place: each}) for each in (foreign, missing)}

        assert answers[missing].refusal == MISSING[kind]
        assert blank(answers[foreign], foreign) == blank(answers[missing], missing)


@pytest.mark.parametrize("operation_id", ON_ACCOUNTS)
def test_anothers_number_looks_as_if_it_were_not_given(world: World, operation_id: str) -> None:
    in_body = POLICY[operation_id].own.keys() - list_operations()[operation_id].get_parameters("path").keys()
    for place in in_body:
        foreign, missing = world.carla.account.number, make_number()

        answers = {each: world.call(operation_id, values={place: each}) for each in (foreign, missing)}

        assert answers[missing].refusal == MISSING["account"]
        assert blank(answers[foreign], foreign) == blank(answers[missing], missing)
        assert world.call(operation_id, values={place: world.alice.account.number}).status < 300


@pytest.mark.parametrize("operation_id", TAKING_ANY)
def test_anybodys_thing_will_do_where_the_policy_says_so(world: World, operation_id: str) -> None:
    if POLICY[operation_id].who is Who.PARTNERS:
        caller = Caller(make_token(make_partner(), *Scope))
    else:
        caller = Caller(make_token(world.alice.client.user, *Scope))
    for place, kind in POLICY[operation_id].any.items():
        foreign, missing = world.carla.things[kind], str(uuid4())

        assert world.call(operation_id, caller=caller, values={place: missing}).refusal == MISSING[kind]
        assert world.call(operation_id, caller=caller, values={place: foreign}).status < 300


@pytest.mark.parametrize("operation_id", TAKING_OWN)
def test_a_thing_of_another_kind_is_missing(world: World, operation_id: str) -> None:
    for place, kind in POLICY[operation_id].places.items():
        others = {other: thing for other, thing in world.alice.things.items() if MISSING[other] != MISSING[kind]}
        others |= {"herself": str(world.alice.client.id)}

        refusals = {
            other: world.call(operation_id, values={place: thing}).refusal
            for other, thing in others.items()
            if thing != world.alice.things[kind]
        }

        assert refusals == dict.fromkeys(refusals, MISSING[kind])


MALFORMED = ["1", "me", "%00", "..", "' OR 1=1 --", "0" * 5000, "\U0001f600", "{}", "null"]
MALFORMED_IN_BODIES: list[object] = [
    *MALFORMED,
    "",
    None,
    5,
    True,
    [],
    {},
    ["018f9c1e-7b5a-7cc3-9d0e-2f6a1b3c4d5e"],
    "\u0000",
]


@pytest.mark.parametrize("operation_id", [each for each in PROTECTED if POLICY[each].places])
def test_what_is_no_id_is_refused(world: World, operation_id: str) -> None:
    operation, rule = list_operations()[operation_id], POLICY[operation_id]
    caller = Caller(make_token(make_partner(), *Scope)) if rule.who is Who.PARTNERS else None
    for place in rule.places:
        in_path = place in operation.get_parameters("path")
        expected = (404, "not_found") if in_path else (400, "validation_error")
        for value in MALFORMED if in_path else MALFORMED_IN_BODIES:
            answer = world.call(operation_id, caller=caller, values={place: value})

            assert (value, answer.refusal) == (value, expected)


@pytest.mark.parametrize("operation_id", FILTERED)
def test_a_filter_by_anothers_thing_finds_what_one_by_none_does(world: World, operation_id: str) -> None:
    for name, kind in POLICY[operation_id].filters.items():
        foreign, missing = world.carla.things[kind], str(uuid4())

        answers = {each: world.call(operation_id, query={name: each}) for each in (foreign, missing)}
        numbered = {
            each: world.call(operation_id, query={name: each}) for each in (world.carla.account.number, make_number())
        }

        assert blank(answers[foreign], foreign) == blank(answers[missing], missing)
        assert len({blank(answer, number)[:2] for number, answer in numbered.items()}) == 1
        assert world.call(operation_id, query={name: world.alice.things[kind]}).data["results"]


def test_the_bank_of_these_tests_is_one_in_which_things_cross(world: World) -> None:
    """Else nothing foreign could show up anywhere."""
    assert Account.objects.filter(client=world.alice.client).count() == 2
    assert world.alice.things.keys() == world.carla.things.keys() == MISSING.keys()
    assert len({*world.alice.things.values(), *world.carla.things.values()}) == 2 * len(MISSING) - 1
