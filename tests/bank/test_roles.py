"""The table of roles: nobody holds what two people are for, and the database says so, too."""

from functools import partial
from itertools import combinations

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction

from bank.roles import FORBIDDEN_PAIRS, ROLES
from core.db import get_constraint_name
from core.errors import BankError, InvalidInputError
from core.models import ForbiddenPair, RoleEntry, User
from core.roles import RolesExcludeEachOtherError, list_roles, set_roles
from tests.admin.conftest import make_member
from tests.factories import make_staff
from tests.races.rivals import run_together

PAIRS = [frozenset((pair.one, pair.other)) for pair in FORBIDDEN_PAIRS]


@pytest.mark.parametrize("pair", FORBIDDEN_PAIRS, ids=lambda pair: f"{pair.one} + {pair.other}")
def test_two_roles_that_exclude_each_other_share_no_duty(pair: tuple[str, str, str]) -> None:
    one, other = ROLES[pair[0]], ROLES[pair[1]]

    assert set(one.does).isdisjoint(other.does) or "partner" in pair[:2]  # a partner's one duty is an operation's, too


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("pair", [pair for pair in FORBIDDEN_PAIRS if "partner" not in pair], ids=str)
def test_no_role_does_what_two_that_exclude_each_other_do(role: str, pair: tuple[str, str, str]) -> None:
    does = set(ROLES[role].does)

    assert not (does & set(ROLES[pair[0]].does) and does & set(ROLES[pair[1]].does))


def test_the_pairs_that_must_be_kept_apart_are_forbidden() -> None:
    people = set(ROLES) - {"partner"}
    expected = [{"ops_maker", "ops_checker"}, {"teller", "ops_checker"}, {"kyc_analyst", "kyc_approver"}]
    for decider in ("kyc_analyst", "kyc_approver"):
        expected += [{role, decider} for role in ("teller", "ops_maker", "ops_checker")]
    expected += [{lonely, role} for lonely in ("auditor", "administrator") for role in people - {lonely}]
    expected += [{"partner", role} for role in people]

    assert set(PAIRS) == {frozenset(pair) for pair in expected}
    assert len(PAIRS) == len(set(PAIRS))


def test_an_auditor_does_nothing_and_an_administrator_no_business() -> None:
    assert ROLES["auditor"].does == ()
    assert {name.split(".")[0] for name in ROLES["administrator"].does} == {"core", "rights"}


def test_what_a_role_does_is_nothing_that_is_only_seen() -> None:
    for terms in ROLES.values():
        assert not [name for name in terms.does if ".view_" in name]
        assert len(terms.sees + terms.does) == len(terms.permissions)


@pytest.mark.django_db
def test_the_database_has_the_table_and_nothing_else() -> None:
    pairs = {(pair.one.group.name, pair.other.group.name, pair.reason) for pair in ForbiddenPair.objects.all()}

    assert [role.group.name for role in RoleEntry.objects.all()] == list(ROLES)
    assert pairs == set(FORBIDDEN_PAIRS)


@pytest.mark.django_db
@pytest.mark.parametrize("pair", [sorted(pair) for pair in combinations(ROLES, 2)], ids=" + ".join)
def test_a_user_gets_two_roles_unless_they_exclude_each_other(pair: list[str]) -> None:
    user = make_staff()

    if frozenset(pair) in PAIRS:
        with pytest.raises(RolesExcludeEachOtherError), transaction.atomic():
            set_roles(user=user, roles=pair)
        assert list_roles(user=user) == []
    else:
        set_roles(user=user, roles=pair)
        assert {role.group.name for role in list_roles(user=user)} == set(pair)


@pytest.mark.django_db
def test_raw_sql_gives_no_second_role_of_a_pair_either() -> None:
    maker, checkers = make_member("ops_maker"), Group.objects.get(name="ops_checker")

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        User.groups.through.objects.create(user_id=maker.pk, group_id=checkers.pk)

    assert get_constraint_name(refused.value) == "core_user_duties_apart"


@pytest.mark.django_db
def test_nobody_has_a_permission_outside_a_role() -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        make_staff().user_permissions.add(Permission.objects.first())  # type: ignore[arg-type]

    assert get_constraint_name(refused.value) == "core_user_roles_alone"


@pytest.mark.django_db
def test_a_role_that_does_not_exist_is_refused() -> None:
    Group.objects.create(name="friends")

    for name in ("friends", "nobody"):
        with pytest.raises(InvalidInputError):
            set_roles(user=make_staff(), roles=[name])


@pytest.mark.django_db(transaction=True)
def test_of_two_who_give_one_role_of_a_pair_each_one_wins() -> None:
    user = make_staff()

    def give(role: str) -> str:
        with transaction.atomic():
            group = Group.objects.get(name=role)
            try:
                user.groups.add(group)
            except IntegrityError as error:
                raise RolesExcludeEachOtherError from error
        return role

    outcomes = run_together(partial(give, "ops_maker"), partial(give, "ops_checker"))

    assert [isinstance(outcome, BankError) for outcome in outcomes].count(True) == 1
    assert user.groups.count() == 1
