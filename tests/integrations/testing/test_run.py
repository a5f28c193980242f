"""What a test does on the way, and what it keeps: steps, evidence without secrets, history, audit, figures."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from authconfigs import methods, origins
from authconfigs.outgoing import origin_of
from authconfigs.symptoms import Symptom
from integrations import usage
from integrations.calls import Call, perform
from integrations.demo.provider import Provider, accounts
from integrations.models import ConnectionTest, UsageCount
from integrations.targets import Name, load_target
from integrations.testing import document_of_test
from tenants.actor import Actor, acting_as
from tenants.models import AuditEvent
from tenants.scope import tenant_scope
from tests.integrations.testing.cases import (
    api_key,
    basic,
    bearer,
    change,
    connection,
    names_of,
    run,
    step,
    stored,
    tenant_id,
    verdict_of,
)
from tests.integrations.wired import NAME, store_token, the_config, wired, wired_oauth
from tests.servers.raw import serve
from tests.servers.scripts import answer, drip_body, hang

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


# The steps


def test_green_test_goes_through_the_stages_in_order(provider: Provider) -> None:
    wired_oauth(provider)
    row = run()

    assert (row.ok, row.symptom, row.stage, row.status) == (True, "", "api", 200)
    assert names_of(row) == [
        "config",
        "policy",
        "dns",
        "connect",
        "token",
        "api",
        "negative_control",
    ]
    assert all(step["ok"] for step in row.steps)
    assert step(row, "token")["detail"].startswith("obtained, expires in")
    assert step(row, "api")["detail"] == f"GET {provider.base_url}/bearer: 200 OK"
    assert row.token_refreshed


def test_stored_token_is_reused(provider: Provider) -> None:
    wired_oauth(provider)
    run()
    row = run()

    assert not row.token_refreshed
    assert step(row, "token")["detail"].startswith("reused, expires in")
    assert provider.count("POST /token") == 1


def test_connection_to_the_api_is_opened_before_the_token_is_asked_for(provider: Provider) -> None:
    with serve(answer()) as server:
        base_url = server.url()
    wired_oauth(provider)
    change(base_url=base_url)
    with tenant_scope(tenant_id()):
        origins.add(the_config(), [origin_of(base_url)], purpose=origins.Purpose.API)
    row = run()

    assert row.stage == "connect"
    assert provider.count("POST /token") == 0


def test_refused_token_is_renewed_once_and_the_request_sent_again(provider: Provider) -> None:
    wired_oauth(provider)
    run()
    provider.ledger.revoke_all()
    provider.forget()
    row = run()

    assert row.ok
    assert row.token_refreshed
    tokens = [one["detail"] for one in row.steps if one["name"] == "token"]
    assert tokens[0].startswith("reused")
    assert tokens[1].startswith("the API refused the token (401); obtained")
    assert provider.count("POST /token") == 1


def test_refused_token_that_cant_be_renewed_fails_at_the_token(provider: Provider) -> None:
    wired_oauth(provider)
    run()
    provider.ledger.revoke_all()
    provider.switches.token = "invalid_client"
    row = run()

    assert verdict_of(row) == (Symptom.TOKEN_ENDPOINT_CONFIG, "token")
    assert row.status == 401
    assert not step(row, "token")["ok"]


def test_failure_that_stopped_the_config_is_asked_again(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"
    run()
    provider.switches.token = ""

    assert run().ok


def test_whole_test_ends_within_ten_seconds() -> None:
    with serve(hang()) as server:
        bearer(server.url())
        started = time.monotonic()
        row = run()

    assert verdict_of(row) == (Symptom.TIMEOUT, "api")
    assert time.monotonic() - started < 10


def test_slow_drip_with_its_negative_control_ends_within_ten_seconds() -> None:
    with serve(drip_body(pause=0.2)) as server:
        bearer(server.url())
        started = time.monotonic()
        run()

    assert time.monotonic() - started < 10


def test_test_request_goes_out_as_it_is_stored(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer", headers={"X-Standing": "a"})
    change(test_method="POST", test_path="/x?y=1", test_headers={"X-Own": "ü"}, test_body="bödy")
    row = run()

    received = provider.requests[-1]
    assert row.ok
    assert (received.method, received.path) == ("POST", "/bearer/x?y=1")
    assert received.body.decode() == "bödy"
    assert received.header("X-Standing") == "a"
    assert received.header("Content-Type") is None


def test_unencrypted_credential_is_a_warning(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    assert any("begins with http://" in warning for warning in run().warnings)


def test_unencrypted_request_without_credential_is_none(provider: Provider) -> None:
    wired(provider.base_url + "/open", method=None)
    assert run().warnings == []


def test_header_that_the_credential_displaced_is_a_warning(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer", headers={"authorization": "mine"})
    row = run()

    assert row.ok
    assert any("authorization was left out" in warning for warning in row.warnings)


# The same bytes as a call


def sample_of(code: str, base_url: str) -> None:
    options: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    if code == "bearer":
        secrets = {"token": "tökén-1"}
    elif code == "api_key":
        options, secrets = {"key": "k ey", "placement": "query"}, {"value": "a&b=ü"}
    elif code == "basic":
        options, secrets = {"username": "jö"}, {"password": "pä:ss"}
    else:
        options = {"token_url": f"{base_url}/token", "client_id": "c", "scope": "s"}
        secrets = {"client_secret": "s3cret"}
        if code == "oauth2_password":
            options["username"], secrets["password"] = "u", "p4ssword"
        if code == "oauth2_authorization_code":
            options["authorization_url"] = f"{base_url}/authorize"
            secrets = {"client_secret": "s3cret"}
    wired(f"{base_url}/v1", method=code, options=options, secrets=secrets, headers={"X-A": "b"})


@pytest.mark.parametrize("code", [method.code for method in methods.METHODS])
def test_call_and_test_send_the_same_bytes(code: str) -> None:
    token = json.dumps({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600})
    with serve(answer(body=token.encode())) as server:
        sample_of(code, server.url("").rstrip("/"))
        if code == "oauth2_authorization_code":
            store_token(access_token="t0ken", generation=1, state="valid")
        change(
            test_method="GET",
            test_path="/päth?q=%2F",
            test_headers={"X-Own": "ü"},
            test_body="bödy",
            negative_control=False,
        )
        row = run()
        perform(
            load_target(NAME),
            Call("GET", "/päth?q=%2F", headers=(("X-Own", "ü"),), body="bödy".encode()),
        )

        tested, called = [one for one in server.requests if one.target.startswith("/v1")]
    assert row.ok
    assert (tested.head, tested.body) == (called.head, called.body)


# What is kept


def test_document_is_that_of_the_contract(provider: Provider) -> None:
    wired_oauth(provider, path="/scoped", options={"scope": "profile"})
    row = run()
    document = json.loads(json.dumps(document_of_test(row)))

    assert list(document) == [
        "ok",
        "id",
        "symptom",
        "summary",
        "likely_cause",
        "checks",
        "status",
        "stage",
        "steps",
        "negative_control",
        "token_refreshed",
        "environment",
        "integration",
        "connection",
        "duration_ms",
        "host",
    ]
    assert document["symptom"] == "insufficient_permission"
    assert (document["ok"], document["status"], document["stage"]) == (False, 403, "api")
    assert (document["environment"], document["integration"]) == ("staging", "crm")
    assert document["connection"] == "default"
    assert all(list(one) == ["name", "ok", "detail", "ms"] for one in document["steps"])
    assert document["id"] == str(row.id)


def test_document_of_a_success_has_no_symptom(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    document = document_of_test(run())

    assert (document["ok"], document["symptom"], document["checks"]) == (True, None, [])


@pytest.mark.parametrize("kind", ["bearer", "key-query", "basic", "oauth"])
def test_what_the_api_reflects_is_stored_masked(provider: Provider, kind: str) -> None:
    if kind == "bearer":
        bearer(provider.base_url + "/bearer", headers={"X-Shown": "shown-value"})
    elif kind == "key-query":
        api_key(provider, "/key-query", key="api_key", placement="query")
    elif kind == "basic":
        basic(provider)
    else:
        wired_oauth(provider)
    provider.switches.api = "echo"
    row = run()

    assert row.ok
    kept = json.dumps(
        [row.request, row.response, row.steps, row.summary, row.checks], ensure_ascii=False
    )
    sent = next(received for received in provider.requests if received.method == "GET")
    secrets = [accounts.BEARER_TOKEN, accounts.API_KEY, accounts.BASIC_PASSWORD]
    secrets.append((sent.header("Authorization") or "Bearer none-at-all").split(" ")[1])
    pair = f"{accounts.BASIC_USERNAME}:{accounts.BASIC_PASSWORD}"
    secrets.append(base64.b64encode(pair.encode()).decode())
    assert not [s for s in secrets if s in kept or json.dumps(json.dumps(s))[3:-3] in kept]
    assert "••••" in kept
    assert row.response["status"] == 200
    assert "you_sent" in row.response["body"]
    if kind == "bearer":
        assert ["X-Shown", "shown-value"] in row.request["headers"]
        assert ["Authorization", "Bearer ••••"] in row.request["headers"]


def test_only_the_first_part_of_an_answer_is_kept_and_no_session() -> None:
    headers = [("Set-Cookie", "session=of-the-api")]
    with serve(answer(body=b"x" * 100_000, headers=headers)) as server:
        bearer(server.url())
        change(negative_control=False)
        row = run()

    assert len(row.response["body"]) == 2000
    assert row.response["truncated"]
    assert "of-the-api" not in json.dumps(row.response)


def test_secrets_at_the_end_of_what_was_read_are_in_no_evidence() -> None:
    token = "".join(f"{number:05}" for number in range(3000))
    escaped = "".join(f"%{ord(digit):02X}" for digit in token)
    headers = [("Location", f"https://{escaped[:300]}{token[100:]}/{escaped}")]
    # 64 KiB of it are read, four of the secret and the beginning of a fifth.
    with serve(answer("302 Found", body=token.encode() * 6, headers=headers)) as server:
        bearer(server.url(), token=token)
        row = run()

    kept = json.dumps([row.request, row.response, row.steps, row.summary, row.checks])
    assert row.response["truncated"]
    assert not [part for part in (token[:8], escaped[:24], escaped[-24:]) if part in kept]


def test_result_is_noted_at_the_connection(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    green = run()
    provider.switches.api = "500"
    red = run()

    now = connection()
    assert (now.last_test_ok, now.last_test_symptom) == (False, "provider_error")
    assert (now.last_test_at, now.last_success_at) == (red.started_at, green.started_at)
    assert (now.testing_owner, now.testing_until) == (None, None)


def test_refusal_by_our_own_limit_leaves_the_last_result_and_one_row(
    provider: Provider, settings: Any
) -> None:
    bearer(provider.base_url + "/bearer")
    settings.TEST_RATE_PER_MINUTE = 1
    run(), run(), run()

    assert connection().last_test_ok
    assert [row.symptom for row in stored()] == ["too_many_tests", ""]


def test_history_keeps_the_last_200_and_the_last_success(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    green = run()
    now = timezone.now()
    with tenant_scope(tenant_id()):
        ConnectionTest.objects.filter(id=green.id).update(started_at=now - timedelta(days=2))
        ConnectionTest.objects.bulk_create(
            ConnectionTest(
                connection_id=green.connection_id,
                started_at=now - timedelta(minutes=number),
                ok=False,
                symptom="network",
                stage="dns",
                duration_ms=1,
            )
            for number in range(1, 251)
        )
    provider.switches.api = "500"
    newest = run()

    kept = stored()
    assert len(kept) == 201
    assert kept[0].id == newest.id
    assert [row.id for row in kept if row.ok] == [green.id]


def test_test_is_in_the_audit_trail_with_its_actor(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer", token="wrong-token")
    with acting_as(Actor(None, "eve", None, "web")):
        row = run()

    with tenant_scope(tenant_id()):
        event = AuditEvent.objects.get(action="test")
    assert (event.actor, event.outcome) == ("eve", "wrong_or_missing_credential")
    assert (event.object_type, event.environment) == ("connection", "staging")
    assert row.actor == "eve"


def test_test_is_counted_as_one_and_isnt_use(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")
    run()
    usage.flush()

    with tenant_scope(tenant_id()):
        (count,) = UsageCount.objects.filter(kind="test")
    assert (count.outcome, count.count) == ("ok", 1)
    assert connection().last_used_at is None


def test_test_inside_a_transaction_is_refused(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")

    with transaction.atomic(), pytest.raises(TransactionManagementError):
        run()
    assert provider.count("connections") == 0


def test_unknown_connection_is_said(provider: Provider) -> None:
    bearer(provider.base_url + "/bearer")

    with pytest.raises(LookupError, match="no connection second"):
        run(Name("acme", "crm", "staging", "second"))
