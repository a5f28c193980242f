import re
from pathlib import Path
from typing import Any

import pytest

from integrations.files.exporting import Placeholders
from integrations.files.reading import parse
from tenants.models import AuditEvent, Tenant, User
from tenants.scope import unscoped
from tests.factories import make_tenant
from tests.integrations.files.applied import apply_file, apply_tenant, basic, run

pytestmark = pytest.mark.django_db


def full() -> dict[str, Any]:
    """A tenant with a bit of everything."""
    make_tenant("globex")
    tenant = basic(
        staff=[
            {"username": "ada", "email": "ada@acme.example", "role": "admin", "password": "pw"},
            {"username": "bob", "home": "globex"},
        ]
    )
    tenant["auth_configs"][0] |= {
        "description": "no\nß: \u2028 'x' # y",
        "owner": "ada",
        "rotate_by": "2027-01-31",
        "disabled": True,
    }
    tenant["auth_configs"] += [
        {
            "name": "crm",
            "environment": "production",
            "method": "oauth2_password",
            "options": {
                "token_url": "https://auth.example.com/token?a=b",
                "client_id": "0123",
                "username": "yes",
                "scope": " a  b ",
                "header_prefix": "",
                "token_params": {"resource": ["https://a", "${env:X}"], "no": "on"},
            },
            "secrets": {"client_secret": "planted-client", "password": " planted-pw "},
        },
        {
            "name": "books",
            "environment": "staging",
            "method": "oauth2_authorization_code",
            "options": {
                "authorization_url": "https://auth.example.com/authorize?prompt=consent",
                "token_url": "https://auth.example.com/token",
                "client_id": "console",
                "authorize_params": {"access_type": "offline"},
                "issuer": "https://auth.example.com",
                "refresh_url": "https://auth.example.com/refresh",
                "refresh_params": {"expires": "3600", "for": ["a", "b"]},
                "revocation_url": "https://revoke.example.com/",
                "keepalive_days": 30,
                "token_response": {"access_token": "data.token"},
                "expiry_format": "iso8601",
                "default_lifetime": 3600,
                "expired_statuses": [403, 419],
                "expired_text": '"error":"token_expired"',
            },
            "secrets": {
                "client_secret": "planted-client",
                "refresh_token": "planted-seed",
                "secret_token_params": {"api-key": "planted-a", "api_key": ["planted-b"] * 2},
            },
        },
        {
            "name": "legacy",
            "environment": "staging",
            "method": "basic",
            "options": {"username": "svc"},
            "secrets": {"password": ""},
        },
    ]
    tenant["integrations"][0]["connections"] += [
        {
            "environment": "production",
            "name": "eu-1",
            "base_url": "https://eu.example.com",
            "auth_config": "crm",
            "headers": {"Accept": "text/xml", "X-Empty": ""},
            "query": {"limit": 5, "tag": ["a", "b"]},
            "test": {"method": "POST", "body": '{"a": 1}\n', "negative_control": False},
        },
        {"environment": "production", "base_url": "https://open.example.com"},
    ]
    return tenant


def exported(*arguments: str) -> str:
    told = run("export", *arguments)
    assert told.code == 0
    return told.stdout


def test_what_was_exported_is_nothing_to_do(tmp_path: Path) -> None:
    apply_tenant(tmp_path, full())
    told = apply_file(tmp_path, exported(), "--keep-secrets")

    assert (told.code, told.stdout, told.stderr) == (0, "nothing to do\n", "")
    pruned = apply_file(tmp_path, exported(), "--keep-secrets", "--prune")
    assert pruned.stdout == "nothing to do\n"


def test_into_an_empty_database_the_second_export_equals_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_tenant(tmp_path, full())
    first = exported()
    for name in re.findall(r"\$\{env:(OAC_[A-Z0-9_]+)\}", first):
        monkeypatch.setenv(name, f"value-of-{name}")
    with unscoped("a test starts over"):
        for model in ("connection", "integrationrevision", "integration"):
            Tenant._meta.apps.get_model("integrations", model)._base_manager.all().delete()
        Tenant._meta.apps.get_model("authconfigs", "authconfig")._base_manager.all().delete()
        User.objects.all().delete()
        Tenant.objects.all().delete()

    told = apply_file(tmp_path, first)
    assert (told.code, told.stderr) == (0, "")
    assert exported() == first


