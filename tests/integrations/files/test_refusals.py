"""A bad file changes nothing, and every problem is one line with path and reason, never the value."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tenants.models import Tenant
from tests.integrations.files.applied import (
    apply_file,
    apply_tenant,
    basic,
    run,
    with_config,
    with_connection,
    with_integration,
)

pytestmark = pytest.mark.django_db

CONFIG = "tenants[0].auth_configs[0]"
CONNECTION = "tenants[0].integrations[0].connections[0]"
OAUTH = {
    "method": "oauth2_client_credentials",
    "options": {"token_url": "https://auth.example.com/token", "client_id": "a"},
    "secrets": {"client_secret": "s"},
}


def oauth(**options: Any) -> dict[str, Any]:
    return with_config(**OAUTH | {"options": {**OAUTH["options"], **options}})  # type: ignore[dict-item]


CASES: list[tuple[dict[str, Any], str]] = [
    (basic(slug="Not a slug"), "tenants[0].slug"),
    (basic(slug=None), "tenants[0].slug"),
    (basic(name=5), "tenants[0].name"),
    (basic(name="x" * 201), "tenants[0].name"),
    (basic(name="planted-key\0"), "tenants[0].name"),
    (basic(name="planted-key\ud800"), "tenants[0].name"),
    (basic(**{"\0": "planted-key"}), "tenants[0]"),
    (basic(colour="red"), "tenants[0].colour"),
    (basic(environments={}), "tenants[0].environments"),
    (basic(environments=[{"slug": "A"}]), "tenants[0].environments[0].slug"),
    (basic(environments=[{"slug": "a"}] * 2), "tenants[0].environments[1].slug"),
    (
        basic(environments=[{"slug": "a", "protected": "yes"}]),
        "tenants[0].environments[0].protected",
    ),
    (basic(staff=["ada"]), "tenants[0].staff[0]"),
    (basic(staff=[{"username": "a b"}]), "tenants[0].staff[0].username"),
    (basic(staff=[{"username": "a", "email": "nobody"}]), "tenants[0].staff[0].email"),
    (basic(staff=[{"username": "a", "role": "owner"}]), "tenants[0].staff[0].role"),
    (basic(staff=[{"username": "a", "home": "nowhere"}]), "tenants[0].staff[0].home"),
    (basic(staff=[{"username": "a", "password": ""}]), "tenants[0].staff[0].password"),
    (basic(staff=[{"username": "a"}] * 2), "tenants[0].staff[1].username"),
    (with_config(name="Not a slug"), f"{CONFIG}.name"),
    (with_config(name="a" * 51), f"{CONFIG}.name"),
    (with_config(environment="nowhere"), f"{CONFIG}.environment"),
    (with_config(method="magic"), f"{CONFIG}.method"),
    (with_config(method=None), f"{CONFIG}.method"),
    (with_config(owner="nobody"), f"{CONFIG}.owner"),
    (with_config(rotate_by="tomorrow"), f"{CONFIG}.rotate_by"),
    (with_config(rotate_by="2027-02-30"), f"{CONFIG}.rotate_by"),
    (with_config(rotate_by="20270101"), f"{CONFIG}.rotate_by"),
    (with_config(disabled=1), f"{CONFIG}.disabled"),
    (with_config(options=[]), f"{CONFIG}.options"),
    (with_config(options={"key": "X", "colour": "red"}), f"{CONFIG}.options.colour"),
    (with_config(options={"value": "planted-key", "key": "X"}), f"{CONFIG}.options.value"),
    (with_config(options={"key": "Host"}), f"{CONFIG}.options.key"),
    (with_config(options={"key": "X", "placement": "planted-key"}), f"{CONFIG}.options.placement"),
    (with_config(options={"key": 5}), f"{CONFIG}.options.key"),
    (with_config(options={}), f"{CONFIG}.options.key"),
    (with_config(secrets={"token": "planted-key"}), f"{CONFIG}.secrets.token"),
    (with_config(secrets={"value": 5}), f"{CONFIG}.secrets.value"),
    (with_config(secrets={"value": True}), f"{CONFIG}.secrets.value"),
    (with_config(secrets={"value": ["planted-key"]}), f"{CONFIG}.secrets.value"),
    (with_config(secrets={"value": {"a": "planted-key"}}), f"{CONFIG}.secrets.value"),
    (with_config(secrets={"value": "planted\nkey"}), f"{CONFIG}.secrets.value"),
    (with_config(secrets={"value": "${file:missing}"}), f"{CONFIG}.secrets.value"),
    (with_config(secrets={}), f"{CONFIG}.secrets.value"),
    (oauth(token_url="auth.example.com"), f"{CONFIG}.options.token_url"),
    (oauth(token_url="https://u:planted-key@auth.example.com"), f"{CONFIG}.options.token_url"),
    (oauth(client_auth="planted-key"), f"{CONFIG}.options.client_auth"),
    (oauth(token_params=["a"]), f"{CONFIG}.options.token_params"),
    (oauth(token_params={"client_id": "planted-key"}), f"{CONFIG}.options.token_params"),
    (oauth(default_lifetime="planted-key"), f"{CONFIG}.options.default_lifetime"),
    (oauth(expired_statuses=["planted-key"]), f"{CONFIG}.options.expired_statuses"),
    (oauth(token_response={"planted": "a"}), f"{CONFIG}.options.token_response"),
    (oauth(refresh_url="https://a.example.com"), f"{CONFIG}.options.refresh_url"),
    (with_integration(slug="Not a slug"), "tenants[0].integrations[0].slug"),
    (with_integration(headers={"Host": "a"}), "tenants[0].integrations[0].headers"),
    (with_integration(headers={"A": ["b"]}), "tenants[0].integrations[0].headers.A"),
    (with_integration(headers={"A": True}), "tenants[0].integrations[0].headers.A"),
    (with_integration(query={"a": ["b", "c\0"]}), "tenants[0].integrations[0].query.a[1]"),
    (with_integration(query={"a": {}}), "tenants[0].integrations[0].query.a"),
    (with_integration(base_url="x"), "tenants[0].integrations[0].base_url"),
    (with_connection(environment="nowhere"), f"{CONNECTION}.environment"),
    (with_connection(name="A"), f"{CONNECTION}.name"),
    (with_connection(base_url=None), f"{CONNECTION}.base_url"),
    (with_connection(base_url="https://a?b=planted-key"), f"{CONNECTION}.base_url"),
    (with_connection(auth_config="other"), f"{CONNECTION}.auth_config"),
    (with_connection(timeout=0), f"{CONNECTION}.timeout"),
    (with_connection(timeout=1.5), f"{CONNECTION}.timeout"),
    (with_connection(timeout="5"), f"{CONNECTION}.timeout"),
    (with_connection(headers={"a b": "c"}), f"{CONNECTION}.headers"),
    (with_connection(test={"path": "//x"}), f"{CONNECTION}.test.path"),
    (with_connection(test={"method": "a b"}), f"{CONNECTION}.test.method"),
    (with_connection(test={"expect": [99]}), f"{CONNECTION}.test.expect"),
    (with_connection(test={"expect": ["200"]}), f"{CONNECTION}.test.expect[0]"),
    (with_connection(test={"body": {"a": 1}}), f"{CONNECTION}.test.body"),
    (with_connection(test={"headers": {"Host": "a"}}), f"{CONNECTION}.test.headers"),
    (with_connection(test={"retries": 1}), f"{CONNECTION}.test.retries"),
]


@pytest.mark.parametrize(("tenant", "path"), CASES, ids=[path for _, path in CASES])
def test_a_problem_is_named_by_its_path(tmp_path: Path, tenant: dict[str, Any], path: str) -> None:
    told = apply_tenant(tmp_path, tenant)
    document = apply_tenant(tmp_path, tenant, "--json")

    assert told.code == document.code == 2
    assert told.stdout == ""
    assert [line.partition(" (line")[0] for line in told.stderr.splitlines()] == [path]
    errors = document.document["errors"]
    assert [error["path"] for error in errors] == [path]
    assert errors[0]["symptom"] == "config_invalid"
    assert errors[0]["message"]
    assert document.document["ok"] is False
    assert document.document["changed"] is False
    assert document.document["changes"] == []
    for secret in ("planted-key", "planted\\nkey", "planted key"):
        assert secret not in told.stderr + document.stdout + document.stderr
    assert not Tenant.objects.exists()


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ("", ""),
        ("[]", ""),
        ("just text", ""),
        ("{}", "tenants"),
        ("tenants: null", "tenants"),
        ("tenants: {}", "tenants"),
        ("tenants: []\nusers: []", "users"),
        ("tenants: []\nversion: 2", "version"),
        ("tenants: []\nversion: '1'", "version"),
        ("tenants: [{slug: a}, {slug: a}]", "tenants[1].slug"),
    ],
)
def test_the_top_of_a_file_is_judged(tmp_path: Path, content: str, path: str) -> None:
    told = apply_file(tmp_path, content, "--json")

    assert told.code == 2
    assert [error["path"] for error in told.document["errors"]] == [path]


def test_a_file_without_tenants_does_nothing(tmp_path: Path) -> None:
    assert apply_file(tmp_path, "tenants: []").stdout == "nothing to do\n"


def test_yaml_problems_have_their_line(tmp_path: Path) -> None:
    told = apply_file(tmp_path, "tenants:\n  - slug: acme\n    environments:\n      - slug: 5\n")

    assert told.stderr.startswith("tenants[0].environments[0].slug (line 4): ")


def test_json_problems_have_their_line_too(tmp_path: Path) -> None:
    content = json.dumps({"tenants": [{"slug": "acme", "name": 5}]}, indent=2)

    assert apply_file(tmp_path, content).stderr.startswith("tenants[0].name (line 5): ")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (r'"a\u0000"', "A text holds a NUL character."),
        (r'"a\ud800"', "A text holds half of a surrogate pair."),
        ("1e999", "A number"),
        ("[" * 40 + "]" * 40, "The file is nested more than 30 levels deep."),
        ("[" * 5000 + "]" * 5000, "The file is nested more than 30 levels deep."),
    ],
)
@pytest.mark.parametrize(
    "file",
    ['{"tenants": [{"slug": "acme",\n"name": VALUE}]}', "tenants:\n- {slug: acme, name: VALUE}"],
    ids=["json", "yaml"],
)
def test_what_no_database_holds_has_its_place(
    tmp_path: Path, file: str, value: str, reason: str
) -> None:
    told = apply_file(tmp_path, file.replace("VALUE", value))

    assert told.code == 2
    place, _, message = told.stderr.partition(": ")
    assert re.fullmatch(r"(tenants\[0\]\.name(\[0\])*|line 2)( \(line 2\))?", place)
    assert message.startswith(reason)


def test_every_problem_of_a_stage_is_told(tmp_path: Path) -> None:
    tenant = with_config(secrets={}, options={})
    tenant["auth_configs"].append({**tenant["auth_configs"][0], "name": "second"})
    told = apply_tenant(tmp_path, tenant)

    assert [line.partition(" (line")[0] for line in told.stderr.splitlines()] == [
        "tenants[0].auth_configs[0].options.key",
        "tenants[0].auth_configs[0].secrets.value",
        "tenants[0].auth_configs[1].options.key",
        "tenants[0].auth_configs[1].secrets.value",
    ]


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_exit_2(tmp_path: Path, name: str) -> None:
    told = run("apply", str(tmp_path / name), "--json")

    assert told.code == 2
    assert "can't be read" in told.document["error"]


def test_a_flood_of_problems_is_cut(tmp_path: Path) -> None:
    told = apply_tenant(tmp_path, basic(environments=[5] * 10_000))

    assert len(told.stderr.splitlines()) == 201
    assert told.stderr.splitlines()[-1] == "There are 9800 problems more. Mend these first."
