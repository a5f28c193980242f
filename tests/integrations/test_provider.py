"""The demo provider, over real sockets with plain requests: it is what a newcomer and other tests rely on."""

import base64
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

import pytest
import requests

from integrations.demo.provider import ALL_FAILURES, FAILURES, Provider, Switches, accounts
from integrations.demo.provider.switches import MEANINGS
from integrations.demo.provider.tokens import s256

BEARER = {"Authorization": f"Bearer {accounts.BEARER_TOKEN}"}
CLIENT = (accounts.CLIENT.client_id, accounts.CLIENT.secret)
REDIRECT_URI = "http://127.0.0.1:9/oauth/callback/?kept=1"
VERIFIER = "v" * 43
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def _basic(username: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _token(provider: Provider, grant_type: str, **form: str) -> requests.Response:
    data = {"grant_type": grant_type, **form}
    return requests.post(provider.token_url, data=data, auth=CLIENT, timeout=5)


def _password(provider: Provider, **form: str) -> dict[str, str]:
    answer = _token(
        provider,
        "password",
        username=accounts.OAUTH_USERNAME,
        password=accounts.OAUTH_PASSWORD,
        **form,
    )
    assert answer.status_code == 200
    found: dict[str, str] = answer.json()
    return found


def _consent_url(provider: Provider, **changes: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": accounts.CLIENT.client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": "profile reports",
        "state": "s t&te",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    request = requests.Request("GET", f"{provider.base_url}/authorize", params=asked).prepare()
    assert request.url
    return request.url


def _code(provider: Provider) -> str:
    provider.switches.consent = "allow"
    answer = requests.get(_consent_url(provider), allow_redirects=False, timeout=5)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]


def _exchanged(provider: Provider, code: str, **changes: str) -> requests.Response:
    form = {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, **changes}
    return _token(provider, "authorization_code", **form)


def test_browser_that_asks_for_an_icon_gets_none(provider: Provider) -> None:
    assert requests.get(f"{provider.base_url}/favicon.ico", timeout=5).status_code == 204


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/bearer", BEARER),
        ("/bearer/invoices?page=2", BEARER),
        ("/key-header", {"X-API-Key": accounts.API_KEY}),
        ("/rotating", {"x-api-key": accounts.ROTATING_KEY}),
        (f"/key-query?a=b&api_key={accounts.API_KEY}", {}),
        ("/basic", _basic(accounts.BASIC_USERNAME, accounts.BASIC_PASSWORD)),
        ("/open", {}),
    ],
)
def test_right_credential_is_accepted(
    provider: Provider, path: str, headers: dict[str, str]
) -> None:
    answer = requests.get(provider.base_url + path, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)


@pytest.mark.parametrize(
    ("path", "headers", "challenge"),
    [
        ("/bearer", {}, 'Bearer realm="demo"'),
        ("/bearer", _basic("a", "b"), 'Bearer realm="demo"'),
        (
            "/bearer",
            {"Authorization": "Bearer Bearer demo-bearer-token"},
            'Bearer realm="demo", error="invalid_token", error_description="The access token is unknown or revoked."',
        ),
        ("/key-header", {}, 'ApiKey realm="demo", in="header", name="X-API-Key"'),
        ("/key-header?api_key=demo-api-key", {}, 'ApiKey realm="demo", in="header"'),
        ("/key-query?api_key=wrong", {}, 'ApiKey realm="demo", in="query", name="api_key"'),
        ("/basic", _basic("demo", "wrong"), 'Basic realm="demo", charset="UTF-8"'),
        ("/basic", {"Authorization": "Basic %%%"}, 'Basic realm="demo", charset="UTF-8"'),
        ("/basic", BEARER, 'Basic realm="demo", charset="UTF-8"'),
    ],
)
def test_wrong_credential_gets_401_with_the_endpoints_challenge(
    provider: Provider, path: str, headers: dict[str, str], challenge: str
) -> None:
    answer = requests.get(provider.base_url + path, headers=headers, timeout=5)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith(challenge)


def test_missing_scope_gets_403_insufficient_scope(provider: Provider) -> None:
    answer = requests.get(f"{provider.base_url}/scoped", headers=BEARER, timeout=5)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert 'scope="reports"' in answer.headers["WWW-Authenticate"]
    token = _token(provider, "client_credentials", scope="reports").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{provider.base_url}/scoped", headers=headers, timeout=5).ok


