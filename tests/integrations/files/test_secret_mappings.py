"""A secret that is a mapping, as a file gives it: each name is a secret of its own."""

from pathlib import Path
from typing import Any

import pytest

from authconfigs.saving import current_credential
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.integrations.files.applied import Run, apply_tenant, with_config
from tests.integrations.wired import the_config

pytestmark = pytest.mark.django_db


def applied(folder: Path, params: Any, *flags: str) -> Run:
    tenant = with_config(
        name="crm",
        method="oauth2_client_credentials",
        options={"token_url": "https://auth.example.com/token", "client_id": "console"},
        secrets={"client_secret": "planted-client", "secret_token_params": params},
    )
    tenant["integrations"] = []
    return apply_tenant(folder, tenant, *flags)


def stored() -> Any:
    config = the_config()
    with tenant_scope(Tenant.objects.get().id):
        return current_credential(config).secrets.reveal().get("secret_token_params")


BEFORE = {"key": "planted-key", "realm": ["planted-a", "planted-b"]}


@pytest.mark.parametrize(
    ("given", "after", "changes"),
    [
        (BEFORE, BEFORE, False),
        (None, BEFORE, False),
        ({"key": None, "realm": None}, BEFORE, False),
        ({"key": None, "realm": ["planted-a", "planted-b"]}, BEFORE, False),
        ({"key": "another", "realm": None}, {**BEFORE, "key": "another"}, True),
        ({"key": None}, {"key": "planted-key"}, True),
        ({"key": None, "realm": ""}, {"key": "planted-key"}, True),
        ({"realm": "${file:realm}", "key": None}, {**BEFORE, "realm": "from a file"}, True),
        ('{"key": "typed as JSON"}', {"key": "typed as JSON"}, True),
        ({"key": "", "realm": []}, None, True),
        ({}, None, True),
        ("", None, True),
    ],
)
def test_null_keeps_and_empty_clears_what_is_stored_under_a_name(
    tmp_path: Path, given: Any, after: Any, changes: bool
) -> None:
    (tmp_path / "realm").write_text("from a file\n")
    applied(tmp_path, BEFORE)
    told = applied(tmp_path, given)

    assert (told.code, told.stderr) == (0, "")
    assert stored() == after
    assert ("secret_token_params" in told.stdout) is changes
    assert "planted" not in told.stdout
    again = applied(tmp_path, given) if "null" not in str(given) else told
    assert again.code == 0
    assert stored() == after


def test_a_name_that_keeps_needs_something_to_keep(tmp_path: Path) -> None:
    applied(tmp_path, BEFORE)
    told = applied(tmp_path, {"key": None, "other": None})

    assert told.code == 2
    assert "secrets.secret_token_params" in told.stderr
    assert "Nothing is stored as other" in told.stderr
    assert stored() == BEFORE


def test_kept_secrets_stay_whatever_the_file_names(tmp_path: Path) -> None:
    applied(tmp_path, BEFORE)
    told = applied(
        tmp_path, {"key": "${env:NOT_SET}", "realm": ["${env:NOT_SET}"]}, "--keep-secrets"
    )

    assert (told.code, told.stdout) == (0, "nothing to do\n")
    assert stored() == BEFORE


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"key": 5}, "secret_token_params.key"),
        ({"key": ["a", {"b": "planted"}]}, "secret_token_params.key[1]"),
        ({"key": "${env:NOT_SET_ANYWHERE}"}, "secret_token_params"),
        ({"key": "planted\nkey"}, "secret_token_params"),
        ({"grant_type": "planted"}, "secret_token_params"),
    ],
)
def test_a_problem_is_named_by_its_path(tmp_path: Path, given: Any, path: str) -> None:
    told = applied(tmp_path, given)

    assert told.code == 2
    assert f"auth_configs[0].secrets.{path}" in told.stderr
    assert "planted" not in told.stderr
