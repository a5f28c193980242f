"""A provider that reflects secrets at the end of a trip: none of them is on the page or stored in the clear."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlencode

import pytest

from integrations.demo.provider import Provider, accounts
from tests.authconfigs.authorization.journeys import CONNECTED, arrive, back_from, ended
from tests.authconfigs.consoles import html
from tests.flows.dumps import stored
from tests.integrations.wired import store_token, stored_token
from tests.servers.raw import ReceivedRequest, serve
from tests.servers.scripts import answer_by, message

pytestmark = pytest.mark.django_db(transaction=True)

ACCESS, REFRESH, NEW = "Ga81hdUwq0PzX5yc", "Wm3oEj6sTf2bVk8i", "Pf9gTa4mJw7rLy2o"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def in_dump(*planted: str) -> list[str]:
    data = [one if isinstance(one, bytes) else str(one).encode() for _, one in stored()]
    return [text for text in planted if any(text.encode() in one for one in data)]


def hold_tokens() -> None:
    store_token(access_token=ACCESS, refresh_token=REFRESH, state="valid", generation=1)


@pytest.mark.parametrize("way", ["connect", "link"])
@pytest.mark.parametrize("planted", [accounts.CLIENT.secret, ACCESS, REFRESH])
def test_error_of_a_callback_shows_no_secret(provider: Provider, way: str, planted: str) -> None:
    journey = back_from(provider, way)
    hold_tokens()
    path, _, query = journey.address.partition("?")
    state = parse_qs(query)["state"][0]
    told = {"state": state, "error": planted, "error_description": f"{planted} is dead"}
    page = arrive(journey.client, f"{path}?{urlencode(told)}")
    assert planted not in html(page)
    assert not in_dump(planted)


@pytest.mark.parametrize("succeeds", [True, False])
def test_answer_to_a_code_shows_no_secret(provider: Provider, succeeds: bool) -> None:
    sent: list[str] = []

    def reflect(request: ReceivedRequest) -> bytes:
        form = parse_qs(unquote(request.body.decode()))
        sent.extend((form["code"][0], form["code_verifier"][0]))
        words = " ".join([accounts.CLIENT.secret, ACCESS, REFRESH, NEW, *sent])
        tokens = {"access_token": NEW, "scope": f"orders {words}", "token_type": ACCESS}
        refused = {"error": ACCESS, "error_description": words}
        document = tokens if succeeds else refused
        status = "200 OK" if succeeds else "400 Bad Request"
        return message(status, json.dumps(document).encode())

    with serve(answer_by(reflect)) as server:
        journey = back_from(provider, "connect", token_url=server.url("/token"))
        hold_tokens()
        page = arrive(journey.client, journey.address)
    planted = [accounts.CLIENT.secret, ACCESS, REFRESH, *([NEW] if succeeds else []), *sent]
    assert len(sent) == 2
    assert (ended(page) == CONNECTED) is succeeds
    assert not [text for text in planted if text in html(page)]
    assert not in_dump(*planted)
    assert stored_token().granted_scope == ("orders" if succeeds else "")


def test_code_that_is_refused_says_why(provider: Provider) -> None:
    """What holds no secret is still told."""
    journey = back_from(provider, "connect")
    path, _, query = journey.address.partition("?")
    state = parse_qs(query)["state"][0]
    told = {"state": state, "error": "access_denied", "error_description": "Ask your admin"}
    assert "Ask your admin" in html(arrive(journey.client, f"{path}?{urlencode(told)}"))