def test_issued_token_works_until_it_expires_or_is_revoked(provider: Provider) -> None:
    def status() -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{provider.base_url}/bearer", headers=headers, timeout=5)
        return answer.status_code, answer.headers.get("WWW-Authenticate", "")

    token = _token(provider, "client_credentials").json()["access_token"]
    assert status()[0] == 200
    provider.ledger.expire_all()
    assert status()[0] == 401
    assert "expired" in status()[1]
    token = _token(provider, "client_credentials").json()["access_token"]
    provider.ledger.revoke_all()
    assert status()[0] == 401
    assert "revoked" in status()[1]


def test_rotated_switch_replaces_the_rotating_key_alone(provider: Provider) -> None:
    provider.switches.rotated = True

    def status(path: str, key: str) -> int:
        headers = {"X-API-Key": key}
        return requests.get(provider.base_url + path, headers=headers, timeout=5).status_code

    assert status("/rotating", accounts.ROTATING_KEY) == 401
    assert status("/rotating", accounts.ROTATED_KEY) == 200
    assert status("/key-header", accounts.API_KEY) == 200


@pytest.mark.parametrize("client", [accounts.CLIENT, accounts.ODD_CLIENT])
def test_basic_client_authentication_is_form_decoded(
    provider: Provider, client: accounts.Client
) -> None:
    headers = _basic(quote_plus(client.client_id), quote_plus(client.secret))
    form = {"grant_type": "client_credentials", "scope": "orders reports"}
    answer = requests.post(provider.token_url, data=form, headers=headers, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 300
    assert answer.json()["scope"] == "orders reports"
    assert "refresh_token" not in answer.json()
    assert answer.headers["Cache-Control"] == "no-store"


def test_odd_client_without_form_encoding_is_refused_with_a_basic_challenge(
    provider: Provider,
) -> None:
    headers = _basic(accounts.ODD_CLIENT.client_id, accounts.ODD_CLIENT.secret)
    form = {"grant_type": "client_credentials"}
    answer = requests.post(provider.token_url, data=form, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("as_json", [True, False])
def test_post_client_authentication_takes_form_and_json(provider: Provider, as_json: bool) -> None:
    asked = {
        "grant_type": "client_credentials",
        "client_id": accounts.ODD_CLIENT.client_id,
        "client_secret": accounts.ODD_CLIENT.secret,
    }
    body = {"json": asked} if as_json else {"data": asked}
    assert requests.post(provider.token_url, timeout=5, **body).status_code == 200  # type: ignore[arg-type]


def test_public_client_uses_password_but_not_client_credentials(provider: Provider) -> None:
    form = {
        "grant_type": "password",
        "client_id": accounts.PUBLIC_CLIENT.client_id,
        "username": accounts.OAUTH_USERNAME,
        "password": accounts.OAUTH_PASSWORD,
    }
    assert requests.post(provider.token_url, data=form, timeout=5).status_code == 200
    form["grant_type"] = "client_credentials"
    answer = requests.post(provider.token_url, data=form, timeout=5)
    assert answer.json()["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("grant_type", "form", "error"),
    [
        ("implicit", {}, "unsupported_grant_type"),
        ("", {}, "invalid_request"),
        ("client_credentials", {"scope": "everything"}, "invalid_scope"),
        ("client_credentials", {"client_secret": "again"}, "invalid_request"),
        ("password", {"username": "demo-user", "password": "wrong"}, "invalid_grant"),
        ("password", {"username": "demo-user"}, "invalid_request"),
        ("refresh_token", {"refresh_token": "unknown"}, "invalid_grant"),
        ("authorization_code", {"code": "unknown"}, "invalid_grant"),
    ],
)
def test_bad_token_request_gets_its_oauth_error(
    provider: Provider, grant_type: str, form: dict[str, str], error: str
) -> None:
    answer = _token(provider, grant_type, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_repeated_parameter_is_refused_but_resource_may_repeat(provider: Provider) -> None:
    def status(*extra: tuple[str, str]) -> int:
        form = [("grant_type", "client_credentials"), *extra]
        return requests.post(provider.token_url, data=form, auth=CLIENT, timeout=5).status_code

    assert status(("scope", "profile"), ("scope", "orders")) == 400
    assert status(("resource", "https://a.example"), ("resource", "https://b.example")) == 200


def test_token_endpoint_wants_post(provider: Provider) -> None:
    answer = requests.get(provider.token_url, timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_strict_rotation_takes_reuse_as_theft(provider: Provider) -> None:
    first = _password(provider)
    second = _token(provider, "refresh_token", refresh_token=first["refresh_token"])
    assert second.json()["refresh_token"] != first["refresh_token"]
    reuse = _token(provider, "refresh_token", refresh_token=first["refresh_token"])
    assert reuse.json()["error"] == "invalid_grant"
    late = _token(provider, "refresh_token", refresh_token=second.json()["refresh_token"])
    assert late.json()["error"] == "invalid_grant"
    assert provider.count("refresh_reuse") == 1


def test_grace_lets_the_previous_refresh_token_be_used_again(provider: Provider) -> None:
    provider.switches.refresh = "grace"
    first = _password(provider)["refresh_token"]
    for _ in range(2):
        answer = _token(provider, "refresh_token", refresh_token=first)
        assert answer.status_code == 200
    last = answer.json()["refresh_token"]
    assert _token(provider, "refresh_token", refresh_token=last).status_code == 200
    assert (provider.count("refresh_grace"), provider.count("refresh_reuse")) == (1, 0)
    assert _token(provider, "refresh_token", refresh_token=first).status_code == 400


def test_kept_refresh_token_is_not_rotated(provider: Provider) -> None:
    provider.switches.refresh = "keep"
    first = _password(provider)["refresh_token"]
    for _ in range(2):
        answer = _token(provider, "refresh_token", refresh_token=first)
        assert (answer.status_code, "refresh_token" in answer.json()) == (200, False)


def test_refresh_may_narrow_the_scope_but_not_widen_it(provider: Provider) -> None:
    first = _password(provider, scope="profile reports")["refresh_token"]
    wider = _token(provider, "refresh_token", refresh_token=first, scope="orders")
    assert wider.json()["error"] == "invalid_scope"
    narrower = _token(provider, "refresh_token", refresh_token=first, scope="reports")
    assert narrower.json()["scope"] == "reports"
    whole = _token(provider, "refresh_token", refresh_token=narrower.json()["refresh_token"])
    assert whole.json()["scope"] == "profile reports"


def test_many_refreshes_at_once_with_one_token_give_one_answer(provider: Provider) -> None:
    token = _password(provider)["refresh_token"]
    statuses: list[int] = []

    def refresh() -> None:
        answer = _token(provider, "refresh_token", refresh_token=token)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 1


def test_consent_page_asks_and_sends_code_state_and_issuer_back(provider: Provider) -> None:
    url = _consent_url(provider)
    shown = requests.get(url, timeout=5)
    assert "demo-client" in shown.text
    assert "reports" in shown.text
    form = {"decision": "allow"}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=5)
    assert answer.status_code == 303
    back = urlsplit(answer.headers["Location"])
    query = parse_qs(back.query)
    assert f"{back.scheme}://{back.netloc}{back.path}" == "http://127.0.0.1:9/oauth/callback/"
    assert (query["state"], query["iss"], query["kept"]) == (
        ["s t&te"],
        [provider.base_url],
        ["1"],
    )
    assert _exchanged(provider, query["code"][0]).json()["scope"] == "profile reports"


def test_consent_may_be_narrowed_and_withdrawn_by_its_person(provider: Provider) -> None:
    asked = requests.post(
        _consent_url(provider), data={"decision": "narrow"}, allow_redirects=False, timeout=5
    )
    code = dict(parse_qsl(urlsplit(asked.headers["Location"]).query))["code"]
    given = _exchanged(provider, code).json()
    assert given["scope"] == "profile"
    page = f"{provider.base_url}/connected"
    assert requests.get(page, timeout=5).text.count("Withdraw</button>") == 1
    ((name, _),) = provider.ledger.consents()
    assert "None at present" in requests.post(page, data={"consent": name}, timeout=5).text
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    assert (
        requests.get(f"{provider.base_url}/bearer", headers=headers, timeout=5).status_code == 401
    )
    answer = _token(provider, "refresh_token", refresh_token=given["refresh_token"])
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("switch", "iss"), [("https://evil.example", ["https://evil.example"]), ("none", [])]
)
def test_consent_answers_name_the_issuer_that_the_switch_says(
    provider: Provider, switch: str, iss: list[str]
) -> None:
    provider.switches.update({"consent": "allow", "consent_issuer": switch})
    answer = requests.get(_consent_url(provider), allow_redirects=False, timeout=5)
    assert parse_qs(urlsplit(answer.headers["Location"]).query).get("iss", []) == iss


def test_denied_consent_sends_access_denied_back(provider: Provider) -> None:
    answer = requests.post(
        _consent_url(provider), data={"decision": "deny"}, allow_redirects=False, timeout=5
    )
    assert "error=access_denied" in answer.headers["Location"]
    assert "code=" not in answer.headers["Location"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_bad_consent_request_sends_its_error_back(
    provider: Provider, changes: dict[str, str], error: str
) -> None:
    url = _consent_url(provider, **changes)
    answer = requests.get(url, allow_redirects=False, timeout=5)
    assert f"error={error}" in answer.headers["Location"]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://a.example/#fragment"},
        {"redirect_uri": "https://a.example/\r\nSet-Cookie: a=b"},
        {"redirect_uri": ""},
    ],
)
def test_consent_never_redirects_to_an_address_it_cannot_trust(
    provider: Provider, changes: dict[str, str]
) -> None:
    answer = requests.get(_consent_url(provider, **changes), allow_redirects=False, timeout=5)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_code_works_once_and_its_reuse_revokes_what_it_gave(provider: Provider) -> None:
    code = _code(provider)
    tokens = _exchanged(provider, code).json()
    assert _exchanged(provider, code).json()["error"] == "invalid_grant"
    late = _token(provider, "refresh_token", refresh_token=tokens["refresh_token"])
    assert late.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes", [{"code_verifier": "w" * 43}, {"redirect_uri": "http://127.0.0.1:9/other/"}]
)
def test_code_is_bound_to_its_request(provider: Provider, changes: dict[str, str]) -> None:
    assert _exchanged(provider, _code(provider), **changes).json()["error"] == "invalid_grant"


