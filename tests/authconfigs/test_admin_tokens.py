"""What a config's pages say of its token: the panel, its buttons, its events, the list's filters and notes."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authconfigs.models import AuthConfig, Heartbeat, OAuthToken, TokenEvent
from integrations import testing
from integrations.demo.provider import Provider, accounts
from tenants.models import Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import MISSING, browser, html, post_config, url
from tests.factories import make_config, make_environment, make_tenant, posted
from tests.integrations.wired import change_token, store_token, the_config, wired_oauth

pytestmark = pytest.mark.django_db

Kind, State = TokenEvent.Kind, OAuthToken.State
CODE = {
    "token_url": "https://auth.example.com/token",
    "authorization_url": "https://auth.example.com/authorize",
    "client_id": "console",
    "scope": "read write",
}


def consented(tenant: Tenant, name: str = "crm", **columns: Any) -> AuthConfig:
    """A config of authorization code that ann has connected, with columns of its token's row."""
    config = make_config(
        make_environment(tenant, f"of-{name}"),
        name,
        method="oauth2_authorization_code",
        options=CODE,
    )
    now = timezone.now()
    held: dict[str, Any] = {
        "state": State.VALID,
        "access_token": "planted-access",
        "refresh_token": "planted-refresh",
        "granted_scope": "write read",
        "requested_scope": "read write",
        "connected_at": now - timedelta(days=3),
        "connected_by": "ann",
        "obtained_at": now - timedelta(minutes=20),
        "expires_at": now + timedelta(minutes=45),
        "refresh_after": now + timedelta(minutes=40, seconds=30),
    }
    with tenant_scope(tenant.id):
        row = OAuthToken.objects.get(config=config)
        for column, value in {**held, **columns}.items():
            setattr(row, column, value)
        row.save()
    return config


def words(client: Client, config: AuthConfig) -> str:
    """The text of a config's page."""
    page = re.sub(r"<[^>]+>", " ", html(client.get(url("change", config.id))))
    return " ".join(unescape(page).split())


def test_panel_says_who_connected_it_for_what_and_when_it_is_renewed(tenant: Tenant) -> None:
    page = words(browser(tenant, Role.VIEWER), consented(tenant))
    for told in (
        "Connected as of 3 days ago , by ann",
        "Scopes read, write",
        "Next refresh in 41 minutes",
        "obtained 20 minutes ago",
        "Refresh token stored",
    ):
        assert told in page
    assert "than were asked for" not in page


def test_unknown_expiry_is_said(tenant: Tenant) -> None:
    page = words(browser(tenant), consented(tenant, expires_at=None, refresh_after=None))
    assert "not said by the provider" in page
    assert "Next refresh when an API refuses the token (401)" in page


def test_refresh_token_that_nobody_has_tried_is_neither_connected_nor_granted(
    tenant: Tenant,
) -> None:
    config = consented(
        tenant,
        state=State.EMPTY,
        access_token=None,
        granted_scope="",
        requested_scope="",
        obtained_at=None,
        expires_at=None,
        refresh_after=timezone.now(),
    )
    page = words(browser(tenant), config)
    assert "OAuth token Not tried yet" in page
    assert "The next call gets an access token with the pasted refresh token." in page
    assert "Pasted in 3 days ago , by ann Next refresh" in page
    for untrue in ("Connected as of", "OAuth token Connected"):
        assert untrue not in page


def saved(client: Client, config: AuthConfig, **typed: str) -> str:
    """The config's page after what was typed is saved."""
    answer = post_config(client, config, **typed)
    assert answer.status_code == 302, html(answer)
    config.refresh_from_db()
    return unescape(re.sub(r"<[^>]+>", " ", html(client.get(url("change", config.id)))))


@pytest.mark.parametrize(
    ("held", "typed", "told"),
    [
        ({}, {"client_secret": "another"}, "The next call gets a new access token."),
        (
            {"refresh_token": None},
            {"client_secret": "another"},
            "The stored access token stays: there is no refresh token to get another one with.",
        ),
        ({"refresh_token": None, "access_token": None}, {"client_secret": "another"}, ""),
        ({"refresh_token": None, "access_token": None}, {"refresh_token": "pasted"}, ""),
        ({}, {"refresh_token": "pasted", "drop_grant": "on"}, "The stored token was dropped."),
    ],
)
def test_save_says_what_became_of_the_token(
    tenant: Tenant, held: dict[str, Any], typed: dict[str, str], told: str
) -> None:
    config = consented(tenant, **held)
    with tenant_scope(tenant.id):
        page = saved(browser(tenant), config, **typed)
    message = page.partition("crm is saved.")[2][: len(told) + 40]
    assert message.strip().startswith(told)
    for other in ("The next call gets a new", "The stored access token stays", "was dropped"):
        assert (other in message) == (other in told)


