"""The trip of a browser: away to the provider, through its consent, and back."""

from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client
from django.urls import reverse

from authconfigs.models import AuthConfig, AuthorizationRequest
from authconfigs.symptoms import Symptom
from integrations.demo.provider import Provider
from tenants.models import Tenant, User
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import html, url
from tests.factories import log_in, make_member, posted
from tests.integrations.wired import the_config, wired_oauth

Ended = tuple[int, str]
CONNECTED: Ended = (200, "")
REFUSED: Ended = (400, Symptom.REAUTHORIZATION_REQUIRED)
BLOCKED: Ended = (400, Symptom.BLOCKED_BY_POLICY)


def code_config(provider: Provider, **options: Any) -> AuthConfig:
    """acme/crm in staging, to be connected at the provider, which consents by itself."""
    provider.switches.consent = "allow"
    known = {"scope": "reports orders", "revocation_url": f"{provider.base_url}/revoke"}
    wired_oauth(provider, grant="authorization_code", options={**known, **options})
    return the_config()


@dataclass
class Journey:
    """A browser that is back from the provider with its answer, and hasn't delivered it yet."""

    provider: Provider
    config: AuthConfig
    client: Client
    user: User | None
    address: str

    @property
    def token_calls(self) -> int:
        return self.provider.count("POST /token")

    def deliver(self, client: Client | None = None) -> Ended:
        return deliver(client or self.client, self.address)


def back_from(
    provider: Provider, way: str, *, client: Client | None = None, **options: Any
) -> Journey:
    """The journey by Connect, as an editor of acme, or by a consent link in the browser of a stranger."""
    config = code_config(provider, **options)
    user = make_member(config.tenant, Role.EDITOR, username="ann")
    ann = Client()
    log_in(ann, user, tenant=config.tenant)
    if way == "connect":
        return Journey(provider, config, ann, user, consent(leave(ann, config)))
    stranger = client or Client()
    away = gone(stranger.post(link_of(ann, config)))
    return Journey(provider, config, stranger, None, consent(away))


def leave(client: Client, config: AuthConfig) -> str:
    """Press Connect: the provider's address."""
    return gone(client.post(url("connect", config.id), posted(config.tenant)))


def link_of(client: Client, config: AuthConfig) -> str:
    """Press "Hand out a consent link": the link's path and query."""
    page = html(client.post(url("consent_link", config.id), posted(config.tenant)))
    return local(page.partition('id="consent-link">')[2].partition("<")[0])


def local(address: str) -> str:
    """Path and query of an address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def gone(response: Any) -> str:
    """Where a browser is sent."""
    assert response.status_code == 303, html(response)
    return str(response.headers["Location"])


def consent(provider_url: str) -> str:
    """What the provider answers to somebody who is asked: path and query of our callback."""
    parts = urlsplit(provider_url)
    # Not with requests: its library's logs would tell of the person's browser in the console's.
    browser = HTTPConnection(parts.netloc, timeout=5)
    browser.request("GET", local(provider_url))
    answer = browser.getresponse()
    location = answer.headers["Location"] or ""
    browser.close()
    assert (answer.status, urlsplit(location).path) == (303, reverse("oauth_callback"))
    return local(location)


def deliver(client: Client, address: str) -> Ended:
    """Follow the provider's answer to the page that says how it ended: its status and symptom."""
    return ended(arrive(client, address))


def arrive(client: Client, address: str) -> Any:
    """The page that says how it ended. Its address has nothing of the provider's answer."""
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    location = answer.headers["Location"]
    for _, value in parse_qsl(urlsplit(address).query):
        assert len(value) < 20 or value not in location
    return client.get(location)


def ended(page: Any) -> Ended:
    """The status of a page, and the symptom in its head."""
    _, found, rest = html(page).partition('<meta name="symptom" content="')
    assert found
    return page.status_code, rest.partition('"')[0]


def change_trip(**values: Any) -> None:
    """Write columns of every trip's row, as time would have."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        AuthorizationRequest.objects.update(**values)
