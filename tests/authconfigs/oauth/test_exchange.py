"""Token requests over real sockets: what goes out, what comes back, and that nothing secret leaks."""

import base64
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

import pytest
import requests

from authconfigs.errors import TokenFailed
from authconfigs.oauth import (
    OAuthClient,
    TokenAnswer,
    client_credentials,
    exchange_code,
    password,
    refresh,
)
from authconfigs.oauth.answer import TEN_YEARS
from authconfigs.symptoms import Stage, Symptom
from authconfigs.transport import Deadline, Door, NetworkPolicy
from integrations.demo.provider import Provider, Received, accounts
from integrations.demo.provider.tokens import s256

LOOPBACK = NetworkPolicy(allow_networks=(IPv4Network("127.0.0.0/8"),))
REDIRECT_URI = "http://127.0.0.1:9/oauth/callback/"
VERIFIER = "v" * 43


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door(LOOPBACK)
    yield door
    door.close()


def client_of(
    provider: Provider, account: accounts.Client = accounts.CLIENT, **changes: Any
) -> OAuthClient:
    values = {
        "token_url": provider.token_url,
        "client_id": account.client_id,
        "client_secret": account.secret,
        "header": "Authorization",
        **changes,
    }
    return OAuthClient.from_fields(values)


def ask(client: OAuthClient, door: Door, seconds: float = 5) -> TokenAnswer:
    return client_credentials(client, door=door, deadline=Deadline.after(seconds))


def ask_for_user(client: OAuthClient, door: Door) -> TokenAnswer:
    return password(
        client,
        accounts.OAUTH_USERNAME,
        password=accounts.OAUTH_PASSWORD,
        door=door,
        deadline=Deadline.after(5),
    )


def refresh_with(client: OAuthClient, token: str | None, door: Door) -> TokenAnswer:
    assert token
    return refresh(client, token, door=door, deadline=Deadline.after(5))


def failure_of(act: Callable[[], object]) -> TokenFailed:
    with pytest.raises(TokenFailed) as caught:
        act()
    assert caught.value.stage is Stage.TOKEN
    return caught.value


def sent(provider: Provider) -> Received:
    return provider.requests[-1]


def form_of(received: Received) -> dict[str, list[str]]:
    return parse_qs(received.body.decode(), keep_blank_values=True)


def test_client_credentials_gives_a_token_that_works(provider: Provider, door: Door) -> None:
    answer = ask(client_of(provider, scope="orders  reports"), door)
    headers = {"Authorization": f"Bearer {answer.access_token}"}
    assert requests.get(f"{provider.base_url}/scoped", headers=headers, timeout=5).ok
    assert (answer.expires_in, answer.refresh_token) == (300.0, None)
    assert (answer.scope, answer.token_type) == ("orders reports", "Bearer")


def test_form_request_is_as_the_standard_says(provider: Provider, door: Door) -> None:
    ask(client_of(provider, scope="orders  reports"), door)
    received = sent(provider)
    assert received.method == "POST"
    assert received.header("Content-Type") == "application/x-www-form-urlencoded"
    assert received.header("Accept") == "application/json"
    assert form_of(received) == {
        "grant_type": ["client_credentials"],
        "scope": ["orders  reports"],
    }


@pytest.mark.parametrize("account", [accounts.CLIENT, accounts.ODD_CLIENT])
@pytest.mark.parametrize("client_auth", ["basic", "post"])
@pytest.mark.parametrize("token_body", ["form", "json"])
def test_every_way_of_client_authentication_is_accepted(
    provider: Provider, door: Door, account: accounts.Client, client_auth: str, token_body: str
) -> None:
    client = client_of(provider, account, client_auth=client_auth, token_body=token_body)
    assert ask(client, door).access_token
    in_body = b"client_secret" in sent(provider).body
    in_header = sent(provider).header("Authorization") is not None
    assert (in_body, in_header) == (client_auth == "post", client_auth == "basic")


