"""The trip of a browser: away to the provider, through its consent, and back."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from django.test import Client
from django.urls import reverse

from authconfigs.models import AuthConfig
from authconfigs.symptoms import Symptom
from integrations.demo.provider import Provider
from tenants.models import Tenant
from tests.authconfigs.consoles import html, url
from tests.factories import posted
from tests.integrations.wired import the_config, wired_oauth

CONNECTED = (200, "")
REFUSED = (400, Symptom.REAUTHORIZATION_REQUIRED)
Ended = tuple[int, str]


def code_config(provider: Provider, **options: Any) -> AuthConfig:
    """acme/crm in staging, to be connected at the provider, which consents by itself."""
    provider.switches.consent = "allow"
    known = {"scope": "reports orders", "revocation_url": f"{provider.base_url}/revoke"}
    wired_oauth(provider, grant="authorization_code", options={**known, **options})
    return the_config()


def leave(client: Client, config: AuthConfig) -> str:
    """Press Connect: the provider's address."""
    return gone(client.post(url("connect", config.id), posted(config.tenant)))


def link_of(client: Client, config: AuthConfig) -> str:
    """Press "Hand out a consent link": the link's path and query."""
    page = html(client.post(url("consent_link", config.id), posted(config.tenant)))
    link = page.partition('id="consent-link">')[2].partition("<")[0]
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def gone(response: Any) -> str:
    assert response.status_code == 303, html(response)
    return str(response.headers["Location"])


def consent(provider_url: str) -> str:
    """What the provider answers to somebody who is asked: the path and query of our callback."""
    answer = requests.get(provider_url, allow_redirects=False, timeout=5)
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["Location"])
    assert parts.path == reverse("oauth_callback")
    return f"{parts.path}?{parts.query}"


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
    text = html(page)
    symptom = text.partition('<meta name="symptom" content="')[2].partition('"')[0]
    assert '<meta name="symptom"' in text
    return page.status_code, symptom


def token_calls(provider: Provider) -> int:
    return provider.counts["POST /token"]


def acme() -> Tenant:
    return Tenant.objects.get(slug="acme")
