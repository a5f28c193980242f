"""Every symptom of a test, reached through a real socket, with its stage and the checks that name the config's own fields.

Where nothing may be sent, a listener proves that nothing arrived.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from authconfigs.models import AllowedOrigin, Credential
from authconfigs.symptoms import Stage, Symptom
from integrations.demo.provider import Provider, accounts
from integrations.models import ConnectionTest
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.integrations.testing.cases import (
    api_key,
    basic,
    bearer,
    change,
    names_of,
    run,
    step,
    tenant_id,
    verdict_of,
)
from tests.integrations.wired import change_config, change_token, wired, wired_oauth
from tests.servers.certificates import self_signed
from tests.servers.names import resolving
from tests.servers.raw import Server, serve
from tests.servers.scripts import answer, gzip_bomb, hang, redirect, reset_after_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@contextmanager
def listener() -> Iterator[Server]:
    """A server at which nothing may arrive."""
    with serve(answer()) as server:
        yield server
        assert server.connections == 0
        assert not server.requests


def store_fields(*, options: dict[str, Any] | None = None, secrets: Any = None) -> None:
    """Write a config's fields past its form."""
    with tenant_scope(tenant_id()):
        row = Credential.objects.get()
        row.options = options if options is not None else row.options
        if secrets is not None:
            row.secrets = secrets
        row.save()
    change_config(revision=2)


def checks(row: ConnectionTest) -> str:
    assert not row.ok
    assert row.summary
    assert row.likely_cause
    assert row.negative_control in {"not_run", "accepted"}
    return "\n".join(row.checks)


# config


@pytest.mark.parametrize(
    ("options", "secrets", "told"),
    [
        ({"key": "X-API-Key", "placement": "cookie"}, {"value": "abcd"}, "Placement"),
        ({"placement": "header"}, {"value": "abcd"}, "Key name"),
        ({"key": "X-API-Key", "placement": "header"}, {}, "Value"),
        ({"key": "X-API-Key", "placement": "header"}, {"value": "ab\ncd-secret"}, "Value"),
        ({"key": "Host", "placement": "header"}, {"value": "abcd"}, "Key name"),
    ],
)
def test_stored_fields_that_cant_work(
    options: dict[str, Any], secrets: dict[str, Any], told: str
) -> None:
    with listener() as server:
        wired(
            server.url(), method="api_key", options={"key": "k"}, secrets={"value": "unused-value"}
        )
        store_fields(options=options, secrets=secrets)
        row = run()

    assert verdict_of(row) == (Symptom.CONFIG_INVALID, Stage.CONFIG)
    assert row.summary.startswith(told)
    assert "cd-secret" not in str(vars(row))
    assert "auth config crm (API key)" in checks(row)
    assert names_of(row) == ["config"]


def test_test_request_that_cant_be_sent() -> None:
    with listener() as server:
        bearer(server.url())
        change(test_path="//elsewhere")
        row = run()

    assert verdict_of(row) == (Symptom.CONFIG_INVALID, Stage.CONFIG)
    assert "The test request can't be sent" in row.summary
    assert "test request of acme/crm in staging" in checks(row)


def test_secret_that_no_key_opens() -> None:
    with listener() as server:
        bearer(server.url())
        with database.cursor() as cursor:
            cursor.execute("UPDATE authconfigs_credential SET secrets = %s", [b"\x01broken"])
        change_config(revision=2)
        row = run()

    assert verdict_of(row) == (Symptom.SECRET_UNREADABLE, Stage.CONFIG)
    assert "type the secrets of crm again" in checks(row)


@pytest.mark.parametrize("what", ["tenant", "config"])
def test_what_is_switched_off(what: str) -> None:
    with listener() as server:
        bearer(server.url())
        if what == "tenant":
            Tenant.objects.update(disabled_at=timezone.now())
        else:
            change_config(disabled_at=timezone.now())
        row = run()

    assert verdict_of(row) == (Symptom.BLOCKED_BY_POLICY, Stage.CONFIG)
    assert "Is the auth config crm switched on?" in checks(row)