def test_basic_form_encodes_id_and_secret_first(provider: Provider, door: Door) -> None:
    account = accounts.ODD_CLIENT
    ask(client_of(provider, account), door)
    pair = f"{quote_plus(account.client_id)}:{quote_plus(account.secret)}"
    expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
    assert sent(provider).header("Authorization") == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"client_auth": "none", "client_secret": "unused"},
        {"client_auth": "basic", "client_secret": ""},
        {"client_auth": "post", "client_secret": ""},
        {"client_auth": "basic", "client_secret": None},
    ],
)
def test_without_secret_the_client_id_alone_is_in_the_body(
    provider: Provider, door: Door, changes: dict[str, Any]
) -> None:
    ask_for_user(client_of(provider, accounts.PUBLIC_CLIENT, **changes), door)
    assert sent(provider).header("Authorization") is None
    form = form_of(sent(provider))
    assert form["client_id"] == ["demo-public"]
    assert "client_secret" not in form


def test_json_body_keeps_lists_and_types(provider: Provider, door: Door) -> None:
    client = client_of(
        provider,
        token_body="json",
        audience="https://api.example",
        token_params={"resource": ["https://a.example", "https://b.example"], "nested": {"a": 1}},
        secret_token_params={"pin": "1234"},
    )
    ask(client, door)
    assert sent(provider).header("Content-Type") == "application/json"
    assert json.loads(sent(provider).body) == {
        "grant_type": "client_credentials",
        "audience": "https://api.example",
        "resource": ["https://a.example", "https://b.example"],
        "nested": {"a": 1},
        "pin": "1234",
    }


def test_form_body_repeats_lists(provider: Provider, door: Door) -> None:
    params = {"resource": ["https://a.example", "https://b.example"], "flag": True, "empty": ""}
    ask(client_of(provider, token_params=params, audience="one"), door)
    assert form_of(sent(provider)) == {
        "grant_type": ["client_credentials"],
        "resource": ["https://a.example", "https://b.example"],
        "flag": ["true"],
        "empty": [""],
        "audience": ["one"],
    }


@pytest.mark.parametrize("name", ["grant_type", "scope", "refresh_token", "allow_redirects"])
def test_parameter_replaces_nothing_of_the_grant_and_is_no_option_of_the_library(
    provider: Provider, door: Door, name: str
) -> None:
    params = {name: "mine", "method": "GET", "auth": "x", "timeout": "1", "code": "c"}
    client = client_of(provider, scope="orders", token_params=params)
    ask(client, door)
    form = form_of(sent(provider))
    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == ["orders"]
    assert (form["method"], form["auth"], form["timeout"]) == (["GET"], ["x"], ["1"])


def test_nothing_but_the_grant_is_posted(provider: Provider, door: Door) -> None:
    first = ask_for_user(client_of(provider), door)
    assert set(form_of(sent(provider))) == {"grant_type", "username", "password"}
    refresh_with(client_of(provider), first.refresh_token, door)
    assert set(form_of(sent(provider))) == {"grant_type", "refresh_token"}


def test_token_headers_are_sent_as_utf8(provider: Provider, door: Door) -> None:
    ask(client_of(provider, token_headers={"X-Tenant": "Zürich €", "Accept": "text/plain"}), door)
    assert sent(provider).header("X-Tenant") == "Zürich €"
    assert sent(provider).header("Accept") == "text/plain"


def test_token_header_never_replaces_the_clients_credential(provider: Provider, door: Door) -> None:
    headers = {"authorization": "Custom own", "X-Key": "k"}
    ask(client_of(provider, token_headers=headers), door)
    authorizations = [v for n, v in sent(provider).headers if n.lower() == "authorization"]
    assert len(authorizations) == 1
    assert authorizations[0].startswith("Basic ")
    ask(client_of(provider, client_auth="post", token_headers=headers), door)
    assert sent(provider).header("Authorization") == "Custom own"


def test_password_grant_sends_user_and_password_as_utf8(provider: Provider, door: Door) -> None:
    answer = ask_for_user(client_of(provider, scope="profile"), door)
    assert answer.refresh_token
    form = form_of(sent(provider))
    assert form["username"] == [accounts.OAUTH_USERNAME]
    assert form["password"] == [accounts.OAUTH_PASSWORD]


def test_refresh_rotates_and_carries_audience_and_parameters(
    provider: Provider, door: Door
) -> None:
    client = client_of(
        provider,
        audience="one",
        scope="profile",
        token_params={"a": "1", "b": "1"},
        refresh_params={"b": "2"},
    )
    first = ask_for_user(client, door)
    second = refresh_with(client, first.refresh_token, door)
    assert second.refresh_token != first.refresh_token
    form = form_of(sent(provider))
    assert (form["audience"], form["a"], form["b"]) == (["one"], ["1"], ["2"])
    assert form["scope"] == ["profile"]


