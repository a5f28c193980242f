"""`refresh_tokens`: which tokens are asked for, and what is said of each."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from authconfigs.models import OAuthToken
from integrations.demo.provider import Provider, accounts
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.factories import make_config
from tests.integrations.wired import (
    change_config,
    change_token,
    store_token,
    stored_token,
    the_config,
    wired,
    wired_oauth,
)

pytestmark = pytest.mark.django_db

ONE = ("--config", "acme/crm", "--environment", "staging")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def counts(self) -> tuple[int, int, int, int]:
        found = self.document
        return found["due"], found["refreshed"], found["failed"], found["skipped"]


def ran(*arguments: str) -> Ran:
    out = io.StringIO()
    try:
        call_command("refresh_tokens", *arguments, "--json", stdout=out, stderr=io.StringIO())
    except CommandError as failure:
        return Ran(failure.returncode, out.getvalue())
    return Ran(0, out.getvalue())


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def in_seconds(number: float) -> Any:
    return timezone.now() + timedelta(seconds=number)


def stored(refresh_in: float, **values: Any) -> None:
    """A token that is due in so many seconds and expires a minute later."""
    store_token(
        access_token="stored",
        state="valid",
        generation=1,
        refresh_after=in_seconds(refresh_in),
        expires_at=in_seconds(refresh_in + 60),
        **values,
    )


def test_nothing_is_due(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=100)

    result = ran()

    assert result.code == 0
    assert result.document == {
        "ok": True,
        "due": 0,
        "refreshed": 0,
        "failed": 0,
        "skipped": 0,
        "items": [],
    }
    assert provider.count("connections") == 0


def test_due_token_is_renewed_and_listed(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=-1)

    result = ran()

    assert (result.code, result.counts) == (0, (1, 1, 0, 0))
    (item,) = result.document["items"]
    assert item | {"summary": ""} == {
        "config": "acme/crm",
        "environment": "staging",
        "ok": True,
        "symptom": None,
        "summary": "",
    }
    assert stored_token().generation == 2


def test_due_within_takes_what_comes_due_soon(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=100)

    assert ran("--due-within", "60").counts == (0, 0, 0, 0)
    assert ran("--due-within", "120").counts == (1, 1, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_several_at_once_ask_once_for_each_token(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=-1)
    environment = the_config().environment
    for number in range(12):
        name = f"other-{number}"
        config = make_config(
            environment,
            name,
            method="oauth2_client_credentials",
            options={"token_url": provider.token_url, "client_id": accounts.CLIENT.client_id},
            secrets={"client_secret": accounts.CLIENT.secret},
        )
        with tenant_scope(environment.tenant_id):
            row = OAuthToken.objects.get(config=config)
            row.access_token, row.state, row.generation = "stored", "valid", 1
            row.refresh_after, row.expires_at = in_seconds(-1), in_seconds(60)
            row.save()
    provider.switches.token_delay = 0.05

    def run() -> tuple[int, int, int, int]:
        try:
            # What was renewed is due within this time as well.
            return ran("--due-within", "86400").counts
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        counts = [running.result() for running in [threads.submit(run) for _ in range(3)]]

    assert provider.count("POST /token") == 13
    assert [failed for _, _, failed, _ in counts] == [0, 0, 0]
    assert sum(refreshed for _, refreshed, _, _ in counts) == 13
    with tenant_scope(environment.tenant_id):
        assert {row.generation for row in OAuthToken.objects.all()} == {2}


def test_failure_is_exit_1_with_its_symptom(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=-1)
    provider.switches.token = "500"

    result = ran()

    assert (result.code, result.counts) == (1, (1, 0, 1, 0))
    assert result.document["ok"] is False
    assert result.document["items"][0]["symptom"] == "provider_error"


@pytest.mark.parametrize(
    "why",
    [
        {"next_attempt_at": 60, "failure_symptom": "network", "failure_summary": "Nobody answers."},
        {"lease_owner": uuid4(), "lease_expires_at": 60},
    ],
)
def test_what_rests_is_skipped_by_the_sweep_and_asked_by_name(
    provider: Provider, why: dict[str, Any]
) -> None:
    wired_oauth(provider)
    moments = {name: in_seconds(value) if value == 60 else value for name, value in why.items()}
    stored(refresh_in=-1, **moments)

    result = ran()

    assert (result.code, result.counts) == (0, (1, 0, 0, 1))
    assert result.document["items"][0]["symptom"] == why.get("failure_symptom")
    assert provider.count("connections") == 0


def test_back_off_doesnt_hold_a_config_that_is_named(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=-1, next_attempt_at=in_seconds(60), failure_symptom="network")

    assert ran(*ONE).counts == (1, 1, 0, 0)


def test_good_token_of_a_named_config_is_left_alone_unless_forced(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=100)

    assert ran(*ONE).counts == (0, 0, 0, 0)
    assert ran(*ONE, "--force").counts == (1, 1, 0, 0)


def test_named_config_without_a_token_gets_one(provider: Provider) -> None:
    wired_oauth(provider)

    assert ran().counts == (0, 0, 0, 0)
    assert ran(*ONE).counts == (1, 1, 0, 0)


def test_stopped_config_is_asked_again_by_force_alone(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=-100)
    change_token(state="stopped", failure_symptom="token_endpoint_config", failure_summary="No.")

    assert ran().counts == (0, 0, 0, 0)
    named = ran(*ONE)
    assert (named.code, named.counts) == (1, (1, 0, 1, 0))
    assert named.document["items"][0]["symptom"] == "token_endpoint_config"
    assert provider.count("connections") == 0

    assert ran(*ONE, "--force").counts == (1, 1, 0, 0)
    assert stored_token().state == "valid"


def test_what_is_switched_off_isnt_due(provider: Provider) -> None:
    wired_oauth(provider)
    stored(refresh_in=-1)
    change_config(disabled_at=timezone.now())

    assert ran().counts == (0, 0, 0, 0)
    named = ran(*ONE, "--force")
    assert (named.code, named.document["items"][0]["symptom"]) == (1, "blocked_by_policy")
    assert provider.count("connections") == 0


def test_code_grant_that_was_never_connected_fails_by_name(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code")
    result = ran(*ONE)

    assert (result.code, result.counts) == (1, (1, 0, 1, 0))
    assert result.document["items"][0]["symptom"] == "reauthorization_required"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--config", "acme/crm"),
        ("--environment", "staging"),
        ("--config", "acme", "--environment", "staging"),
        ("--config", "nope/crm", "--environment", "staging"),
        ("--config", "acme/nope", "--environment", "staging"),
        ("--config", "acme/crm", "--environment", "nope"),
    ],
)
def test_what_cant_be_done_is_exit_2(provider: Provider, arguments: tuple[str, ...]) -> None:
    wired_oauth(provider)
    result = ran(*arguments)

    assert (result.code, set(result.document)) == (2, {"ok", "error"})


@pytest.mark.parametrize("seconds", ["-5", "soon", "nan", "inf", "1e400", "1e12", "315360001"])
def test_time_that_is_none_is_a_usage_error(seconds: str) -> None:
    assert ran("--due-within", seconds) == Ran(2, "")


def test_method_without_a_token_doesnt_fit(provider: Provider) -> None:
    wired(provider.base_url, secrets={"token": "t"})

    assert ran(*ONE).code == 2


def test_refresh_by_hand_is_in_the_audit_trail(provider: Provider) -> None:
    wired_oauth(provider)
    ran(*ONE)
    provider.switches.token = "500"
    ran(*ONE, "--force")

    with tenant_scope(Tenant.objects.get().id):
        events = AuditEvent.objects.filter(action="refresh").order_by("at")
        assert [event.outcome for event in events] == ["ok", "provider_error"]