def test_password_grant_that_the_operator_switched_off(settings: Any) -> None:
    with Provider() as provider:
        wired_oauth(provider, grant="password")
        settings.OAUTH_PASSWORD_GRANT = False
        row = run()

        assert provider.count("connections") == 0
    assert verdict_of(row) == (Symptom.BLOCKED_BY_POLICY, Stage.CONFIG)
    assert "does the operator allow the method OAuth 2.0 password" in checks(row)


# policy


def test_origin_that_the_secrets_werent_entered_for() -> None:
    with listener() as server:
        bearer(server.url())
        with tenant_scope(tenant_id()):
            AllowedOrigin.objects.all().delete()
        row = run()

    assert verdict_of(row) == (Symptom.BLOCKED_BY_POLICY, Stage.POLICY)
    assert names_of(row) == ["config", "policy"]
    assert f"Is the base URL right: {server.url()}?" in checks(row)
    assert "secrets of crm entered for this origin" in checks(row)


def test_address_that_isnt_allowed(settings: Any) -> None:
    settings.OUTBOUND_ALLOW_NETWORKS = []
    with listener() as server:
        bearer(server.url().replace("http:", "https:"))
        row = run()

    assert verdict_of(row) == (Symptom.BLOCKED_BY_POLICY, Stage.POLICY)
    assert names_of(row) == ["config", "policy"]
    assert "OUTBOUND_ALLOW_NETWORKS" in checks(row)


def test_redirect_isnt_followed() -> None:
    with listener() as elsewhere, serve(redirect(elsewhere.url("/login?key=secret"))) as server:
        bearer(server.url())
        row = run()

    assert verdict_of(row) == (Symptom.BLOCKED_BY_POLICY, Stage.API)
    assert row.status == 302
    assert f"redirects to {elsewhere.url('/login')}" in row.summary
    assert f"redirects to {elsewhere.url('/login')}: if that is the API" in checks(row)


# dns, connect, tls


def test_name_that_isnt_known() -> None:
    bearer("https://nowhere.invalid/v1")
    row = run()

    assert verdict_of(row) == (Symptom.NETWORK, Stage.DNS)
    assert names_of(row) == ["config", "policy", "dns"]
    assert "Spell the host in the base URL again: https://nowhere.invalid/v1." in checks(row)
    assert row.status is None


def test_port_that_nobody_listens_on() -> None:
    with serve(answer()) as server:
        base_url = server.url()
    bearer(base_url)
    row = run()

    assert verdict_of(row) == (Symptom.NETWORK, Stage.CONNECT)
    assert names_of(row) == ["config", "policy", "dns", "connect"]
    assert f"Is the host in the base URL right: {base_url}?" in checks(row)


def test_connection_that_is_reset() -> None:
    with serve(reset_after_request()) as server:
        bearer(server.url("/x"))
        row = run()

    assert verdict_of(row) == (Symptom.NETWORK, Stage.API)
    assert names_of(row) == ["config", "policy", "dns", "connect", "api"]
    assert f"what their log says of GET {server.url('/x')}" in checks(row)


def test_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with (
        serve(answer(), tls=self_signed(tmp_path, "api.test")) as server,
        resolving({"api.test": ["127.0.0.1"]}),
    ):
        base_url = server.url(host="api.test")
        bearer(base_url)
        row = run()

        assert not server.requests
    assert verdict_of(row) == (Symptom.TLS, Stage.TLS)
    assert names_of(row) == ["config", "policy", "dns", "connect", "tls"]
    assert f"in the certificate: {base_url}?" in checks(row)


def test_look_up_that_takes_too_long() -> None:
    with resolving({"slow.test": None}):
        bearer("https://slow.test/", timeout=1)
        row = run()

    assert verdict_of(row) == (Symptom.TIMEOUT, Stage.DNS)
    assert "base URL right: https://slow.test/?" in checks(row)


def test_answer_that_takes_too_long() -> None:
    with serve(hang()) as server:
        bearer(server.url("/slow"), timeout=1)
        row = run()

    assert verdict_of(row) == (Symptom.TIMEOUT, Stage.API)
    assert f"It is GET {server.url('/slow')}." in checks(row)
    assert 900 < row.duration_ms < 3000