def test_refresh_goes_to_the_refresh_url_when_there_is_one(provider: Provider, door: Door) -> None:
    client = client_of(provider)
    first = ask_for_user(client, door)
    with Provider() as other:
        elsewhere = client_of(provider, refresh_url=other.token_url)
        failure = failure_of(lambda: refresh_with(elsewhere, first.refresh_token, door))
        assert failure.error == "invalid_grant"
        assert other.count("POST /token") == 1


def test_refresh_after_a_consent_leaves_the_scope_out(provider: Provider, door: Door) -> None:
    first = ask_for_user(client_of(provider), door)
    client = client_of(provider, scope="orders", authorization_url=f"{provider.base_url}/authorize")
    refresh_with(client, first.refresh_token, door)
    assert "scope" not in form_of(sent(provider))


@pytest.mark.parametrize("name", ["refresh_null", "refresh_empty", "refresh_absent"])
def test_answer_without_new_refresh_token_says_so(
    provider: Provider, door: Door, name: str
) -> None:
    first = ask_for_user(client_of(provider), door)
    provider.switches.token = name
    answer = refresh_with(client_of(provider), first.refresh_token, door)
    assert answer.access_token
    assert answer.refresh_token is None


def test_code_is_exchanged_with_its_verifier_and_redirect_uri(
    provider: Provider, door: Door
) -> None:
    provider.switches.consent = "allow"
    asked = {
        "response_type": "code",
        "client_id": accounts.CLIENT.client_id,
        "redirect_uri": REDIRECT_URI,
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    url = f"{provider.base_url}/authorize"
    back = requests.get(url, params=asked, allow_redirects=False, timeout=5).headers["Location"]
    answer = exchange_code(
        client_of(provider, scope="orders"),
        dict(parse_qsl(urlsplit(back).query))["code"],
        redirect_uri=REDIRECT_URI,
        verifier=VERIFIER,
        door=door,
        deadline=Deadline.after(5),
    )
    assert answer.refresh_token
    assert set(form_of(sent(provider))) == {"grant_type", "code", "redirect_uri", "code_verifier"}


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("expires_missing", None),
        ("expires_null", None),
        ("expires_string", 300.0),
        ("expires_float", 299.5),
        ("expires_zero", 0.0),
        ("expires_negative", 0.0),
        ("expires_huge", TEN_YEARS),
        ("expires_junk", None),
        ("expires_nan", None),
        ("expires_bool", None),
        ("type_missing", 300.0),
        ("type_foreign", 300.0),
        ("form_encoded", 300.0),
        ("refresh_extra", 300.0),
        ("echo", 300.0),
    ],
)
def test_odd_answer_loses_no_token(
    provider: Provider, door: Door, name: str, seconds: float | None
) -> None:
    provider.switches.token = name
    answer = ask(client_of(provider), door)
    assert answer.access_token.startswith("access-")
    assert answer.expires_in == seconds


@pytest.mark.parametrize(
    ("name", "expiry_format"),
    [
        ("expires_milliseconds", "milliseconds"),
        ("expires_iso8601", "iso8601"),
        ("expires_epoch", "epoch"),
    ],
)
def test_expiry_in_another_format_is_read_as_told(
    provider: Provider, door: Door, name: str, expiry_format: str
) -> None:
    provider.switches.token = name
    answer = ask(client_of(provider, expiry_format=expiry_format), door)
    assert answer.expires_in == pytest.approx(300, abs=2)


@pytest.mark.parametrize(
    ("name", "scope"), [("scope_narrower", "profile"), ("scope_reordered", "reports profile")]
)
def test_other_scope_than_asked_for_is_no_error(
    provider: Provider, door: Door, name: str, scope: str
) -> None:
    provider.switches.token = name
    assert ask(client_of(provider, scope="profile reports"), door).scope == scope


def test_nested_answer_is_read_by_its_paths(provider: Provider, door: Door) -> None:
    provider.switches.token = "nested"
    names = ("access_token", "expires_in", "token_type", "scope")
    paths = {name: f"data.token.{name}" for name in names}
    answer = ask(client_of(provider, token_response=paths), door)
    assert (answer.expires_in, answer.scope) == (300.0, "profile")
    failure = failure_of(lambda: ask(client_of(provider), door))
    assert failure.symptom is Symptom.PROVIDER_ERROR


