"""The page of roles shows what the database grants and refuses."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser

from bank.roles import FORBIDDEN_PAIRS
from core.models import ForbiddenPair, RoleEntry
from tests.admin.addresses import address
from tests.admin.conftest import make_member

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Browser]


def test_the_page_shows_what_the_database_grants(sign_in: SignIn) -> None:
    page = sign_in("auditor").get(address(RoleEntry, "changelist"))
    does, _, pairs, offenders = page.context["tables"]

    decide = next(row for row in does.rows if row[0].startswith("Work on KYC cases"))
    titles = [heading for heading, cell in zip(does.headings[1:], decide[1:], strict=True) if cell]
    assert titles == ["KYC analyst"]
    assert len(pairs.rows) == len(FORBIDDEN_PAIRS)
    assert offenders.rows == []
    assert "Nobody, as it should be." in page.content.decode()


def test_the_page_names_who_has_two_roles_that_exclude_each_other_since_before(sign_in: SignIn) -> None:
    ForbiddenPair.objects.all().delete()
    offender = make_member("ops_maker")
    offender.groups.add(Group.objects.get(name="ops_checker"))
    one, other = (RoleEntry.objects.get(group__name=name) for name in ("ops_maker", "ops_checker"))
    ForbiddenPair.objects.create(one=one, other=other, reason="From now on")

    *_, offenders = sign_in("auditor").get(address(RoleEntry, "changelist")).context["tables"]

    assert [row[1] for row in offenders.rows] == ["Operations maker, Operations checker"]


def test_a_roles_page_says_what_it_may_whom_it_excludes_and_who_has_it(sign_in: SignIn) -> None:
    approver, role = make_member("kyc_approver"), RoleEntry.objects.get(group__name="kyc_approver")

    page = sign_in("auditor").get(address(RoleEntry, "change", role.pk)).content.decode()

    assert "approve_kyccase" in page
    assert "Whoever asks for a client of high risk does not approve it." in page
    assert approver.username in page
    assert 'href="/admin/core/roleentry/"' in page
