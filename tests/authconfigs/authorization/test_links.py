"""Consent links: as good as the right of whoever made one, and each with a cookie of its own."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from authconfigs.models import AuthConfig, OAuthToken
from integrations.demo.provider import Provider
from tenants.models import Environment, Membership, User
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
    gone,
    link_of,
)
from tests.authconfigs.consoles import html
from tests.factories import log_in, make_config, make_member, make_user
from tests.integrations.wired import stored_token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def dismissed(config: AuthConfig, maker: User) -> None:
    Membership.objects.filter(user=maker).delete()


def demoted(config: AuthConfig, maker: User) -> None:
    Membership.objects.filter(user=maker).update(role=Role.VIEWER)


def deactivated(config: AuthConfig, maker: User) -> None:
    User.objects.filter(id=maker.id).update(is_active=False)


def deleted(config: AuthConfig, maker: User) -> None:
    maker.delete()


def protected(config: AuthConfig, maker: User) -> None:
    Environment.objects.filter(id=config.environment_id).update(protected=True)


LOSSES = (dismissed, demoted, deactivated, deleted, protected)
Loss = Callable[[AuthConfig, User], None]


@pytest.mark.parametrize("lose", LOSSES)
def test_link_is_as_good_as_the_right_of_whoever_made_it(provider: Provider, lose: Loss) -> None:
    config = code_config(provider)
    maker = make_member(config.tenant, Role.EDITOR, username="ann")
    ann, stranger = Client(), Client()
    log_in(ann, maker, tenant=config.tenant)
    link, begun = link_of(ann, config), link_of(ann, config)
    address = consent(gone(stranger.post(begun)))
    with tenant_scope(config.tenant_id):
        lose(config, maker)
    for page in (stranger.get(link), stranger.post(link), arrive(stranger, address)):
        assert ended(page) == REFUSED
        assert "sk for a new" in html(page)
        assert "is connected:" not in html(page)
    assert provider.count("POST /token") == 0
    assert stored_token().state == OAuthToken.State.EMPTY


def test_link_of_a_platform_operator_connects(provider: Provider) -> None:
    config = code_config(provider)
    root = Client()
    log_in(root, make_user("root", superuser=True), tenant=config.tenant)
    stranger = Client()
    address = consent(gone(stranger.post(link_of(root, config))))
    assert deliver(stranger, address) == CONNECTED


def test_two_links_in_one_browser_are_each_good_once(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    options = {
        "token_url": provider.token_url,
        "authorization_url": f"{provider.base_url}/authorize",
        "client_id": "demo-public",
        "client_auth": "none",
    }
    second = make_config(
        journey.config.environment, "two", method="oauth2_authorization_code", options=options
    )
    stranger = Client()
    links = [link_of(journey.client, config) for config in (journey.config, second)]
    addresses = [consent(gone(stranger.post(link))) for link in links]
    for address in addresses:
        assert deliver(Client(), address) == REFUSED
    assert [deliver(stranger, address) for address in addresses] == [CONNECTED, CONNECTED]
    assert [deliver(stranger, address) for address in addresses] == [REFUSED, REFUSED]


def test_two_links_that_are_opened_at_once_in_one_browser_both_connect(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    stranger, tab = Client(), Client()
    links = [link_of(journey.client, journey.config) for _ in range(2)]
    # Neither request carries the other's cookie; the browser has both afterwards.
    addresses = [
        consent(gone(client.post(link)))
        for client, link in zip((stranger, tab), links, strict=True)
    ]
    stranger.cookies.update(tab.cookies)
    assert [deliver(stranger, address) for address in addresses] == [CONNECTED, CONNECTED]