def test_code_expires(provider: Provider) -> None:
    provider.switches.code_lifetime = 0
    assert _exchanged(provider, _code(provider)).json()["error"] == "invalid_grant"


def test_revoked_refresh_token_takes_its_family_along(provider: Provider) -> None:
    tokens = _password(provider)
    form = {"token": tokens["refresh_token"]}
    answer = requests.post(f"{provider.base_url}/revoke", data=form, auth=CLIENT, timeout=5)
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (
        requests.get(f"{provider.base_url}/bearer", headers=headers, timeout=5).status_code == 401
    )
    unknown = requests.post(
        f"{provider.base_url}/revoke", data={"token": "unknown"}, auth=CLIENT, timeout=5
    )
    assert unknown.status_code == 200


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
def test_metadata_names_the_endpoints(provider: Provider, name: str) -> None:
    url = f"{provider.base_url}/.well-known/{name}"
    found = requests.get(url, timeout=5).json()
    assert found["issuer"] == provider.base_url
    assert found["token_endpoint"] == provider.token_url
    assert found["code_challenge_methods_supported"] == ["S256"]
    provider.switches.metadata_issuer = "https://foreign.example"
    assert requests.get(url, timeout=5).json()["issuer"] == "https://foreign.example"


@pytest.mark.parametrize("name", ["401", "403", "404", "415", "429", "500", "503"])
def test_status_failures_win_over_the_right_credential(provider: Provider, name: str) -> None:
    provider.switches.retry_after = "7"
    answer = requests.get(f"{provider.base_url}/fail/{name}/bearer", headers=BEARER, timeout=5)
    assert answer.status_code == int(name)
    assert answer.headers.get("Retry-After") == ("7" if name in {"429", "503"} else None)
    assert ("WWW-Authenticate" in answer.headers) == (name == "401")
    assert requests.get(f"{provider.base_url}/bearer", headers=BEARER, timeout=5).ok