@pytest.mark.parametrize(
    ("name", "symptom", "permanent", "error", "status"),
    [
        ("invalid_client", Symptom.TOKEN_ENDPOINT_CONFIG, True, "invalid_client", 401),
        ("invalid_grant", Symptom.TOKEN_ENDPOINT_CONFIG, True, "invalid_grant", 400),
        ("invalid_scope", Symptom.TOKEN_ENDPOINT_CONFIG, True, "invalid_scope", 400),
        ("error_in_200", Symptom.TOKEN_ENDPOINT_CONFIG, True, "invalid_client", 200),
        ("404", Symptom.TOKEN_ENDPOINT_CONFIG, True, "not_found", 404),
        ("415", Symptom.TOKEN_ENDPOINT_CONFIG, True, "unsupported_media_type", 415),
        ("429", Symptom.PROVIDER_RATE_LIMITED, False, "", 429),
        ("500", Symptom.PROVIDER_ERROR, False, "", 500),
        ("503", Symptom.PROVIDER_ERROR, False, "", 503),
        ("html", Symptom.PROVIDER_ERROR, False, "", 200),
        ("html_500", Symptom.PROVIDER_ERROR, False, "", 500),
        ("empty", Symptom.PROVIDER_ERROR, False, "", 200),
        ("array", Symptom.PROVIDER_ERROR, False, "", 200),
        ("big", Symptom.PROVIDER_ERROR, False, "", None),
        ("garbled", Symptom.PROVIDER_ERROR, False, "", None),
        ("redirect", Symptom.BLOCKED_BY_POLICY, True, "", 307),
        ("close", Symptom.NETWORK, False, "", None),
        ("lost", Symptom.NETWORK, False, "", None),
    ],
)
def test_failure_has_its_verdict(
    provider: Provider,
    door: Door,
    name: str,
    symptom: Symptom,
    permanent: bool,
    error: str,
    status: int | None,
) -> None:
    provider.switches.token = name
    failure = failure_of(lambda: ask(client_of(provider), door))
    assert (failure.symptom, failure.permanent, failure.error) == (symptom, permanent, error)
    assert status is None or failure.status == status
    assert provider.count("POST /token") == 1
    assert provider.count("POST /elsewhere") == 0


def test_wrong_token_url_is_said_to_be_wrong(provider: Provider, door: Door) -> None:
    client = client_of(provider, token_url=f"{provider.base_url}/nothing-here")
    failure = failure_of(lambda: ask(client, door))
    assert (failure.symptom, failure.status) == (Symptom.TOKEN_ENDPOINT_CONFIG, 404)
    assert "the token URL is probably wrong" in failure.summary


def test_retry_after_is_handed_on(provider: Provider, door: Door) -> None:
    provider.switches.token = "429"
    provider.switches.retry_after = "17"
    assert failure_of(lambda: ask(client_of(provider), door)).retry_after == 17.0


@pytest.mark.parametrize("name", ["slow", "drip"])
def test_slow_answer_ends_at_the_deadline(provider: Provider, door: Door, name: str) -> None:
    provider.switches.token = name
    started = time.monotonic()
    failure = failure_of(lambda: ask(client_of(provider), door, seconds=0.5))
    assert (failure.symptom, failure.permanent) == (Symptom.TIMEOUT, False)
    assert time.monotonic() - started < 2


def test_closed_port_is_network(provider: Provider, door: Door) -> None:
    client = client_of(provider)
    provider.stop()
    failure = failure_of(lambda: ask(client, door))
    assert (failure.symptom, failure.permanent) == (Symptom.NETWORK, False)


def test_plaintext_answer_to_tls_is_tls(provider: Provider, door: Door) -> None:
    url = provider.token_url.replace("http://", "https://")
    failure = failure_of(lambda: ask(client_of(provider, token_url=url), door))
    assert (failure.symptom, failure.permanent) == (Symptom.TLS, False)


