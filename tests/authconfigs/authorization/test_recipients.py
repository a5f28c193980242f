"""Whoever consents knows who gets something of it, and nobody is added behind their back."""

from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client

from authconfigs.models import AuthConfig, OAuthToken
from integrations.demo.provider import Provider
from integrations.models import Connection, Integration
from tenants.models import User
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import (
    CONNECTED,
    REFUSED,
    arrive,
    code_config,
    consent,
    deliver,
    ended,
    gone,
    leave,
    link_of,
)
from tests.authconfigs.consoles import browser, html, url
from tests.authconfigs.saving.drafts import acting
from tests.factories import log_in, make_connection, make_member, posted
from tests.integrations.files.applied import run
from tests.integrations.wired import stored_token

pytestmark = pytest.mark.django_db(transaction=True)

API = "https://api.editor.example:8443"
BUTTONS = ("connect", "consent_link")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def attach(config: AuthConfig, by: User | None, *, base_url: str = f"{API}/v1") -> None:
    """A second connection, at an address of its own, as that person attaches it."""
    with acting(by, config.environment):
        integration = Integration.objects.get()
        make_connection(integration, config.environment, config, base_url=base_url, name="second")


def editor_of(config: AuthConfig) -> User:
    return make_member(config.tenant, Role.EDITOR, username="eve")


def opened(link: str) -> str:
    return unescape(html(Client().get(link)))


def test_link_names_everybody_who_gets_something(provider: Provider) -> None:
    with Provider() as other:
        config = code_config(provider, token_url=other.token_url)
        attach(config, None)
        text = opened(link_of(browser(config.tenant), config))
        for told in ("Acme", "crm", "Staging", "orders, reports", provider.base_url):
            assert told in text
        warned = text.partition("c-notice c-warn")[2].partition("</div></div>")[0]
        assert other.base_url in warned
        assert API in warned
        assert provider.base_url not in warned.partition("</strong>")[2]


def test_nobody_is_warned_of_the_provider_itself(provider: Provider) -> None:
    config = code_config(provider)
    text = opened(link_of(browser(config.tenant), config))
    assert "c-warn" not in text
    assert text.count(f">{provider.base_url}<") >= 3


def test_link_without_an_api_says_that_only_an_admin_adds_one(provider: Provider) -> None:
    config = code_config(provider)
    with tenant_scope(config.tenant_id):
        Connection.objects.all().delete()
        config.allowed_origins.filter(purpose="api").delete()
    assert "only an admin of Acme can add one" in opened(link_of(browser(config.tenant), config))


@pytest.mark.parametrize("role", Role)
def test_page_names_them_to_whoever_may_connect(provider: Provider, role: Role) -> None:
    with Provider() as other:
        config = code_config(provider, token_url=other.token_url)
        page = html(browser(config.tenant, role).get(url("change", config.id)))
        panel = page.partition("<h2>Consent</h2>")[2].partition("</section>")[0]
        may = role in (Role.EDITOR, Role.ADMIN)
        for told in ("Acme", "Staging", "orders, reports", provider.base_url, other.base_url):
            assert (told in panel) is may, told
        assert ("c-notice c-warn" in panel) is may


@pytest.mark.parametrize("button", BUTTONS)
def test_origin_that_somebody_else_listed_is_asked_for_once(
    provider: Provider, button: str
) -> None:
    config = code_config(provider)
    attach(config, editor_of(config))
    admin = browser(config.tenant)

    def press(**typed: object) -> tuple[int, str]:
        answer = admin.post(url(button, config.id), posted(config.tenant, **typed))
        return answer.status_code, html(answer)

    status, text = press()
    assert status == 200
    assert "Confirm and" in text
    assert API in text
    assert "eve" in text
    assert 'id="consent-link"' not in text
    # What the page's script asks for first, and then sends the form itself.
    scripted = admin.post(
        url(button, config.id), posted(config.tenant), headers={"accept": "application/json"}
    )
    assert "Confirm and" in html(scripted)
    assert "Confirm and" in press(confirm_origins="on")[1]
    asked_for = text.partition('name="confirm_origins" value="')[2].partition('"')[0]
    for typed in ({"confirm_origins": asked_for}, {}):
        status, text = press(**typed)
        assert (status, 'id="consent-link"' in text) == (
            (303, False) if button == "connect" else (200, True)
        )
    assert "Confirm and" in html(
        browser(config.tenant).post(url(button, config.id), posted(config.tenant))
    )


def test_page_that_asks_leads_on_to_the_provider(provider: Provider) -> None:
    config = code_config(provider)
    attach(config, editor_of(config))
    page = browser(config.tenant).post(url("connect", config.id), posted(config.tenant))
    assert f"form-action 'self' {provider.base_url}" in page.headers["Content-Security-Policy"]
    assert "data-leaves" in html(page)


@pytest.mark.parametrize("button", BUTTONS)
def test_nobody_is_asked_of_what_they_an_admin_or_the_shell_listed(
    provider: Provider, button: str
) -> None:
    config = code_config(provider)
    eve = editor_of(config)
    attach(config, eve)
    client = Client()
    log_in(client, eve, tenant=config.tenant)
    assert "Confirm and" not in html(client.post(url(button, config.id), posted(config.tenant)))
    with tenant_scope(config.tenant_id):
        config.allowed_origins.update(added_by_id=make_member(config.tenant, username="boss").id)
    asked = browser(config.tenant).post(url(button, config.id), posted(config.tenant))
    assert "Confirm and" not in html(asked)


def test_command_asks_nothing(provider: Provider) -> None:
    config = code_config(provider)
    attach(config, editor_of(config))
    assert run("authorize", "acme/crm", "--environment", "staging").code == 0


@pytest.mark.parametrize("way", ["connect", "link"])
def test_api_that_is_added_during_the_consent_gets_nothing(provider: Provider, way: str) -> None:
    config = code_config(provider)
    admin = browser(config.tenant)
    client = admin if way == "connect" else Client()
    away = leave(admin, config) if way == "connect" else gone(client.post(link_of(admin, config)))
    address = consent(away)
    attach(config, editor_of(config))
    page = arrive(client, address)
    assert ended(page) == REFUSED
    assert API in html(page)
    assert provider.count("POST /token") == 0
    assert stored_token().state == OAuthToken.State.EMPTY


def test_api_that_is_added_while_the_link_is_read_is_told_before_anybody_leaves(
    provider: Provider,
) -> None:
    config = code_config(provider)
    link, stranger = link_of(browser(config.tenant), config), Client()
    told = html(stranger.get(link)).partition('name="told" value="')[2].partition('"')[0]
    assert told == provider.base_url
    attach(config, editor_of(config))
    again = stranger.post(link, {"told": told})
    assert again.status_code == 200
    assert API in html(again)
    assert "has changed" in html(again)
    away = gone(stranger.post(link, {"told": f"{provider.base_url} {API}"}))
    assert deliver(stranger, consent(away)) == CONNECTED
