"""Calls from Python, through real sockets."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from authconfigs.symptoms import Stage, Symptom
from integrations.client import CallFailed, Client, auth, connect
from integrations.demo.provider import Provider, accounts
from tenants.models import Tenant
from tests.integrations.wired import change_config, wired, wired_oauth

pytestmark = pytest.mark.django_db

STAGING = {"environment": "staging"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as one:
        one.trust_env = False
        yield one


def client(provider: Provider, **standing: Any) -> Client:
    wired(provider.base_url + "/open", method=None, **standing)
    return connect("acme", "crm", **STAGING)


def key_in(place: str, provider: Provider) -> None:
    name = accounts.API_KEY_HEADER if place == "header" else accounts.API_KEY_PARAMETER
    wired(
        f"{provider.base_url}/key-{place}",
        method="api_key",
        options={"key": name, "placement": place},
        secrets={"value": accounts.API_KEY},
    )


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_verbs(provider: Provider, verb: str) -> None:
    response = getattr(client(provider), verb)("/orders")

    assert response.status_code == 200
    assert response.json()["path"] == "/open/orders"
    assert provider.requests[-1].method == verb.upper()


@pytest.mark.parametrize("status", ["403", "404", "500"])
def test_answer_of_any_status_never_raises(provider: Provider, status: str) -> None:
    provider.switches.api = status

    assert client(provider).get().status_code == int(status)


def test_parameters_follow_the_paths_own_query(provider: Provider) -> None:
    client(provider).get("/x?a=%2f", params={"b": "ü/", "c": [1, 2], "d": None})

    assert provider.requests[-1].path == "/open/x?a=%2f&b=%C3%BC%2F&c=1&c=2"


@pytest.mark.parametrize(
    ("arguments", "body", "content_type"),
    [
        ({"json": {"a": "ü"}}, b'{"a": "\\u00fc"}', "application/json"),
        ({"data": {"a": "ü"}}, b"a=%C3%BC", "application/x-www-form-urlencoded"),
        ({"data": "ü"}, "ü".encode(), None),
        ({"data": b"\xff"}, b"\xff", None),
        ({"data": io.BytesIO(b"file")}, b"file", None),
        ({"data": (part for part in (b"one", "two"))}, b"onetwo", None),
        ({}, b"", None),
    ],
)
def test_body_goes_out_as_requests_would_send_it(
    provider: Provider, arguments: dict[str, Any], body: bytes, content_type: str | None
) -> None:
    client(provider).post(**arguments)

    received = provider.requests[-1]
    assert (received.body, received.header("Content-Type")) == (body, content_type)


def test_content_type_of_the_caller_wins_over_the_standing_one_and_that_over_the_bodys(
    provider: Provider,
) -> None:
    api = client(provider, headers={"content-type": "application/vnd.api+json"})
    api.post(json={})
    api.post(json={}, headers={"Content-Type": "text/plain"})

    sent = [one.header("Content-Type") for one in provider.requests]
    assert sent == ["application/vnd.api+json", "text/plain"]


def test_header_of_none_leaves_a_standing_one_out(provider: Provider) -> None:
    client(provider, headers={"X-Standing": "a"}).get(headers={"x-standing": None})

    assert provider.requests[-1].header("X-Standing") is None


def test_response_shows_no_credential(provider: Provider) -> None:
    key_in("query", provider)
    provider.switches.api = "403"

    response = connect("acme", "crm", **STAGING).get()

    assert provider.requests[-1].query == [(accounts.API_KEY_PARAMETER, accounts.API_KEY)]
    with pytest.raises(requests.HTTPError) as caught:
        response.raise_for_status()
    assert accounts.API_KEY not in f"{caught.value} {response.url} {response.request.url}"


def test_without_an_answer_the_failure_says_why_and_what_to_check(provider: Provider) -> None:
    api = client(provider)
    provider.stop()

    with pytest.raises(CallFailed) as caught:
        api.get("?secret=hunter2")

    failed = caught.value
    assert (failed.symptom, failed.stage) == (Symptom.NETWORK, Stage.CONNECT)
    assert failed.checks
    assert str(failed) == failed.summary
    assert "hunter2" not in str(failed)
    assert failed.__cause__ is None


def test_token_that_isnt_to_be_had_is_a_failure(provider: Provider) -> None:
    wired_oauth(provider)
    provider.switches.token = "invalid_client"

    with pytest.raises(CallFailed) as caught:
        connect("acme", "crm", **STAGING).get()

    assert (caught.value.symptom, caught.value.stage) == (
        Symptom.TOKEN_ENDPOINT_CONFIG,
        Stage.TOKEN,
    )


def test_refusal_is_returned_where_the_token_cant_be_renewed(provider: Provider) -> None:
    wired_oauth(provider)
    api = connect("acme", "crm", **STAGING)
    api.get()
    provider.ledger.revoke_all()
    provider.switches.token = "invalid_client"

    assert api.get().status_code == 401


def test_unknown_names_raise(provider: Provider) -> None:
    client(provider)

    for arguments in (("nope", "crm"), ("acme", "nope")):
        with pytest.raises(LookupError):
            connect(*arguments, **STAGING)
        with pytest.raises(LookupError):
            auth(*arguments, **STAGING)
    with pytest.raises(LookupError):
        connect("acme", "crm", environment="nope")
    with pytest.raises(LookupError):
        connect("acme", "crm", environment="staging", connection="nope")


@pytest.mark.parametrize("path", ["x", "//host", "/../x", "/a b", "https://host/", "/a\nb"])
def test_bad_path_raises_and_sends_nothing(provider: Provider, path: str) -> None:
    api = client(provider)

    with pytest.raises(ValueError, match="path"):
        api.get(path)
    assert provider.count("connections") == 0


@pytest.mark.parametrize("headers", [{"a b": "c"}, {"a": "b\nc"}, {"Host": "elsewhere"}])
def test_bad_header_raises_and_sends_nothing(provider: Provider, headers: dict[str, str]) -> None:
    api = client(provider)

    with pytest.raises(ValueError, match="header"):
        api.get(headers=headers)
    assert provider.count("connections") == 0


def test_open_transaction_raises_and_sends_nothing(provider: Provider) -> None:
    wired_oauth(provider)
    api = connect("acme", "crm", **STAGING)

    with transaction.atomic(), pytest.raises(TransactionManagementError):
        api.get()
    assert provider.count("connections") == 0


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_client(provider: Provider) -> None:
    wired_oauth(provider)
    api = connect("acme", "crm", **STAGING)

    def status(_: int) -> int:
        try:
            return api.get().status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(status, range(32))) == {200}
    assert provider.count("POST /token") == 1


@pytest.mark.parametrize("place", ["header", "query"])
def test_auth_puts_the_credential_into_a_foreign_session(
    provider: Provider, session: requests.Session, place: str
) -> None:
    key_in(place, provider)

    response = session.get(
        f"{provider.base_url}/key-{place}?a=1", auth=auth("acme", "crm", **STAGING)
    )

    assert response.status_code == 200
    assert provider.count("connections") == 1


def test_auth_sends_credentials_outside_of_ascii_as_utf_8(
    provider: Provider, session: requests.Session
) -> None:
    wired(
        provider.base_url,
        options={"header": "X-Token", "prefix": ""},
        secrets={"token": "schlüssel"},
    )

    session.get(f"{provider.base_url}/open", auth=auth("acme", "crm", **STAGING))

    assert provider.requests[-1].header("X-Token") == "schlüssel"


def test_auth_refuses_another_origin_and_sends_nothing(
    provider: Provider, session: requests.Session
) -> None:
    wired_oauth(provider)

    with Provider() as other, pytest.raises(CallFailed) as caught:
        session.get(f"{other.base_url}/open", auth=auth("acme", "crm", **STAGING))

    assert (caught.value.symptom, caught.value.stage) == (Symptom.BLOCKED_BY_POLICY, Stage.POLICY)
    assert other.count("connections") == provider.count("connections") == 0


def test_auth_gets_another_token_after_a_refusal(
    provider: Provider, session: requests.Session
) -> None:
    wired_oauth(provider)
    session.auth = auth("acme", "crm", **STAGING)
    url = f"{provider.base_url}/bearer"
    session.get(url)
    provider.ledger.revoke_all()

    assert [session.get(url).status_code, session.get(url).status_code] == [401, 200]
    assert provider.count("POST /token") == 2


def test_credential_of_auth_doesnt_follow_a_redirect(
    provider: Provider, session: requests.Session
) -> None:
    key_in("header", provider)
    provider.switches.api = "redirect"

    session.get(f"{provider.base_url}/key-header", auth=auth("acme", "crm", **STAGING))

    assert [one.endpoint for one in provider.requests] == ["/key-header", "/elsewhere"]
    assert provider.requests[0].header(accounts.API_KEY_HEADER) == accounts.API_KEY
    assert provider.requests[1].header(accounts.API_KEY_HEADER) is None


@pytest.mark.parametrize("what", ["tenant", "config"])
def test_auth_of_what_is_switched_off_fails(
    provider: Provider, session: requests.Session, what: str
) -> None:
    key_in("header", provider)
    credential = auth("acme", "crm", **STAGING)
    if what == "tenant":
        Tenant.objects.update(disabled_at=timezone.now())
    else:
        change_config(disabled_at=timezone.now())

    with pytest.raises(CallFailed) as caught:
        session.get(provider.base_url + "/key-header", auth=credential)

    assert caught.value.stage is Stage.CONFIG
    assert provider.count("connections") == 0