def test_switch_fails_every_api_endpoint_and_leaves_the_token_endpoint(provider: Provider) -> None:
    provider.switches.api = "html"
    answer = requests.get(f"{provider.base_url}/open", timeout=5)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert _token(provider, "client_credentials").json()["access_token"]


def test_echo_reflects_the_credential_in_body_and_headers(provider: Provider) -> None:
    answer = requests.get(f"{provider.base_url}/fail/echo/bearer?a=1", headers=BEARER, timeout=5)
    assert answer.headers["X-Echo-Authorization"] == BEARER["Authorization"]
    assert accounts.BEARER_TOKEN in answer.text
    refused = requests.post(
        f"{provider.base_url}/fail/echo/fail/invalid_client/token",
        data={"grant_type": "client_credentials", "client_secret": "planted"},
        timeout=5,
    )
    assert refused.status_code == 401
    assert "planted" in refused.json()["error_description"]


def test_slow_and_drip_take_their_time(provider: Provider) -> None:
    provider.switches.slow_seconds = 0.5
    started = time.monotonic()
    assert requests.get(f"{provider.base_url}/fail/slow/open", timeout=5).ok
    assert time.monotonic() - started >= 0.5
    started = time.monotonic()
    with requests.get(f"{provider.base_url}/fail/drip/open", timeout=5, stream=True) as answer:
        assert answer.raw.read(3) == b"{\n "
    assert time.monotonic() - started >= 0.2


