"""The realm for Keycloak and the code say the same of scopes, audience, types and lifetimes of tokens."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bank import settings as defaults
from core.scopes import Scope
from kyc.scopes import CUSTOMER_SCOPES

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = CHECKOUT / "deploy/keycloak/bank-realm.json"
REALM: dict[str, Any] = json.loads(FILE.read_text())
APP: dict[str, Any] = REALM["clients"][0]
CLIENT_SCOPES = {scope["name"]: scope for scope in REALM["clientScopes"]}
COMPOSE = CHECKOUT / "deploy/keycloak/compose.yml"


def get_claims(scope: str) -> dict[str, dict[str, str]]:
    """Return what a client scope writes into access tokens, by the kind of mapper."""
    mappers = CLIENT_SCOPES[scope].get("protocolMappers", [])
    return {
        each["protocolMapper"]: each["config"] for each in mappers if each["config"]["access.token.claim"] == "true"
    }


def test_the_app_may_ask_for_what_customers_are_granted_and_no_more() -> None:
    assert set(APP["optionalClientScopes"]) == set(CUSTOMER_SCOPES)
    assert set(Scope) & set(CLIENT_SCOPES) == set(CUSTOMER_SCOPES)


@pytest.mark.parametrize("scope", sorted(CUSTOMER_SCOPES))
def test_a_scope_of_the_bank_stands_in_the_token_and_writes_nothing_else(scope: str) -> None:
    assert CLIENT_SCOPES[scope]["attributes"]["include.in.token.scope"] == "true"
    assert get_claims(scope) == {}


def test_every_scope_that_a_client_names_exists() -> None:
    assert set(APP["defaultClientScopes"] + APP["optionalClientScopes"]) == set(CLIENT_SCOPES)


def test_a_token_is_for_the_audience_that_the_bank_expects() -> None:
    assert "bank-api" in APP["defaultClientScopes"]
    assert get_claims("bank-api")["oidc-audience-mapper"]["included.custom.audience"] == defaults.OIDC_AUDIENCE


def test_a_token_says_of_whom_it_is_and_whether_the_address_is_verified() -> None:
    """A realm with client scopes of its own has none of Keycloak's, so these have to write the claims."""
    assert {"basic", "email"} <= set(APP["defaultClientScopes"])
    assert "oidc-sub-mapper" in get_claims("basic")
    assert get_claims("email")["oidc-usermodel-attribute-mapper"]["claim.name"] == "email"
    assert get_claims("email")["oidc-usermodel-property-mapper"] | {"userinfo.token.claim": ""} == {
        "user.attribute": "emailVerified",
        "claim.name": "email_verified",
        "jsonType.label": "boolean",
        "id.token.claim": "true",
        "access.token.claim": "true",
        "userinfo.token.claim": "",
        "introspection.token.claim": "true",
    }


def test_a_token_is_signed_and_typed_as_the_bank_takes_it() -> None:
    assert APP["attributes"]["access.token.signed.response.alg"] == REALM["defaultSignatureAlgorithm"] == "RS256"
    assert APP["attributes"]["access.token.header.type.rfc9068"] == "true"


def test_a_token_lives_no_longer_than_the_banks_own() -> None:
    assert 0 < REALM["accessTokenLifespan"] <= defaults.ACCESS_TOKEN_SECONDS
    assert (REALM["revokeRefreshToken"], REALM["refreshTokenMaxReuse"]) == (True, 0)


def test_the_app_signs_in_by_code_and_proof_alone() -> None:
    assert APP["publicClient"]
    assert APP["attributes"]["pkce.code.challenge.method"] == "S256"
    flows = {"standardFlow", "implicitFlow", "directAccessGrants", "serviceAccounts"}
    assert {flow for flow in flows if APP[f"{flow}Enabled"]} == {"standardFlow"}
    assert not [address for address in APP["redirectUris"] + APP["webOrigins"] if "*" in address]


def test_addresses_are_verified_and_passwords_kept_from_guesses() -> None:
    assert REALM["verifyEmail"]
    assert not REALM["duplicateEmailsAllowed"]
    assert REALM["bruteForceProtected"]
    assert REALM["failureFactor"] <= defaults.FAILED_SIGN_INS_PER_ACCOUNT
    validators: list[Any] = list(defaults.AUTH_PASSWORD_VALIDATORS)
    [shortest] = [each["OPTIONS"]["min_length"] for each in validators if "OPTIONS" in each]
    assert f"length({shortest})" in REALM["passwordPolicy"].split(" and ")


def test_it_names_nobody_and_holds_no_secret() -> None:
    assert "users" not in REALM
    assert "secret" not in json.dumps(REALM).lower()


def test_the_compose_file_starts_keycloak_with_it() -> None:
    keycloak = yaml.safe_load(COMPOSE.read_text())["services"]["keycloak"]

    assert "--import-realm" in keycloak["command"]
    assert keycloak["volumes"] == [f"./{FILE.name}:/opt/keycloak/data/import/{FILE.name}:ro"]
    assert keycloak["environment"]["KC_BOOTSTRAP_ADMIN_PASSWORD"].startswith("${KEYCLOAK_ADMIN_PASSWORD:?")


def test_the_compose_file_conforms_to_the_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")

    result = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", COMPOSE], check=False, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_page_names_what_there_is() -> None:
    page = (CHECKOUT / "docs/openid.md").read_text()

    assert str(COMPOSE.relative_to(CHECKOUT)) in page
    for name in re.findall(r"\bOIDC_[A-Z_]+", page):
        assert hasattr(defaults, name)
