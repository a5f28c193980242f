"""What travels on a trip to the provider (state, code, verifier, tokens) stands nowhere but where the protocol wants it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import mail
from django.test import Client

from integrations.demo.provider import Provider
from tests.authconfigs.authorization.journeys import (
    CONNECTED,
    REFUSED,
    back_from,
    consent,
    ended,
    gone,
    leave,
    link_of,
    local,
)
from tests.authconfigs.consoles import url
from tests.factories import posted
from tests.flows.canaries import Evidence
from tests.flows.dumps import stored
from tests.flows.noise import listening
from tests.integrations.files.applied import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def evidence(provider: Provider) -> Iterator[Evidence]:
    """All that is kept, said and shown; none of it may hold what travelled."""
    found = Evidence()
    with listening() as heard:
        yield found
        found.add("the logs", "\n".join(heard.lines))
        found.add_all(stored())
        found.add("mails", "".join(str(message.message()) for message in mail.outbox))
    secrets = travelled(provider)
    assert len(secrets) >= 5
    assert found.leaks(secrets) == []


def travelled(provider: Provider) -> set[str]:
    """Every state, code, verifier and token that the provider has seen or given."""
    names = {"state", "code", "code_verifier", "refresh_token", "token"}
    found = {*provider.ledger._access, *provider.ledger._refresh, *provider.ledger._spent_codes}
    for one in provider.requests:
        sent = [*one.query, *parse_qsl(one.body.decode())]
        found |= {value for name, value in sent if name in names}
    return found


def kept(evidence: Evidence, answer: Any, place: str) -> Any:
    """Take an answer as evidence, but for where it leads: the way to the provider is the protocol's."""
    headers = {name: value for name, value in answer.headers.items() if name != "Location"}
    evidence.add(place, answer.content)
    evidence.add(f"headers of {place}", f"{headers} {answer.cookies}")
    return answer


def come_back(evidence: Evidence, client: Client, address: str, place: str) -> Any:
    answer = kept(evidence, client.get(address), f"the callback of {place}")
    evidence.add(f"the address after {place}", answer.headers["Location"])
    return kept(evidence, client.get(answer.headers["Location"]), f"the end of {place}")


@pytest.mark.parametrize("way", ["connect", "link"])
def test_trip_leaves_nothing_that_travelled(
    provider: Provider, evidence: Evidence, way: str
) -> None:
    journey = back_from(provider, way)
    client = journey.client
    assert ended(come_back(evidence, client, journey.address, "a trip")) == CONNECTED
    assert ended(come_back(evidence, client, journey.address, "a replay")) == REFUSED
    assert ended(come_back(evidence, Client(), journey.address, "a stranger")) == REFUSED
    for echo in ("echo,invalid_grant", "echo,html_500", "echo,invalid_client"):
        provider.switches.token = echo
        away = leave(client, journey.config) if way == "connect" else by_another_link(client)
        address = consent(away)
        failed = come_back(evidence, client, address, echo)
        assert ended(failed) != CONNECTED
    provider.switches.token = ""
    said = f"{journey.address.partition('?')[0]}?error=access_denied&error_description="
    state = dict(parse_qsl(urlsplit(journey.address).query))["state"]
    come_back(evidence, client, f"{said}{state}&state={state}", "a refusal that reflects")


def by_another_link(client: Client) -> str:
    link = run("authorize", "acme/crm", "--environment", "staging", "--json").document["url"]
    return gone(client.post(local(link)))


def test_pages_and_disconnecting_leave_nothing_that_travelled(
    provider: Provider, evidence: Evidence
) -> None:
    journey = back_from(provider, "connect")
    come_back(evidence, journey.client, journey.address, "a trip")
    form = posted(journey.config.tenant)
    for page in ("change", "events", "history"):
        kept(evidence, journey.client.get(url(page, journey.config.id)), page)
    kept(evidence, Client().get(link_of(journey.client, journey.config)), "a link")
    provider.switches.token = "echo,503"
    disconnect = url("disconnect", journey.config.id)
    kept(evidence, journey.client.post(disconnect, form, follow=True), "a disconnect")


def test_way_of_looking_finds_what_travelled(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    found = Evidence([("an address", journey.address.encode())])
    journey.deliver()
    assert len(found.leaks(travelled(provider))) >= 2