def test_address_outside_the_policy_gets_no_packet() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        client = OAuthClient(
            token_url=f"http://127.0.0.1:{listener.getsockname()[1]}/token", client_id="id"
        )
        failure = failure_of(lambda: ask(client, Door(NetworkPolicy())))
        assert (failure.symptom, failure.permanent) == (Symptom.BLOCKED_BY_POLICY, True)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize(
    "changes",
    [
        {"token_url": "nonsense"},
        {"token_url": "https://[broken/token"},
        {"token_url": ""},
        {"token_headers": {"X-Key": "planted\r\nX-Other: 1"}},
        {"token_headers": {"bad name": "planted"}},
        {"token_headers": {"Host": "planted"}},
        {"client_secret": "planted\ud800", "client_auth": "post"},
        {"client_secret": "planted\ud800"},
    ],
)
def test_fields_that_make_no_request_are_config_invalid(
    provider: Provider, door: Door, changes: dict[str, Any]
) -> None:
    failure = failure_of(lambda: ask(client_of(provider, **changes), door))
    assert failure.symptom in {Symptom.CONFIG_INVALID, Symptom.BLOCKED_BY_POLICY}
    assert failure.permanent
    assert "planted" not in _everything_said(failure)
    assert provider.requests == []


def test_connection_is_kept_for_the_next_token(provider: Provider, door: Door) -> None:
    for _ in range(3):
        ask(client_of(provider), door)
    assert provider.count("connections") == 1


def test_many_threads_share_a_door(provider: Provider, door: Door) -> None:
    tokens: list[str] = []
    threads = [
        threading.Thread(target=lambda: tokens.append(ask(client_of(provider), door).access_token))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tokens)) == 16


PLANTED: dict[str, Any] = {
    "client_secret": "planted-client-secret",
    "secret_token_params": {"pin": "planted-pin", "more": ["planted-list"]},
}


def _everything_said(error: BaseException) -> str:
    said, seen = [], {id(error)}
    chain: list[BaseException] = [error]
    while chain:
        one = chain.pop()
        said += [str(one), repr(one), repr(one.args), repr(vars(one))]
        said += traceback.format_exception(one)
        for other in (one.__cause__, one.__context__):
            if other is not None and id(other) not in seen:
                seen.add(id(other))
                chain.append(other)
    return "\n".join(said)


@pytest.mark.parametrize(
    "name",
    [
        "echo,invalid_client",
        "echo,error_in_200",
        "echo,429",
        "echo,500",
        "echo,html",
        "echo,array",
        "echo,404",
        "redirect",
        "big",
        "garbled",
        "close",
        "slow",
    ],
)
@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_no_error_and_no_log_says_a_secret(
    provider: Provider,
    door: Door,
    caplog: pytest.LogCaptureFixture,
    name: str,
    client_auth: str,
) -> None:
    for logger in ("requests_oauthlib", "requests_oauthlib.oauth2_session", "oauthlib"):
        caplog.set_level(logging.DEBUG, logger=logger)
    caplog.set_level(logging.DEBUG)
    provider.switches.token = name
    client = client_of(
        provider,
        **PLANTED,
        client_auth=client_auth,
        token_url=f"{provider.token_url}?key=planted-query",
    )
    assert "planted" not in repr(client)
    # Tracebacks quote the lines of this test, so the values don't stand in the calls.
    secret, old = "planted-password", "planted-refresh-token"
    soon = Deadline.after
    failures = [
        failure_of(
            lambda: password(client, "user", password=secret, door=door, deadline=soon(0.5))
        ),
        failure_of(lambda: refresh(client, old, door=door, deadline=soon(0.5))),
    ]
    encoded = base64.b64encode(b"demo-client:planted-client-secret").decode()
    for failure in failures:
        assert "planted" not in _everything_said(failure)
        assert encoded[20:40] not in _everything_said(failure)
    assert "planted" not in caplog.text
    assert encoded[20:40] not in caplog.text


def test_no_log_says_a_token(
    provider: Provider, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    for logger in ("requests_oauthlib", "requests_oauthlib.oauth2_session", "oauthlib"):
        caplog.set_level(logging.DEBUG, logger=logger)
    caplog.set_level(logging.DEBUG)
    first = ask_for_user(client_of(provider), door)
    second = refresh_with(client_of(provider), first.refresh_token, door)
    for answer in (first, second):
        assert answer.refresh_token
        assert answer.access_token not in caplog.text + repr(answer)
        assert answer.refresh_token not in caplog.text + repr(answer)