def test_no_secret_is_exported(tmp_path: Path) -> None:
    apply_tenant(tmp_path, full())

    assert "planted" not in exported()


def test_secrets_are_variables_named_after_where_they_belong(tmp_path: Path) -> None:
    apply_tenant(tmp_path, full())
    tenant = next(
        row for row in parse(exported().encode()).value["tenants"] if row["slug"] == "acme"
    )

    assert tenant["staff"][0]["password"] == "${env:OAC_ADA__PASSWORD}"
    assert "password" not in tenant["staff"][1]
    assert {row["name"]: row.get("secrets") for row in tenant["auth_configs"]} == {
        "crm": {
            "client_secret": "${env:OAC_ACME__PRODUCTION__CRM__CLIENT_SECRET}",
            "password": "${env:OAC_ACME__PRODUCTION__CRM__PASSWORD}",
        },
        "billing": {"value": "${env:OAC_ACME__STAGING__BILLING__VALUE}"},
        "books": {
            "client_secret": "${env:OAC_ACME__STAGING__BOOKS__CLIENT_SECRET}",
            "refresh_token": "${env:OAC_ACME__STAGING__BOOKS__REFRESH_TOKEN}",
            "secret_token_params": {
                "api-key": "${env:OAC_ACME__STAGING__BOOKS__SECRET_TOKEN_PARAMS__API_KEY}",
                "api_key": [
                    "${env:OAC_ACME__STAGING__BOOKS__SECRET_TOKEN_PARAMS__API_KEY_2}",
                    "${env:OAC_ACME__STAGING__BOOKS__SECRET_TOKEN_PARAMS__API_KEY_3}",
                ],
            },
        },
        "legacy": None,
    }


def test_names_that_collide_are_numbered() -> None:
    placeholders = Placeholders()

    assert placeholders.name(1, "a-b", "c") == "${env:OAC_A_B__C}"
    assert placeholders.name(2, "a.b", "c") == "${env:OAC_A_B__C_2}"
    assert placeholders.name(3, "a@b", "c") == "${env:OAC_A_B__C_3}"
    assert placeholders.name(2, "a.b", "c") == "${env:OAC_A_B__C_2}"
    assert placeholders.name(4, "a_b", "c_2") == "${env:OAC_A_B__C_2_2}"


def test_the_head_and_what_differs_from_it_are_written(tmp_path: Path) -> None:
    apply_tenant(tmp_path, full())
    tenant = next(
        row for row in parse(exported().encode()).value["tenants"] if row["slug"] == "acme"
    )
    integration = tenant["integrations"][0]
    connections = {row["name"] + row["environment"]: row for row in integration["connections"]}

    assert integration["headers"] == {"Accept": "application/json"}
    assert connections["eu-1production"]["headers"] == {"Accept": "text/xml", "X-Empty": ""}
    assert connections["eu-1production"]["query"] == {"limit": "5", "tag": ["a", "b"]}
    assert "headers" not in connections["defaultstaging"]
    assert connections["defaultproduction"]["auth_config"] is None


def test_one_tenant_alone(tmp_path: Path) -> None:
    apply_tenant(tmp_path, full())
    value = parse(exported("acme").encode()).value

    assert [row["slug"] for row in value["tenants"]] == ["acme"]


def test_an_unknown_tenant_is_exit_2() -> None:
    told = run("export", "nobody")

    assert told.code == 2
    assert told.stdout == ""
    assert "There is no tenant nobody." in told.stderr


def test_an_export_is_in_the_trail(tmp_path: Path) -> None:
    apply_tenant(tmp_path, full())
    exported("acme")
    with unscoped("a test looks at all rows"):
        event = AuditEvent.objects.get(action="export")

    assert event.object_name == "Acme Corp"
    assert event.via == "shell"
