"""What the page at the end of a trip says to somebody who is done already, and to somebody who said no."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from authconfigs.models import OAuthToken
from integrations.demo.provider import Provider
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import (
    REFUSED,
    arrive,
    back_from,
    code_config,
    ended,
    link_of,
)
from tests.authconfigs.consoles import browser, drawn, html, url
from tests.integrations.wired import store_token

pytestmark = pytest.mark.django_db(transaction=True)

USED = "This link was used already; if you gave your consent then, there is nothing more to do."


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def heading(page: Any) -> str:
    return html(page).partition("<h1")[2].partition(">")[2].partition("<")[0].strip()


def test_consent_that_is_delivered_again_changed_nothing(provider: Provider) -> None:
    journey = back_from(provider, "link")
    assert heading(arrive(journey.client, journey.address)) == "Connected"
    again = arrive(journey.client, journey.address)
    assert (heading(again), ended(again)) == ("Nothing was changed", REFUSED)
    assert "If you gave your consent then, there is nothing more to do" in html(again)
    unknown = arrive(Client(), journey.address)
    assert (heading(unknown), ended(unknown)) == ("Nothing was changed", REFUSED)


def test_link_that_was_used_says_that_this_may_be_all(provider: Provider) -> None:
    config = code_config(provider)
    ann, stranger = browser(config.tenant), Client()
    link = link_of(ann, config)
    stranger.post(link)
    for page in (stranger.get(link), stranger.post(link)):
        assert (heading(page), ended(page)) == ("Nothing was changed", REFUSED)
        assert USED in html(page)
    # Its consent is void.
    with tenant_scope(config.tenant_id):
        posted = drawn(config, client_id="another", client_secret="planted", drop_grant="on")
    ann.post(url("change", config.id), posted)
    assert USED not in html(stranger.get(link))


def test_link_that_nobody_made_was_not_used(db: None) -> None:
    page = Client().get("/oauth/consent/?link=x")
    assert (heading(page), ended(page)) == ("Nothing was changed", REFUSED)
    assert USED not in html(page)


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ({"state": OAuthToken.State.VALID, "refresh_token": "r"}, "Nothing was changed"),
        ({"state": OAuthToken.State.RETRYING, "refresh_token": "r"}, "Nothing was changed"),
        ({"state": OAuthToken.State.VALID}, "Nothing was changed"),
        (
            {"state": OAuthToken.State.VALID, "expires_at": timezone.now() - timedelta(hours=1)},
            "Not connected",
        ),
        (
            {"state": OAuthToken.State.REAUTHORIZATION_REQUIRED, "refresh_token": "r"},
            "Not connected",
        ),
        ({"state": OAuthToken.State.VALID, "token_revision": 7}, "Not connected"),
        (None, "Not connected"),
    ],
)
def test_refused_consent_says_whether_the_config_is_connected(
    provider: Provider, stored: dict[str, Any] | None, told: str
) -> None:
    journey = back_from(provider, "link")
    state = parse_qs(urlsplit(journey.address).query)["state"][0]
    denied = f"{urlsplit(journey.address).path}?error=access_denied&state={state}"
    if stored is not None:
        store_token(access_token="kept", **stored)
    page = arrive(journey.client, denied)
    assert (heading(page), page.status_code) == (told, 400)
    still = "crm is still connected, with the token that was stored before."
    assert (still in unescape(html(page))) is (told == "Nothing was changed")


def test_head_uses_no_answer_up_and_leads_nowhere(provider: Provider) -> None:
    journey = back_from(provider, "link")
    for client in (journey.client, Client()):
        refused = client.head(journey.address)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
    page = journey.client.get(journey.address).headers["Location"]
    assert journey.client.head(page).status_code == journey.client.get(page).status_code == 200
    assert Client().head("/oauth/result/").status_code == 400
    assert Client().post(page).status_code == 405
