"""The demo data shows what it promises: every working connection is green, every broken one has its own symptom."""

import json
import socket
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations import testing
from integrations.demo.data import STAGING, names
from integrations.demo.loading import load_demo
from integrations.demo.provider import Provider
from integrations.demo.samples import BROKEN, WORKING
from integrations.models import Connection, ConnectionTest
from integrations.targets import Name
from tenants.models import Membership, Tenant, User
from tenants.roles import Role
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)

SYMPTOMS = {sample.slug: sample.symptom for sample in (*WORKING, *BROKEN)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shown(name: Name) -> str | None:
    tenant = Tenant.objects.get(slug=name.tenant)
    with tenant_scope(tenant.id):
        row = Connection.objects.get(
            integration__slug=name.integration, environment__slug=name.environment
        )
        assert row.last_test_ok is (SYMPTOMS[name.integration] is None), name
        return row.last_test_symptom or None


def test_every_demo_connection_shows_what_it_promises(settings: Any) -> None:
    port = free_port()
    passwords = load_demo(port)
    assert len(set(passwords.values())) == len(passwords) == 8
    for tenant in ("acme", "globex"):
        assert {name: shown(name) for name in names(tenant)} == {
            name: SYMPTOMS[name.integration] for name in names(tenant)
        }
        with tenant_scope(Tenant.objects.get(slug=tenant).id):
            assert {row.role for row in Membership.objects.all()} == set(Role)
    assert User.objects.get(username="acme-admin").check_password(passwords["acme-admin"])
    # A provider that was started anew, as `make demo` does: unknown tokens are renewed, the rotated key stays refused.
    with Provider(port, rotated=True):
        for name in names("acme"):
            row = testing.test_connection(name)
            assert (row.symptom or None) == SYMPTOMS[name.integration], row.summary
            assert row.ok or row.checks
    assert load_demo(port) == {}
    with pytest.raises(CommandError, match=f"PROVIDER_PORT={port}"):
        call_command("load_demo", "--provider-port", str(free_port()))


def test_intermittent_sample_was_green_before(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_demo", "--provider-port", str(free_port()))
    assert "acme-admin" in capsys.readouterr().out
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        tests = ConnectionTest.objects.filter(
            connection__integration__slug="broken-rotated-key",
            connection__environment__slug=STAGING,
        )
        assert sorted(test.ok for test in tests) == [False, True]


def test_taken_port_is_named_and_nothing_is_made() -> None:
    with Provider() as provider, pytest.raises(CommandError, match="--provider-port") as refused:
        call_command("load_demo", "--provider-port", provider.base_url.rpartition(":")[2])
    assert refused.value.returncode == 2
    assert not Tenant.objects.exists()


def test_demo_data_is_exported_and_applied_without_a_change(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    call_command("load_demo", "--provider-port", str(free_port()))
    capsys.readouterr()
    call_command("export")
    file = tmp_path / "all.yaml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    call_command("apply", str(file), "--keep-secrets", "--json")
    assert json.loads(capsys.readouterr().out)["changed"] is False
