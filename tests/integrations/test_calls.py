"""Calls through real sockets, against the demo provider."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from pytest_django.fixtures import Settings

from authconfigs.errors import OutboundError
from authconfigs.fields import Stored
from authconfigs.models import AllowedOrigin, AuthConfig, Credential
from authconfigs.symptoms import Stage, Symptom
from integrations.calls import Call, CallResult, perform
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, Integration, IntegrationRevision
from integrations.targets import Name, load_target
from tenants.models import Environment, Tenant
from tenants.scope import tenant_scope
from tests.integrations.wired import (
    change_config,
    change_connection,
    change_token,
    wired,
    wired_oauth,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def call(name: Name, path: str = "", *, method: str = "GET", **arguments: Any) -> CallResult:
    return perform(load_target(name), Call(method, path, **arguments))


def failure_of(name: Name, path: str = "") -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        call(name, path)
    return caught.value


def drop_origins(purpose: str) -> None:
    with tenant_scope(Tenant.objects.get().id):
        AllowedOrigin.objects.filter(purpose=purpose).delete()


def bearer(provider: Provider, **changes: Any) -> Name:
    secrets = {"token": accounts.BEARER_TOKEN}
    options = {"header": "Authorization", "prefix": "Bearer"}
    return wired(provider.base_url + "/bearer", options=options, secrets=secrets, **changes)


def test_static_credential_goes_out_and_the_answer_comes_back(provider: Provider) -> None:
    result = call(bearer(provider))

    assert result.response.status_code == 200
    assert (result.symptom, result.token_refreshed, result.failure) == (None, False, None)


def test_standing_headers_go_out_and_the_callers_beat_them(provider: Provider) -> None:
    name = bearer(provider, headers={"X-Kept": "a", "X-Changed": "b", "X-Removed": "c"})

    call(name, headers=(("x-changed", "d"),), removed=frozenset({"x-removed"}))

    received = provider.requests[-1]
    assert received.header("X-Kept") == "a"
    assert received.header("X-Changed") == "d"
    assert received.header("X-Removed") is None


def test_credentials_header_wins_and_is_told(provider: Provider) -> None:
    result = call(bearer(provider), headers=(("authorization", "Bearer of the caller"),))

    assert result.response.status_code == 200
    assert [name.lower() for name in result.dropped] == ["authorization"]


def test_connection_without_authentication_sends_no_credential(provider: Provider) -> None:
    result = call(wired(provider.base_url + "/open", method=None))

    assert result.response.status_code == 200
    assert provider.requests[-1].header("Authorization") is None


def test_token_is_fetched_once_and_reused(provider: Provider) -> None:
    name = wired_oauth(provider)

    first, second = call(name), call(name)

    assert (first.token_refreshed, second.token_refreshed) == (True, False)
    assert [first.response.status_code, second.response.status_code] == [200, 200]
    assert provider.count("POST /token") == 1


def test_expired_token_is_fetched_again(provider: Provider) -> None:
    name = wired_oauth(provider)
    call(name)
    change_token(expires_at=timezone.now(), refresh_after=timezone.now())

    assert call(name).token_refreshed
    assert provider.count("POST /token") == 2


def test_refused_token_is_renewed_and_the_request_replayed_with_its_body(
    provider: Provider,
) -> None:
    name = wired_oauth(provider)
    call(name)
    provider.ledger.revoke_all()

    result = call(name, method="POST", body=b"the body")

    assert result.response.status_code == 200
    assert result.token_refreshed
    posted = [one.body for one in provider.requests if one.endpoint == "/bearer" and one.body]
    assert posted == [b"the body", b"the body"]
    assert provider.count("POST /token") == 2


def test_refusal_after_a_renewal_is_the_answer(provider: Provider) -> None:
    name = wired_oauth(provider)
    call(name)
    provider.switches.api = "401"

    result = call(name)

    assert result.response.status_code == 401
    assert result.symptom is Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY
    assert result.token_refreshed
    assert provider.count("POST /token") == 2
    assert provider.count("GET /bearer") == 3


def test_missing_permission_renews_nothing(provider: Provider) -> None:
    result = call(wired_oauth(provider, path="/scoped"))

    assert result.response.status_code == 403
    assert result.symptom is Symptom.INSUFFICIENT_PERMISSION
    assert provider.count("POST /token") == 1


def test_status_that_the_config_names_renews(provider: Provider) -> None:
    name = wired_oauth(provider, path="/scoped")
    with tenant_scope(Tenant.objects.get().id):
        credential = Credential.objects.get()
        credential.options["expired_statuses"] = [403]
        credential.save()

    assert call(name).token_refreshed
    assert provider.count("POST /token") == 2


def test_refused_token_that_cant_be_renewed_is_a_failure_at_stage_token(provider: Provider) -> None:
    name = wired_oauth(provider)
    call(name)
    provider.ledger.revoke_all()
    provider.switches.token = "invalid_client"

    result = call(name)

    assert result.response.status_code == 401
    assert result.failure is not None
    assert result.failure.stage is Stage.TOKEN
    assert result.symptom is Symptom.TOKEN_ENDPOINT_CONFIG


def test_redirect_is_an_answer_and_isnt_followed(provider: Provider) -> None:
    provider.switches.api = "redirect"

    result = call(bearer(provider))

    assert result.response.status_code == 307
    assert result.symptom is Symptom.BLOCKED_BY_POLICY
    assert provider.count("GET /elsewhere") == 0


def test_origin_that_isnt_listed_gets_no_packet(provider: Provider) -> None:
    name = bearer(provider)
    with Provider() as other:
        change_connection(base_url=other.base_url + "/bearer")
        failure = failure_of(name)

        assert (failure.symptom, failure.stage) == (Symptom.BLOCKED_BY_POLICY, Stage.POLICY)
        assert other.count("connections") == 0


def test_origin_that_isnt_listed_gets_no_token_either(provider: Provider) -> None:
    name = wired_oauth(provider)
    with Provider() as other:
        change_connection(base_url=other.base_url + "/bearer")

        assert failure_of(name).stage is Stage.POLICY
        assert provider.count("connections") == other.count("connections") == 0


def test_token_url_that_isnt_listed_gets_no_packet(provider: Provider) -> None:
    with Provider() as other:
        name = wired_oauth(provider)
        drop_origins("token")
        failure = failure_of(name)

        assert (failure.symptom, failure.stage) == (Symptom.BLOCKED_BY_POLICY, Stage.TOKEN)
        assert provider.count("connections") == other.count("connections") == 0


@pytest.mark.parametrize("what", ["tenant", "config"])
def test_what_is_switched_off_sends_nothing(provider: Provider, what: str) -> None:
    name = bearer(provider)
    if what == "tenant":
        Tenant.objects.update(disabled_at=timezone.now())
    else:
        change_config(disabled_at=timezone.now())

    failure = failure_of(name)

    assert (failure.symptom, failure.stage) == (Symptom.BLOCKED_BY_POLICY, Stage.CONFIG)
    assert provider.count("connections") == 0


def test_config_of_another_environment_is_refused_at_send(provider: Provider) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("its composite key lets no such row in")
    name = bearer(provider)
    with tenant_scope(Tenant.objects.get().id):
        other = Environment.objects.create(slug="production", name="Production", protected=True)
        AuthConfig.objects.update(environment=other)

    failure = failure_of(name)

    assert (failure.symptom, failure.stage) == (Symptom.BLOCKED_BY_POLICY, Stage.CONFIG)
    assert provider.count("connections") == 0


def test_change_is_seen_by_the_next_call(provider: Provider) -> None:
    name = bearer(provider)
    call(name)
    change_config(revision=2)
    with tenant_scope(Tenant.objects.get().id):
        credential = Credential.objects.get()
        credential.secrets = {"token": "another"}
        credential.save()

    assert call(name).response.status_code == 401


def test_connection_of_its_own_integration_revision(provider: Provider) -> None:
    name = bearer(provider, headers={"X-Revision": "1"})
    call(name)
    with tenant_scope(Tenant.objects.get().id):
        integration = Integration.objects.get()
        second = IntegrationRevision.objects.create(
            integration=integration, number=2, headers={"X-Revision": "2"}, content_hash="2"
        )
        Connection.objects.update(revision=second)
    call(name)

    assert [one.header("X-Revision") for one in provider.requests] == ["1", "2"]


@pytest.mark.parametrize("path", ["x", "//elsewhere", "https://elsewhere/"])
def test_bad_path_is_refused_before_anything_is_sent(provider: Provider, path: str) -> None:
    name = wired_oauth(provider)

    with pytest.raises(ValueError, match="path"):
        call(name, path)
    assert provider.count("connections") == 0


def test_call_inside_a_transaction_is_refused(provider: Provider) -> None:
    name = wired_oauth(provider)

    with transaction.atomic(), pytest.raises(TransactionManagementError):
        call(name)
    assert provider.count("connections") == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (Name("nope", "crm", "staging"), "tenant nope"),
        (Name("acme", "nope", "staging"), "integration nope"),
        (Name("acme", "crm", "nope"), "environment nope"),
        (Name("acme", "crm", "staging", "second"), "connection second"),
    ],
)
def test_unknown_name_is_said(provider: Provider, name: Name, said: str) -> None:
    bearer(provider)

    with pytest.raises(LookupError, match=said):
        load_target(name)


def test_slow_api_ends_with_the_connections_timeout(provider: Provider) -> None:
    name = bearer(provider, timeout=1)
    provider.switches.api = "slow"

    failure = failure_of(name)

    assert (failure.symptom, failure.stage) == (Symptom.TIMEOUT, Stage.API)


def test_whole_call_ends_within_two_timeouts(provider: Provider, settings: Settings) -> None:
    name = wired_oauth(provider)
    settings.OUTBOUND_TIMEOUT = 2
    provider.switches.token_delay = provider.switches.slow_seconds = 1.6
    provider.switches.api = "401,slow"

    started = time.monotonic()
    result = call(name)

    assert time.monotonic() - started < 5
    assert result.response.status_code == 401
    assert (result.symptom, result.failure and result.failure.stage) == (
        Symptom.TIMEOUT,
        Stage.TOKEN,
    )


def test_slow_token_endpoint_ends_with_the_timeout(provider: Provider, settings: Settings) -> None:
    name = wired_oauth(provider)
    settings.OUTBOUND_TIMEOUT = 0.5
    provider.switches.token = "slow"

    failure = failure_of(name)

    assert (failure.symptom, failure.stage) == (Symptom.TIMEOUT, Stage.TOKEN)


def test_password_grant_that_is_switched_off_sends_nothing(
    provider: Provider, settings: Settings
) -> None:
    name = wired_oauth(provider, grant="password")
    settings.OAUTH_PASSWORD_GRANT = False

    failure = failure_of(name)

    assert (failure.symptom, failure.stage) == (Symptom.BLOCKED_BY_POLICY, Stage.CONFIG)
    assert provider.count("connections") == 0


def test_protected_environment_takes_http_on_loopback(provider: Provider) -> None:
    name = wired_oauth(provider, protected=True)

    assert call(name).response.status_code == 200


def test_secret_that_cant_be_read_sends_nothing(provider: Provider) -> None:
    name = bearer(provider)
    with tenant_scope(Tenant.objects.get().id):
        sealed = Credential.objects.get().secrets
        assert isinstance(sealed, Stored)
        Credential.objects.update(secrets=Stored(sealed.ciphertext[:-1]))

    failure = failure_of(name)

    assert (failure.symptom, failure.stage) == (Symptom.SECRET_UNREADABLE, Stage.CONFIG)
    assert provider.count("connections") == 0
