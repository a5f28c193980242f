"""Whatever is sent to the callback's address: told with a symptom where it can't count, kept nowhere, named to nobody."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from integrations.demo.provider import Provider
from tenants.roles import Role
from tests.authconfigs.authorization.journeys import (
    CONNECTED,
    REFUSED,
    Journey,
    arrive,
    back_from,
    deliver,
    ended,
)
from tests.authconfigs.consoles import browser, html
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)

CALLBACKS = ("/oauth/callback/", "/oauth/callback")
QUERY = "?state=planted-state&code=planted-code"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def unkept(answer: Any) -> None:
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "planted-code" not in answer.headers.get("Location", "")
    assert "planted-code" not in html(answer)


@pytest.mark.parametrize("address", CALLBACKS)
@pytest.mark.parametrize("method", ["get", "head", "post", "put", "delete", "options", "trace"])
def test_every_answer_at_the_callback_is_kept_nowhere(db: None, address: str, method: str) -> None:
    for client in (Client(), Client(enforce_csrf_checks=True), browser(make_tenant(), Role.VIEWER)):
        unkept(getattr(client, method)(address + QUERY))


def test_refusals_before_the_page_are_kept_nowhere_too(db: None, settings: Any) -> None:
    unkept(Client().get(CALLBACKS[0] + QUERY, headers={"host": "elsewhere.example"}))
    unkept(Client().get("/oauth/result/?trip=x"))


def test_other_pages_name_themselves_to_the_console(db: None) -> None:
    # Without, browsers leave out the Origin that forms are checked by.
    assert Client().get("/oauth/consent/").headers["Referrer-Policy"] == "same-origin"


def test_callback_of_a_provider_that_drops_the_slash_counts(provider: Provider) -> None:
    journey = back_from(provider, "link")
    assert deliver(journey.client, journey.address.replace("/?", "?")) == CONNECTED
    assert journey.deliver() == REFUSED


def with_nul_state(journey: Journey) -> str:
    return journey.address.replace("state=", "state=%00")


def with_nul_code(journey: Journey) -> str:
    return journey.address.replace("code=", "code=%00")


def with_nul_elsewhere(journey: Journey) -> str:
    return f"{journey.address}&error_description=%00&error=x%00"


def with_too_many(journey: Journey) -> str:
    return journey.address + "&x=1" * 1000


@pytest.mark.parametrize("way", ["connect", "link"])
@pytest.mark.parametrize(
    "broken", [with_nul_state, with_nul_code, with_nul_elsewhere, with_too_many]
)
def test_answer_that_nobody_could_have_sent_changes_nothing(
    provider: Provider, way: str, broken: Any
) -> None:
    journey = back_from(provider, way)
    assert ended(arrive(journey.client, broken(journey))) == REFUSED
    assert journey.token_calls == 0
    assert journey.deliver() == CONNECTED


@pytest.mark.parametrize("where", ["/oauth/consent/?link=x", "/oauth/result/?trip=x"])
@pytest.mark.parametrize("more", ["%00", "&x=1" * 1001])
def test_unreadable_addresses_of_the_other_pages_have_a_symptom_too(
    db: None, where: str, more: str
) -> None:
    for client in (Client(), browser(make_tenant())):
        assert ended(client.get(where + more)) == REFUSED