# token


def test_token_endpoint_that_refuses_the_client(provider: Provider) -> None:
    wired_oauth(provider, options={"scope": "profile", "audience": "https://api.example.com"})
    provider.switches.token = "invalid_client"
    row = run()

    assert verdict_of(row) == (Symptom.TOKEN_ENDPOINT_CONFIG, Stage.TOKEN)
    assert names_of(row) == ["config", "policy", "dns", "connect", "token"]
    assert row.status is None
    for said in (
        f"Is the token URL right: {provider.token_url}?",
        f"Client ID {accounts.CLIENT.client_id}",
        "Client authentication is basic",
    ):
        assert said in checks(row)
    assert row.checks[0].startswith("Client ID")


def test_token_url_that_the_secrets_werent_entered_for(provider: Provider) -> None:
    wired_oauth(provider)
    with tenant_scope(tenant_id()):
        AllowedOrigin.objects.filter(purpose="token").delete()
    row = run()

    assert verdict_of(row) == (Symptom.BLOCKED_BY_POLICY, Stage.TOKEN)
    assert provider.count("POST /token") == 0
    assert "origin of its token URL" in checks(row)


def test_token_endpoint_that_cant_be_reached(provider: Provider) -> None:
    with serve(answer()) as server:
        gone = server.url("/token")
    wired_oauth(provider, options={"token_url": gone + "?tenant=hidden"})
    row = run()

    assert verdict_of(row) == (Symptom.NETWORK, Stage.TOKEN)
    assert f"Is the token URL right: {gone}?" in checks(row)
    assert "hidden" not in checks(row)