def test_form_promises_a_new_access_token_only_where_one_can_come(tenant: Tenant) -> None:
    client = browser(tenant)
    renewable, kept = consented(tenant), consented(tenant, "kept", refresh_token=None)
    for config, promised in ((renewable, True), (kept, False)):
        page = words(client, config)
        assert ("A change gets a new access token." in page) is promised
        assert ("Another path gets a new access token." in page) is promised
        assert "Another host drops the stored token" in page


def test_new_config_that_needs_consent_is_registered_and_connected_next(tenant: Tenant) -> None:
    client, environment = browser(tenant), make_environment(tenant)
    for name, seed, told in (
        ("crm", "", "Register the redirect URI at the provider, then connect it."),
        ("seeded", "planted-seed", "Attach it to an integration, then test it."),
    ):
        typed = {"name": name, "environment": str(environment.id), "refresh_token": seed}
        form = posted(tenant, method="oauth2_authorization_code", **CODE, **typed)
        page = html(client.post(url("add"), form, follow=True))
        assert f"{name} is saved. {told}" in page


def test_late_renewal_is_said_with_the_last_sign_of_life(tenant: Tenant) -> None:
    late = timezone.now() - timedelta(minutes=7)
    config = consented(tenant, refresh_after=late)
    client = browser(tenant)
    page = words(client, config)
    assert "due since 7 minutes" in page
    assert "Celery beat has never given a sign of life" in page
    Heartbeat.objects.create(part=Heartbeat.Part.BEAT, at=timezone.now() - timedelta(hours=2))
    assert "last sign of life was 2 hours ago" in words(client, config)


def test_who_has_to_connect_it_again_reads_why_and_since_when(tenant: Tenant) -> None:
    config = consented(
        tenant,
        state=State.REAUTHORIZATION_REQUIRED,
        state_since=timezone.now() - timedelta(hours=4),
        expires_at=timezone.now() - timedelta(hours=1),
        failure_summary="The provider withdrew it.",
        failed_at=timezone.now(),
    )
    page = words(browser(tenant), config)
    assert "Needs reauthorization for 4 hours . The provider withdrew it." in page
    assert "Next refresh" not in page


def test_next_try_is_said_while_retrying(tenant: Tenant) -> None:
    config = consented(
        tenant,
        state=State.RETRYING,
        failure_summary="No answer came.",
        failures=3,
        failed_at=timezone.now(),
        next_attempt_at=timezone.now() + timedelta(seconds=150),
    )
    page = words(browser(tenant), config)
    for told in ("Retrying", "No answer came.", "Next try in 3 minutes", "3 in a row"):
        assert told in page


def test_scopes_that_differ_are_warned_of_everywhere(tenant: Tenant) -> None:
    fewer = consented(tenant, "fewer", granted_scope="read")
    consented(tenant, "same")
    more = consented(tenant, "more", granted_scope="read,write,admin")
    client = browser(tenant)
    assert "fewer scopes than were asked for: write is missing" in words(client, fewer)
    assert "For review: the provider granted more scopes than were asked for: admin." in words(
        client, more
    )
    listed = html(client.get(url("changelist"), {"state": "scopes"}))
    assert {name for name in ("fewer", "same", "more") if f">{name}<" in listed} == {
        "fewer",
        "more",
    }
    assert "Fewer scopes" in listed
    assert "More scopes" in listed


def test_edited_scope_is_announced_for_the_next_consent(tenant: Tenant) -> None:
    config = consented(tenant, requested_scope="read", granted_scope="read")
    page = words(browser(tenant), config)
    assert "At the next consent read, write" in page
    assert "is missing" not in page


@pytest.mark.django_db(transaction=True)
def test_refresh_after_a_simulated_expiry_proves_that_it_works() -> None:
    with Provider() as provider:
        wired_oauth(provider, options={"scope": "reports orders"})
        config = the_config()
        tenant = Tenant.objects.get(slug="acme")
        client = browser(tenant, Role.OPERATOR)
        assert url("expire", config.id) not in html(client.get(url("change", config.id)))
        client.post(url("refresh", config.id), posted(tenant))
        client.post(url("expire", config.id), posted(tenant))
        page = words(client, config)
        assert "The token now looks expired" in page
        assert "Expiry simulated just now by operator" in page
        assert "Expiry expired just now" in page
        assert "Next refresh due now" in page
        provider.switches.token = "scope_narrower"
        client.post(url("refresh", config.id), posted(tenant))
        page = words(client, config)
        assert re.search(r"Refresh works: obtained, expires in \d+ (min|h)", page)
        assert page.count("is missing") == 2
        assert "Expiry in" in page
        (test,) = testing.test_config(config.id)
        assert test.ok
        assert [warning for warning in test.warnings if "orders is missing" in warning]
        provider.switches.token = "invalid_client"
        client.post(url("refresh", config.id), posted(tenant))
        page = words(client, config)
        assert "Refresh works" not in page
        assert "Stopped until edited since just now" in page


def happened(config: AuthConfig, kind: str, **columns: Any) -> None:
    known = {"state": State.VALID, "actor": "sweep", **columns}
    TokenEvent.objects.create(config=config, kind=kind, **known)