def test_close_gives_no_answer(provider: Provider) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{provider.base_url}/fail/close/open", timeout=5)


def test_lost_answer_has_rotated_the_refresh_token(provider: Provider) -> None:
    first = _password(provider)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": first}
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{provider.base_url}/fail/lost/token", data=form, auth=CLIENT, timeout=5)
    assert _token(provider, "refresh_token", refresh_token=first).status_code == 400


def test_redirect_points_to_a_trap_that_counts(provider: Provider) -> None:
    form = {"grant_type": "client_credentials"}
    url = f"{provider.base_url}/fail/redirect/token"
    answer = requests.post(url, data=form, auth=CLIENT, allow_redirects=False, timeout=5)
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"{provider.base_url}/elsewhere?from=demo"
    assert provider.count("POST /elsewhere") == 0


@pytest.mark.parametrize(
    ("name", "key", "raw"),
    [
        ("expires_null", "expires_in", "null"),
        ("expires_string", "expires_in", '"300"'),
        ("expires_float", "expires_in", "299.5"),
        ("expires_zero", "expires_in", "0"),
        ("expires_negative", "expires_in", "-1"),
        ("expires_huge", "expires_in", "1" + "0" * 400),
        ("expires_junk", "expires_in", '"soon"'),
        ("expires_nan", "expires_in", "NaN"),
        ("expires_bool", "expires_in", "true"),
        ("refresh_null", "refresh_token", "null"),
        ("refresh_empty", "refresh_token", '""'),
        ("scope_narrower", "scope", '"profile"'),
        ("scope_reordered", "scope", '"reports profile"'),
        ("type_foreign", "token_type", '"mac"'),
    ],
)
def test_token_oddity_is_on_the_wire(provider: Provider, name: str, key: str, raw: str) -> None:
    provider.switches.token = name
    form = {"grant_type": "client_credentials", "scope": "profile reports"}
    answer = requests.post(provider.token_url, data=form, auth=CLIENT, timeout=5)
    assert f'"{key}": {raw}' in answer.text


@pytest.mark.parametrize(
    ("name", "key"), [("expires_missing", "expires_in"), ("type_missing", "token_type")]
)
def test_token_oddity_leaves_a_field_out(provider: Provider, name: str, key: str) -> None:
    provider.switches.token = name
    assert key not in _token(provider, "client_credentials").json()


def test_token_answer_can_be_a_form_nested_or_huge(provider: Provider) -> None:
    provider.switches.token = "form_encoded"
    answer = _token(provider, "client_credentials")
    assert dict(parse_qsl(answer.text))["token_type"] == "Bearer"
    provider.switches.token = "nested"
    assert _token(provider, "client_credentials").json()["data"]["token"]["access_token"]
    provider.switches.token = "big"
    assert len(_token(provider, "client_credentials").content) > 5_000_000


def test_every_failure_can_be_asked_for_by_address(provider: Provider) -> None:
    provider.switches.slow_seconds = 0.1
    statuses: dict[str, int] = {}
    form = {"grant_type": "client_credentials", "scope": "profile reports"}
    for name in set(ALL_FAILURES) - {"close", "lost", "drip", "garbled"}:
        url = f"{provider.base_url}/fail/{name}/token"
        answer = requests.post(url, data=form, auth=CLIENT, allow_redirects=False, timeout=5)
        statuses[name] = answer.status_code
    assert {name for name, status in statuses.items() if status == 404} == {"404"}


def test_unknown_failure_names_the_known_ones(provider: Provider) -> None:
    answer = requests.get(f"{provider.base_url}/fail/nonsense/open", timeout=5)
    assert answer.status_code == 404
    assert "nonsense" in answer.json()["message"]
    assert all(name in answer.json()["message"] for name in FAILURES)


def test_switches_are_turned_by_json_and_reset(provider: Provider) -> None:
    url = f"{provider.base_url}/switches"
    asked = {"api": "403,echo", "token_lifetime": 5, "rotated": True}
    assert requests.post(url, json=asked, timeout=5).ok
    assert provider.switches.token_lifetime == 5
    assert requests.get(url, timeout=5).json()["switches"]["api"] == "403,echo"
    assert requests.get(f"{provider.base_url}/open", timeout=5).status_code == 403
    requests.post(url, json={"action": "reset"}, timeout=5)
    assert (provider.switches.api, provider.switches.rotated) == ("", False)