def test_web_page_instead_of_a_token(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "html"
    row = run()

    assert verdict_of(row) == (Symptom.PROVIDER_ERROR, Stage.TOKEN)
    assert f"not a login page or the documentation: {provider.token_url}?" in checks(row)


def test_token_endpoint_that_asks_to_wait(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "429"
    row = run()

    assert verdict_of(row) == (Symptom.PROVIDER_RATE_LIMITED, Stage.TOKEN)
    assert f"client {accounts.CLIENT.client_id}" in checks(row)


def test_config_that_was_never_connected(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code")
    row = run()

    assert verdict_of(row) == (Symptom.REAUTHORIZATION_REQUIRED, Stage.TOKEN)
    assert provider.count("POST /token") == 0
    assert "Open the auth config crm and connect it" in checks(row)


def test_refusal_of_a_token_that_only_a_person_can_renew(provider: Provider) -> None:
    wired_oauth(provider, grant="authorization_code")
    with tenant_scope(tenant_id()):
        from authconfigs.models import OAuthToken

        token = OAuthToken.objects.get()
        token.access_token, token.generation, token.state = "revoked-token", 1, "valid"
        token.save()
    row = run()

    assert verdict_of(row) == (Symptom.REAUTHORIZATION_REQUIRED, Stage.TOKEN)
    assert row.status == 401


# api


@pytest.mark.parametrize("method", ["bearer", "api_key", "basic"])
def test_wrong_credential(provider: Provider, method: str) -> None:
    if method == "bearer":
        bearer(provider.base_url + "/bearer", token="wrong-token")
        named = "header Authorization, prefix Bearer"
    elif method == "api_key":
        api_key(provider, value="wrong-value")
        named = "sent as header X-API-Key"
    else:
        basic(provider, password="wrong-password")
        named = f"User name {accounts.BASIC_USERNAME}"
    row = run()

    assert verdict_of(row) == (Symptom.WRONG_OR_MISSING_CREDENTIAL, Stage.API)
    assert row.status == 401
    assert named in checks(row)
    assert f"Is the credential of crm meant for {provider.base_url}" in checks(row)


def test_missing_credential(provider: Provider) -> None:
    wired(provider.base_url + "/basic", method=None)
    row = run()

    assert verdict_of(row) == (Symptom.WRONG_OR_MISSING_CREDENTIAL, Stage.API)
    assert "Choose an auth config for acme/crm in staging." in checks(row)
    assert "The API offers Basic" in checks(row)


def test_missing_scope_is_named(provider: Provider) -> None:
    wired_oauth(provider, path="/scoped", options={"scope": "profile"})
    row = run()

    assert verdict_of(row) == (Symptom.INSUFFICIENT_PERMISSION, Stage.API)
    assert row.status == 403
    assert "The API wants the scope reports." in checks(row)
    assert "Scope of crm is profile" in checks(row)


def test_missing_permission(provider: Provider) -> None:
    basic(provider)
    provider.switches.api = "403"
    row = run()

    assert verdict_of(row) == (Symptom.INSUFFICIENT_PERMISSION, Stage.API)
    assert f"May this account call GET {provider.base_url}/basic?" in checks(row)
    assert f"User name {accounts.BASIC_USERNAME}: which rights" in checks(row)


def test_basic_at_a_bearer_api(provider: Provider) -> None:
    basic(provider, path="/bearer")
    row = run()

    assert verdict_of(row) == (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, Stage.API)
    assert "wants Bearer, and got the header Authorization, behind the word Basic" in row.summary
    assert "does the documentation ask for Bearer?" in checks(row)


def test_bearer_at_a_basic_api(provider: Provider) -> None:
    bearer(provider.base_url + "/basic")
    row = run()

    assert verdict_of(row) == (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, Stage.API)
    assert "crm is Bearer token: does the documentation ask for Basic?" in checks(row)


@pytest.mark.parametrize(
    ("path", "options", "wanted"),
    [
        ("/key-query", {}, "the query parameter api_key"),
        ("/key-header", {"placement": "query"}, "the header X-API-Key"),
        ("/key-header", {"key": "X-Key"}, "the header X-API-Key"),
        ("/key-query", {"placement": "query", "key": "apikey"}, "the query parameter api_key"),
    ],
)
def test_key_in_the_wrong_place(
    provider: Provider, path: str, options: dict[str, str], wanted: str
) -> None:
    api_key(provider, path, **options)
    row = run()

    assert verdict_of(row) == (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, Stage.API)
    assert f"the API names {wanted}" in checks(row)


def test_prefix_inside_the_token() -> None:
    with serve(answer("401 Unauthorized", headers=[("WWW-Authenticate", "Bearer")])) as server:
        bearer(server.url(), token="Token abcdef")
        row = run()

    assert verdict_of(row) == (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, Stage.API)
    assert "Type the secret of crm again, without the word Token before it." in checks(row)
    assert "abcdef" not in str(vars(row))


def test_missing_prefix() -> None:
    with serve(answer("401 Unauthorized", headers=[("WWW-Authenticate", "Bearer")])) as server:
        wired(
            server.url(),
            options={"header": "Authorization", "prefix": ""},
            secrets={"token": "a-token"},
        )
        row = run()

    assert verdict_of(row) == (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, Stage.API)
    assert "header Authorization, prefix (empty)" in checks(row)


def test_kind_of_body_that_the_api_doesnt_take(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer", headers={"Content-Type": "text/plain"})
    provider.switches.api = "415"
    change(test_method="POST", test_body="{}")
    row = run()

    assert verdict_of(row) == (Symptom.PLACEMENT_OR_FORMAT_MISMATCH, Stage.API)
    assert "Content-Type of the test request is text/plain" in checks(row)


def test_key_that_was_rotated_after_a_green_test(provider: Provider) -> None:
    api_key(provider, "/rotating", accounts.ROTATING_KEY)
    green = run()
    provider.switches.rotated = True
    row = run()

    assert green.ok
    assert verdict_of(row) == (Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY, Stage.API)
    assert f"rotated or revoked at the provider after {green.started_at:%Y-%m-%d}" in checks(row)


def test_key_that_worked_in_an_earlier_revision_is_just_wrong(provider: Provider) -> None:
    api_key(provider, "/rotating", accounts.ROTATING_KEY)
    assert run().ok
    store_fields(secrets={"value": "mistyped-key"})

    assert verdict_of(run()) == (Symptom.WRONG_OR_MISSING_CREDENTIAL, Stage.API)


def test_token_that_the_api_says_has_expired() -> None:
    challenge = 'Bearer realm="x", error="invalid_token", error_description="The token expired"'
    with serve(answer("401 Unauthorized", headers=[("WWW-Authenticate", challenge)])) as server:
        bearer(server.url())
        row = run()

    assert verdict_of(row) == (Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY, Stage.API)
    assert "Type a fresh token into crm: it is sent in Authorization" in checks(row)


def test_token_that_is_refused_although_it_is_new(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.api = "401"
    row = run()

    assert verdict_of(row) == (Symptom.TOKEN_EXPIRY_OR_ROTATED_KEY, Stage.API)
    assert provider.count("POST /token") == 2
    assert provider.count("GET /bearer") == 2
    assert f"Does {provider.token_url} belong to the same environment" in checks(row)


def test_rate_limit_of_the_api(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    provider.switches.api = "429"
    row = run()

    assert verdict_of(row) == (Symptom.PROVIDER_RATE_LIMITED, Stage.API)
    assert "Wait 30 seconds" in checks(row)


def test_failure_of_the_api(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    provider.switches.api = "500"
    row = run()

    assert verdict_of(row) == (Symptom.PROVIDER_ERROR, Stage.API)
    assert row.status == 500
    assert f"Is GET {provider.base_url}/bearer a request that the API knows?" in checks(row)


def test_content_encoding_that_is_broken(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    provider.switches.api = "garbled"
    row = run()

    assert verdict_of(row) == (Symptom.PROVIDER_ERROR, Stage.API)
    assert checks(row)


def test_large_answer_is_read_in_part_and_no_failure() -> None:
    with serve(gzip_bomb(megabytes=200)) as server:
        bearer(server.url())
        change(negative_control=False)
        row = run()

    assert row.ok
    assert row.response["truncated"]
    assert row.duration_ms < 5000


@pytest.mark.parametrize(
    "status",
    ["400 Bad Request", "404 Not Found", "405 Method Not Allowed", "409 Conflict", "422 X"],
)
def test_request_that_is_refused_for_another_reason(status: str) -> None:
    with serve(answer(status)) as server:
        bearer(server.url("/x"))
        row = run()

    assert verdict_of(row) == (Symptom.REQUEST_REFUSED, Stage.API)
    assert row.status == int(status[:3])
    assert f"GET {server.url('/x')}" in checks(row)


def test_success_that_isnt_the_expected_one(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    change(test_expect=[204, 206])
    row = run()

    assert verdict_of(row) == (Symptom.UNEXPECTED_ANSWER, Stage.API)
    assert "answered 200, and the test expects 204 or 206" in row.summary
    assert "expected statuses of acme/crm" in checks(row)
    assert provider.count("GET /bearer") == 1


def test_more_tests_than_the_tenant_may_start(settings: Any) -> None:
    settings.TEST_RATE_PER_MINUTE = 1
    with serve(answer()) as server:
        bearer(server.url())
        change(negative_control=False)
        assert run().ok
        row = run()

        assert len(server.requests) == 1
    assert verdict_of(row) == (Symptom.TOO_MANY_TESTS, Stage.CONFIG)
    assert row.steps == []
    assert "that counts as one" in checks(row)


def test_endpoint_that_is_open_to_everybody(provider: Provider) -> None:
    bearer(provider.base_url + "/open")
    row = run()

    assert verdict_of(row) == (Symptom.UNPROVEN, Stage.API)
    assert (row.status, row.negative_control) == (200, "accepted")
    assert not step(row, "negative_control")["ok"]
    assert f"GET {provider.base_url}/open answers without a right one" in checks(row)


def test_expired_token_is_renewed_first(provider: Provider) -> None:
    wired_oauth(provider)
    assert run().ok
    change_token(expires_at=timezone.now() - timedelta(seconds=1), refresh_after=timezone.now())

    row = run()
    assert row.ok
    assert row.token_refreshed


def test_every_symptom_is_in_this_file() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert not [symptom for symptom in Symptom if f"Symptom.{symptom.name}," not in source]
