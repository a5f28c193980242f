"""The whole trip over real sockets: away, consent, back, stored, used."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from authconfigs.state import load_config
from authconfigs.tokens.sweep import renew_now
from integrations.client import connect
from integrations.demo.provider import Provider
from tenants.models import AuditEvent
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import (
    CONNECTED,
    REFUSED,
    arrive,
    back_from,
    code_config,
    consent,
    deliver,
    ended,
    leave,
    link_of,
)
from tests.authconfigs.consoles import MISSING, browser, html, url
from tests.factories import log_in, make_config, make_environment, make_tenant, make_user, posted
from tests.integrations.wired import change_token, store_token, stored_token

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = ("connect", "link")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def history(config: AuthConfig) -> list[tuple[str, str]]:
    with tenant_scope(config.tenant_id):
        return list(TokenEvent.objects.filter(config=config).values_list("kind", "actor"))


def recorded(config: AuthConfig, action: str) -> list[tuple[str, str]]:
    with tenant_scope(config.tenant_id):
        lines = AuditEvent.objects.filter(action=action, object_id=config.id)
        return list(lines.values_list("actor", "outcome"))


@pytest.mark.parametrize("way", WAYS)
def test_consent_stores_tokens_that_calls_and_refreshes_use(provider: Provider, way: str) -> None:
    journey = back_from(provider, way)
    page = arrive(journey.client, journey.address)
    assert ended(page) == CONNECTED
    assert ("Back to crm" in html(page)) is (way == "connect")
    assert ("You can close this page" in html(page)) is (way == "link")
    by = "ann" if way == "connect" else "consent link of ann"
    row = stored_token()
    assert (row.state, row.connected_by) == (OAuthToken.State.VALID, by)
    assert row.granted_scope == row.requested_scope == "reports orders"
    assert row.connected_at is not None
    assert row.refresh_after is not None
    assert row.lease_owner is None
    assert history(journey.config) == [("connected", by)]
    assert recorded(journey.config, "connect") == [(by, "ok")]
    assert connect("acme", "crm", environment="staging").get("").status_code == 200
    assert renew_now(load_config(journey.config.id), force=False).ok
    assert provider.count("grant authorization_code") == provider.count("grant refresh_token") == 1
    told = html(browser(journey.config.tenant, Role.VIEWER).get(url("change", journey.config.id)))
    assert f"by {by}" in told


def test_authorization_url_asks_for_what_the_config_says(provider: Provider) -> None:
    config = code_config(provider, audience="api", authorize_params={"prompt": "consent"})
    asked = parse_qs(urlsplit(leave(browser(config.tenant), config)).query)
    assert len(asked["state"][0]) >= 43
    assert {name: asked[name] for name in ("scope", "audience", "prompt", "redirect_uri")} == {
        "scope": ["reports orders"],
        "audience": ["api"],
        "prompt": ["consent"],
        "redirect_uri": ["http://127.0.0.1:8000/oauth/callback/"],
    }
    assert asked["code_challenge_method"] == ["S256"]


def test_completed_consent_lifts_what_stopped_the_config(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    store_token(
        state=OAuthToken.State.REAUTHORIZATION_REQUIRED,
        refresh_token="of-another-account",
        failure_symptom="reauthorization_required",
        failures=3,
    )
    provider.switches.token = "refresh_absent"
    page = arrive(journey.client, journey.address)
    assert ended(page) == CONNECTED
    assert "gave no refresh token" in html(page)
    row = stored_token()
    assert (row.state, row.failures, row.failure_symptom) == (OAuthToken.State.VALID, 0, "")
    # Nothing stays of another grant, and the sweep has nothing to do before it ends.
    assert row.refresh_token is None
    assert row.expires_at is not None
    assert row.refresh_after == row.expires_at


def test_fewer_scopes_than_asked_for_are_said(provider: Provider) -> None:
    journey = back_from(provider, "link")
    provider.switches.token = "scope_narrower"
    assert "orders is missing" in html(arrive(journey.client, journey.address))


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("invalid_grant", REFUSED),
        ("invalid_client", (400, "token_endpoint_config")),
        ("html_500", (502, "provider_error")),
        ("empty", (502, "provider_error")),
        ("429", (502, "provider_rate_limited")),
        ("close", (502, "network")),
        ("redirect", (400, "blocked_by_policy")),
    ],
)
def test_exchange_that_fails_is_explained_and_leaves_the_stored_token(
    provider: Provider, failure: str, expected: tuple[int, str]
) -> None:
    journey = back_from(provider, "link")
    store_token(state=OAuthToken.State.VALID, access_token="kept", refresh_token="kept-too")
    provider.switches.token = failure
    assert journey.deliver() == expected
    row = stored_token()
    assert (row.state, row.lease_owner, row.failures) == (OAuthToken.State.VALID, None, 0)
    assert row.access_token.reveal() == "kept"
    assert history(journey.config) == [("failed", "consent link of ann")]
    assert recorded(journey.config, "connect") == [("consent link of ann", expected[1])]
    assert journey.deliver() == REFUSED


def test_code_waits_for_a_refresh_that_runs(provider: Provider, settings: Any) -> None:
    journey = back_from(provider, "connect")
    settings.OUTBOUND_TIMEOUT = 0.3
    change_token(lease_owner=MISSING, lease_expires_at=timezone.now() + timedelta(hours=1))
    assert journey.deliver() == (502, "timeout")
    assert journey.token_calls == 0


def test_link_says_who_asks_for_what_and_works_once(provider: Provider) -> None:
    config = code_config(provider)
    ann, stranger = browser(config.tenant, Role.EDITOR), Client()
    link = link_of(ann, config)
    assert recorded(config, "consent_link") != []
    for _ in range(3):
        page = stranger.get(link)
        text = unescape(html(page))
        for told in ("editor-", "Acme", "crm", "Staging", provider.base_url, "orders, reports"):
            assert told in text
        for header in ("Set-Cookie", "Location"):
            assert "consent" not in str(page.headers.get(header, ""))
        assert provider.base_url in page.headers["Content-Security-Policy"]
        assert "no-store" in page.headers["Cache-Control"]
    away = stranger.post(link)
    assert away.status_code == 303
    (cookie,) = (held for name, held in away.cookies.items() if name.startswith("consent"))
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/oauth/")
    for again in (stranger.post(link), stranger.get(link), Client().get(link)):
        assert ended(again) == REFUSED
    assert deliver(stranger, consent(away.headers["Location"])) == CONNECTED


def test_link_needs_the_token_of_its_form(provider: Provider) -> None:
    config = code_config(provider)
    link = link_of(browser(config.tenant), config)
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link).status_code == 403
    token = html(strict.get(link)).partition('csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert strict.post(link, {"csrfmiddlewaretoken": token}).status_code == 303


def test_link_works_for_whoever_is_logged_in_elsewhere(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    root = Client()
    log_in(root, make_user("root", superuser=True))
    for client in (browser(make_tenant("globex")), root):
        link = link_of(journey.client, journey.config)
        address = consent(client.post(link).headers["Location"])
        assert deliver(client, address) == CONNECTED


@pytest.mark.parametrize("broken", ["", "link=", "link=x", "link={}:x", "other=1"])
def test_link_that_nobody_signed_is_refused(db: None, broken: str) -> None:
    address = f"/oauth/consent/?{broken.format(MISSING)}"
    assert ended(Client().get(address)) == ended(Client().post(address)) == REFUSED


def test_page_of_a_result_tells_nothing_without_its_signature(db: None) -> None:
    for address in ("/oauth/result/", "/oauth/result/?trip=x", f"/oauth/result/?trip={MISSING}"):
        assert ended(Client().get(address)) == REFUSED


def test_who_may_connect_and_who_sees_the_buttons(provider: Provider) -> None:
    config = code_config(provider)
    protected = make_environment(config.tenant, "production", protected=True)
    pages = ("connect", "consent_link", "disconnect")
    for role in Role:
        client = browser(config.tenant, role)
        may = role in (Role.EDITOR, Role.ADMIN)
        text = html(client.get(url("change", config.id)))
        assert (url("connect", config.id) in text) is may, role
        assert "http://127.0.0.1:8000/oauth/callback/" in text
        codes = [client.post(url(p, config.id), posted(config.tenant)).status_code for p in pages]
        assert codes == ([303, 200, 302] if may else [403, 403, 403]), role
    options = {
        "token_url": provider.token_url,
        "authorization_url": provider.base_url,
        "client_id": "x",
    }
    kept = make_config(protected, method="oauth2_authorization_code", options=options)
    editor = browser(config.tenant, Role.EDITOR)
    codes = [editor.post(url(p, kept.id), posted(config.tenant)).status_code for p in pages]
    assert codes == [403, 403, 403]
    admin = browser(config.tenant, Role.ADMIN)
    page = admin.get(url("change", kept.id))
    assert f"form-action 'self' {provider.base_url}" in page.headers["Content-Security-Policy"]
    assert [admin.get(url(p, kept.id))["Location"] for p in pages] == ["../"] * 3


def test_config_that_is_switched_off_isnt_connected(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    link = link_of(journey.client, journey.config)
    journey.client.post(url("switch", journey.config.id), posted(journey.config.tenant))
    answer = journey.client.post(
        url("connect", journey.config.id), posted(journey.config.tenant), follow=True
    )
    assert "is switched off" in html(answer)
    assert ended(Client().get(link)) == (400, "blocked_by_policy")
    assert journey.deliver() == (400, "blocked_by_policy")


def test_redirect_uri_is_shown_before_there_is_a_config(provider: Provider) -> None:
    client = browser(code_config(provider).tenant)
    page = html(client.get(url("add"), {"method": "oauth2_authorization_code"}))
    assert "http://127.0.0.1:8000/oauth/callback/" in page
    assert "oauth/callback" not in html(client.get(url("add"), {"method": "oauth2_password"}))