def test_switches_are_turned_by_the_landing_pages_form(provider: Provider) -> None:
    form = {"api": "500", "rotated": "true", "consent": "deny"}
    answer = requests.post(
        f"{provider.base_url}/switches", data=form, allow_redirects=False, timeout=5
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert (provider.switches.rotated, provider.switches.consent) == (True, "deny")
    assert "api = 500" in requests.get(provider.base_url, timeout=5).text


@pytest.mark.parametrize(
    "asked",
    [
        {"nonsense": 1},
        {"api": "nonsense"},
        {"api": "expires_junk"},
        {"token_lifetime": "soon", "rotated": True},
        {"token_lifetime": -1},
        {"refresh": "maybe"},
        {"rotated": "maybe"},
        {"action": "explode", "rotated": True},
    ],
)
def test_nonsense_turns_no_switch(provider: Provider, asked: dict[str, object]) -> None:
    answer = requests.post(f"{provider.base_url}/switches", json=asked, timeout=5)
    assert answer.status_code == 400
    assert provider.switches.rotated is False


def test_python_attribute_refuses_nonsense(provider: Provider) -> None:
    with pytest.raises(ValueError, match="no failure 'nonsense'"):
        provider.switches.token = "nonsense"
    assert provider.switches.token == ""


def test_every_switch_is_explained() -> None:
    assert set(MEANINGS) == set(asdict(Switches()))


def test_landing_page_lists_endpoints_credentials_and_switches(provider: Provider) -> None:
    text = requests.get(provider.base_url, timeout=5).text
    for shown in ("/key-query", accounts.API_KEY, "expires_junk", "token_lifetime", "demo-client"):
        assert shown in text


def test_connection_is_kept_alive_and_head_has_no_body(provider: Provider) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    for method, length in (("HEAD", 0), ("POST", 1), ("GET", 1)):
        connection.request(method, "/open", body=b"x=1")
        assert bool(connection.getresponse().read()) == bool(length)
    connection.close()
    assert provider.count("connections") == 1


def test_request_log_has_method_path_headers_and_body(provider: Provider) -> None:
    requests.post(f"{provider.base_url}/fail/echo/open?a=b", data=b"\xff\x00", timeout=5)
    (received,) = provider.requests
    assert (received.method, received.path, received.body) == ("POST", "/open?a=b", b"\xff\x00")
    assert received.header("content-length") == "2"
    assert provider.count("POST /open") == 1
    provider.forget()
    assert (provider.requests, provider.count("POST /open")) == ([], 0)


def test_stopping_closes_port_and_kept_connections() -> None:
    with Provider() as provider:
        connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
        connection.request("GET", "/open")
        connection.getresponse().read()
    assert connection.sock.recv(1) == b""
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5).connect()


def test_stopping_does_not_wait_for_slow_answers(provider: Provider) -> None:
    provider.switches.slow_seconds = 60

    def wait() -> None:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{provider.base_url}/fail/slow/open", timeout=90)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not provider.requests:
        time.sleep(0.01)
    started = time.monotonic()
    provider.stop()
    waiting.join()
    assert time.monotonic() - started < 5


def test_json_body_of_a_token_request_must_be_an_object(provider: Provider) -> None:
    answer = requests.post(provider.token_url, data=json.dumps([1]), timeout=5)
    assert answer.json()["error"] == "invalid_request"


def _run_provider(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_provider", *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_command_serves_until_it_is_told_to_stop(signum: signal.Signals) -> None:
    port = _free_port()
    with _run_provider("--port", str(port), "--rotated") as process:
        assert process.stdout
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        switches = requests.get(f"http://127.0.0.1:{port}/switches", timeout=5).json()["switches"]
        assert switches["rotated"] is True
        process.send_signal(signum)
        assert process.wait(timeout=10) == 0


def test_command_says_that_its_port_is_taken(provider: Provider) -> None:
    with _run_provider("--port", str(provider.port)) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {provider.port} can't be used" in said
    assert "Choose another with --port" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("arguments", [["--port", "x"], ["--port", "70000"], ["--nonsense"]])
def test_command_refuses_bad_usage(arguments: list[str]) -> None:
    with _run_provider(*arguments) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "Traceback" not in said


def test_command_help_shows_an_example() -> None:
    with _run_provider("--help") as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "python manage.py run_provider --port 8765" in said