def test_page_shows_the_last_twenty_events(tenant: Tenant) -> None:
    config, other = consented(tenant), consented(tenant, "other")
    before = timezone.now() - timedelta(days=1)
    happened(config, Kind.CONNECTED, actor="oldest-actor", at=before)
    for number in range(20):
        happened(config, Kind.REFRESHED, actor=f"actor-{number}")
    happened(other, Kind.REFRESHED, actor="of-another")
    page = html(browser(tenant, Role.VIEWER).get(url("change", config.id)))
    assert len(set(re.findall(r"by actor-\d+", page))) == 20
    assert "oldest-actor" not in page
    assert "of-another" not in page


def test_events_have_a_page_with_a_filter_and_a_pager(tenant: Tenant) -> None:
    config = consented(tenant)
    gone = {"state": State.REAUTHORIZATION_REQUIRED, "summary": "Refused <b>it</b>."}
    happened(config, Kind.FAILED, **gone)
    TokenEvent.objects.bulk_create(
        TokenEvent(config=config, kind=Kind.REFRESHED, state=State.VALID, granted_scope="read")
        for _ in range(100)
    )
    client = browser(tenant, Role.VIEWER)

    def page(**query: Any) -> str:
        return html(client.get(url("events", config.id), query))

    exact = TokenEvent.objects.order_by("-at", "-id")[0].at
    assert f">{exact:%Y-%m-%d %H:%M:%S} UTC<" in page()
    assert page().count("c-pill") == 100
    assert "Page 1 of 2" in page()
    assert "Refused &lt;b&gt;it&lt;/b&gt;. Then: needs reauthorization." in page(p=2)
    assert page(kind="failed").count("c-pill") == 1
    assert "kind=refreshed" not in page(kind="refreshed", p=2)
    assert page(kind="refreshed").count("c-pill") == 100
    assert "Nothing of this kind has happened." in page(kind="disconnected")
    assert page(kind="invented").count("c-pill") == 100


def test_events_of_a_foreign_config_are_those_of_a_missing_one(tenant: Tenant) -> None:
    foreign = consented(make_tenant("globex"))
    client = browser(tenant)
    answers = [client.get(url("events", each)).status_code for each in (foreign.id, MISSING)]
    assert answers == [404, 404]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("reauthorize", {"gone", "lapsed", "new"}),
        ("retrying", {"retrying"}),
        ("stopped", {"stopped"}),
        ("not_connected", {"new"}),
        ("attention", {"gone", "lapsed", "stopped", "new"}),
    ],
)
def test_list_is_filtered_by_the_tokens_state(tenant: Tenant, value: str, found: set[str]) -> None:
    ago = timezone.now() - timedelta(minutes=1)
    consented(tenant, "gone", state=State.REAUTHORIZATION_REQUIRED)
    consented(tenant, "lapsed", expires_at=ago, refresh_token=None)
    consented(tenant, "retrying", state=State.RETRYING)
    consented(tenant, "stopped", state=State.STOPPED)
    consented(tenant, "new", state=State.EMPTY, access_token=None, refresh_token=None)
    consented(tenant, "fine")
    page = html(browser(tenant).get(url("changelist"), {"state": value}))
    names = {"gone", "lapsed", "retrying", "stopped", "new", "fine"}
    assert {name for name in names if f">{name}<" in page} == found


@pytest.mark.django_db(transaction=True)
def test_connection_says_that_its_token_needs_a_person() -> None:
    wired_oauth_config = {"state": State.STOPPED, "failure_summary": "The client is unknown."}
    with Provider() as provider:
        wired_oauth(provider)
    config = the_config()
    change_token(**wired_oauth_config)
    tenant = Tenant.objects.get(slug="acme")
    with tenant_scope(tenant.id):
        used: Any = config.connections.get()
    client = browser(tenant, Role.VIEWER)
    page = html(client.get(url("change", used.id, app="integrations_connection")))
    assert "stopped until edited" in page
    assert "The client is unknown." in page
    store_token(state=State.VALID, access_token=accounts.BEARER_TOKEN)
    page = html(client.get(url("change", used.id, app="integrations_connection")))
    assert "The client is unknown." not in page.split("Facts")[0]
    assert "Connected" in page


def test_filtered_lists_take_the_same_few_queries_for_any_length(tenant: Tenant) -> None:
    client = browser(tenant)

    def queries(state: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("changelist"), {"state": state}).status_code == 200
        return len(captured)

    def more(first: int, last: int) -> None:
        for number in range(first, last):
            state = list(State)[number % 5]
            consented(tenant, f"config-{number}", state=state, granted_scope="read")

    more(0, 5)
    client.get(url("changelist"))
    states = ("attention", "reauthorize", "retrying", "stopped", "not_connected", "scopes")
    few = {state: queries(state) for state in states}
    more(5, 20)
    assert {state: queries(state) for state in states} == few
    assert max(few.values()) <= 15
