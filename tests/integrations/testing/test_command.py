"""The command `test_connection`: its document, its words and its exit codes."""

import io
import json
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.demo.provider import Provider, accounts
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.integrations.testing.cases import bearer, stored, tenant_id
from tests.integrations.wired import NAME

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def ran(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("test_connection", *arguments, stdout=out, stderr=err)
    except CommandError as failure:
        return failure.returncode, out.getvalue(), f"{err.getvalue()}{failure}"
    return 0, out.getvalue(), err.getvalue()


def test_success_is_exit_0_with_one_document(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    code, out, err = ran("acme/crm", "--environment", "staging", "--json")

    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["ok"], document["negative_control"]) == (True, "refused")
    assert document["id"] == str(stored()[0].id)


def test_failure_is_exit_1_with_the_same_document(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer", token="wrong-token")
    code, out, err = ran("--json", "--environment", "staging", "acme/crm:default")

    document = json.loads(out)
    assert code == 1
    assert document["symptom"] == "wrong_or_missing_credential"
    assert document["summary"] in err
    assert all(check in err for check in document["checks"])
    assert "wrong-token" not in out + err


def test_words_for_a_person_name_the_steps(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    code, out, _ = ran("acme/crm", "--environment", "staging")

    assert code == 0
    for said in ("ok     config", "ok     api", "negative_control", "Warning:", "It works"):
        assert said in out
    assert accounts.BEARER_TOKEN not in out


def test_what_is_switched_off_is_exit_1_with_the_full_document(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    Tenant.objects.update(disabled_at=timezone.now())
    code, out, _ = ran("acme/crm", "--environment", "staging", "--json")

    document = json.loads(out)
    assert (code, document["symptom"], document["stage"]) == (1, "blocked_by_policy", "config")
    assert provider.count("connections") == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope/crm", "--environment", "staging"),
        ("acme/nope", "--environment", "staging"),
        ("acme/crm:nope", "--environment", "staging"),
        ("acme/crm", "--environment", "nope"),
        ("acme", "--environment", "staging"),
    ],
)
def test_unknown_name_is_exit_2(provider: Provider, arguments: tuple[str, ...]) -> None:
    bearer(provider.base_url + "/bearer")
    code, out, err = ran(*arguments, "--json")

    assert code == 2
    assert list(json.loads(out)) == ["ok", "error"]
    assert err
    assert provider.count("connections") == 0


@pytest.mark.parametrize("arguments", [("acme/crm",), ("--environment", "staging")])
def test_missing_argument_is_exit_2_and_prints_nothing(arguments: tuple[str, ...]) -> None:
    code, out, _ = ran(*arguments)

    assert (code, out) == (2, "")


def test_test_by_hand_is_in_the_audit_trail_with_the_shells_user(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    ran(str(NAME), "--environment", "staging")

    with tenant_scope(tenant_id()):
        assert AuditEvent.objects.get(action="test").via == "shell"
