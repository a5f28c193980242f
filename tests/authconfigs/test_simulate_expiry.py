"""`simulate_expiry`: the expiry and the time of the next refresh, and nothing else."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.forms import model_to_dict
from django.utils import timezone

from authconfigs.models import TokenEvent
from integrations.calls import Call, perform
from integrations.demo.provider import Provider
from integrations.targets import load_target
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import browser, html, url
from tests.factories import posted
from tests.integrations.wired import (
    NAME,
    change_config,
    store_token,
    stored_token,
    the_config,
    wired,
    wired_oauth,
)

pytestmark = pytest.mark.django_db


def ran(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("simulate_expiry", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as failure:
        return failure.returncode, out.getvalue()
    return 0, out.getvalue()


def expired(config: str = "acme/crm", environment: str = "staging") -> tuple[int, dict[str, Any]]:
    code, out = ran(config, "--environment", environment, "--json")
    return code, json.loads(out)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def test_stored_token_looks_expired_and_the_next_call_renews_it(provider: Provider) -> None:
    wired_oauth(provider)
    perform(load_target(NAME), Call("GET", ""))
    before = model_to_dict(stored_token())

    assert expired() == (0, {"ok": True, "expired": True})

    row = stored_token()
    assert row.expires_at is not None
    assert row.expires_at <= timezone.now()
    assert row.refresh_after == row.expires_at
    changed = {
        name for name, value in model_to_dict(row).items() if str(value) != str(before[name])
    }
    assert changed == {"expires_at", "refresh_after"}
    assert perform(load_target(NAME), Call("GET", "")).token_refreshed


def test_no_stored_token_is_exit_1(provider: Provider) -> None:
    wired_oauth(provider)
    code, document = expired()

    assert code == 1
    assert (document["ok"], document["expired"]) == (False, False)
    assert document["summary"].endswith("A call gets one.")


def test_where_only_a_person_starts_a_token_no_call_gets_one(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code")
    code, document = expired()
    assert code == 1
    assert document["summary"].endswith("Somebody has to connect it first.")
    config = the_config()
    with tenant_scope(config.tenant_id):
        client = browser(config.tenant)
        assert "Simulate expiry" not in html(client.get(url("change", config.id)))
        pressed = client.post(url("expire", config.id), posted(config.tenant), follow=True)
    assert "Somebody has to connect it first." in html(pressed)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"refresh_token": "r"}, "the next call renews it"),
        ({}, "only a person can renew it"),
        ({"refresh_token": "r", "state": "reauthorization_required"}, "only a person can renew it"),
        ({"refresh_token": "r", "state": "stopped"}, "until somebody edits it"),
    ],
)
def test_what_follows_is_said_as_it_is(
    provider: Provider, columns: dict[str, Any], told: str
) -> None:
    wired_oauth(provider, grant="authorization_code")
    store_token(**{"access_token": "a", "state": "valid", **columns})
    code, out = ran("acme/crm", "--environment", "staging")
    assert code == 0
    assert told in out
    assert expired() == (0, {"ok": True, "expired": True})
    with tenant_scope(the_config().tenant_id):
        events = TokenEvent.objects.filter(kind="expiry_simulated")
        assert {event.state for event in events} == {columns.get("state", "valid")}
        assert events.count() == 2


def test_outdated_token_counts_as_none(provider: Provider) -> None:
    wired_oauth(provider)
    perform(load_target(NAME), Call("GET", ""))
    change_config(token_revision=2)

    assert expired()[0] == 1


@pytest.mark.parametrize(
    ("config", "environment"),
    [("nope/crm", "staging"), ("acme/nope", "staging"), ("acme/crm", "nope"), ("acme", "staging")],
)
def test_unknown_name_is_exit_2(provider: Provider, config: str, environment: str) -> None:
    wired_oauth(provider)
    code, document = expired(config, environment)

    assert (code, set(document)) == (2, {"ok", "error"})


def test_method_without_a_token_doesnt_fit(provider: Provider) -> None:
    wired(provider.base_url, secrets={"token": "t"})

    assert expired()[0] == 2


def test_environment_is_required() -> None:
    assert ran("acme/crm", "--json") == (2, "")
