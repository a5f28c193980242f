"""Who delivers what, and when: the right browser's answer counts exactly once, any other changes nothing and asks nobody."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from authconfigs.models import OAuthToken
from authconfigs.saving import ConfigDraft, draft_of, save_config
from authconfigs.symptoms import Symptom
from integrations.demo.provider import Provider
from tenants import sessions
from tenants.models import Membership, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import (
    BLOCKED,
    CONNECTED,
    REFUSED,
    Ended,
    Journey,
    arrive,
    back_from,
    change_trip,
    consent,
    deliver,
    ended,
    leave,
    link_of,
)
from tests.authconfigs.consoles import browser, html, url
from tests.factories import log_in, make_member, make_membership, make_tenant, posted
from tests.integrations.wired import stored_token

pytestmark = pytest.mark.django_db(transaction=True)

Case = Callable[[Journey], Ended]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def with_query(journey: Journey, **changes: str | None) -> str:
    """The provider's answer with these parameters in the place of its own."""
    path, _, query = journey.address.partition("?")
    state = re.search(r"state=([^&]+)", query)
    assert state
    given = {"state": state[1], **changes}
    return (
        f"{path}?{urlencode({name: value for name, value in given.items() if value is not None})}"
    )


def logged_in(journey: Journey) -> Client:
    """The same person, in another browser."""
    client = Client()
    assert journey.user
    log_in(client, journey.user, tenant=journey.config.tenant)
    return client


def other_cookie(journey: Journey) -> Client:
    client = Client()
    client.cookies["consent-1"] = "invented"
    return client


def same_session_other_user(journey: Journey) -> Ended:
    # As if a session could outlive its login.
    bob = make_member(journey.config.tenant, username="bob")
    client = Client()
    log_in(client, bob, tenant=journey.config.tenant)
    session = client.session
    session["consent"] = journey.client.session["consent"]
    session.save()
    return journey.deliver(client)


def other_tenant(journey: Journey) -> Ended:
    globex = make_tenant("globex")
    assert journey.user
    make_membership(journey.user, globex)
    switched(journey, globex)
    result = journey.deliver()
    switched(journey, journey.config.tenant)
    return result


def switched(journey: Journey, tenant: Tenant) -> None:
    session = journey.client.session
    session[sessions.KEY] = str(tenant.id)
    session.save()


# Delivered by a browser that didn't begin the trip: it isn't used up by that.
ELSEWHERE: dict[str, tuple[str, Case]] = {
    "nobody": ("connect", lambda journey: journey.deliver(Client())),
    "another session": ("connect", lambda journey: journey.deliver(logged_in(journey))),
    "another user": ("connect", lambda j: j.deliver(browser(j.config.tenant))),
    "another user with the session's secret": ("connect", same_session_other_user),
    "another tenant": ("connect", other_tenant),
    "the cookie of a link": ("connect", lambda j: j.deliver(other_cookie(j))),
    "a browser without the cookie": ("link", lambda journey: journey.deliver(Client())),
    "another cookie": ("link", lambda journey: journey.deliver(other_cookie(journey))),
    "a login in place of the cookie": ("link", lambda j: j.deliver(browser(j.config.tenant))),
    "an invented state": ("link", lambda j: deliver(j.client, with_query(j, state="x", code="y"))),
    "no state": ("link", lambda j: deliver(j.client, with_query(j, state=None, code="y"))),
    "two states": ("connect", lambda j: deliver(j.client, f"{j.address}&state=other")),
    "two codes": ("connect", lambda j: deliver(j.client, f"{j.address}&code=other")),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_answer_that_anybody_else_delivers_counts_for_nothing(
    provider: Provider, case: str
) -> None:
    way, misdelivered = ELSEWHERE[case]
    journey = back_from(provider, way)
    assert misdelivered(journey) == REFUSED
    assert journey.token_calls == 0
    assert stored_token().state == OAuthToken.State.EMPTY
    assert journey.deliver() == CONNECTED
    assert journey.deliver() == REFUSED
    assert journey.token_calls == 1
    assert stored_token().state == OAuthToken.State.VALID


def edited(journey: Journey) -> Ended:
    with tenant_scope(journey.config.tenant_id):
        draft = draft_of(journey.config, secrets={"client_secret": "another"})
        save_config(draft, environment=journey.config.environment, config=journey.config)
    return journey.deliver()


def disconnected(journey: Journey) -> Ended:
    admin = browser(journey.config.tenant)
    admin.post(url("disconnect", journey.config.id), posted(journey.config.tenant))
    return journey.deliver()


def other_method(journey: Journey) -> Ended:
    with tenant_scope(journey.config.tenant_id):
        bearer = ConfigDraft(name="crm", method="bearer", options={}, secrets={"token": "x"})
        save_config(bearer, environment=journey.config.environment, config=journey.config)
    return journey.deliver()


def deleted(journey: Journey) -> Ended:
    with tenant_scope(journey.config.tenant_id):
        for attached in journey.config.connections.all():
            attached.delete()
        journey.config.delete()
    return journey.deliver()


def expired(journey: Journey) -> Ended:
    change_trip(expires_at=timezone.now() - timedelta(seconds=1))
    page = arrive(journey.client, journey.address)
    assert "longer than ten minutes" in html(page)
    return ended(page)


def demoted(journey: Journey) -> Ended:
    with tenant_scope(journey.config.tenant_id):
        Membership.objects.filter(user=journey.user).update(role=Role.VIEWER)
    return journey.deliver()


def dismissed(journey: Journey) -> Ended:
    with tenant_scope(journey.config.tenant_id):
        Membership.objects.filter(user=journey.user).delete()
    return journey.deliver()


def tenant_off(journey: Journey) -> Ended:
    Tenant.objects.update(disabled_at=timezone.now())
    return journey.deliver()


def answered(**query: str) -> Case:
    return lambda journey: deliver(journey.client, with_query(journey, **query))


def explained(journey: Journey) -> Ended:
    query = {"error": "access_denied", "error_description": "<b>No</b> thanks"}
    page = arrive(journey.client, with_query(journey, **query))
    assert "(access_denied): the consent was denied. It says: “&lt;b&gt;No&lt;/b&gt;" in html(page)
    return ended(page)


def reflecting(journey: Journey) -> Ended:
    state = re.search(r"state=([^&]+)", journey.address)
    assert state
    query = {"error": "access_denied", "error_description": f"No for {state[1]}"}
    page = arrive(journey.client, with_query(journey, **query))
    assert "It says" not in html(page)
    return ended(page)


# Delivered by the right browser, and yet it can't count.
REFUSALS: dict[str, tuple[Case, Ended]] = {
    "edited config": (edited, REFUSED),
    "disconnected config": (disconnected, REFUSED),
    "another method": (other_method, REFUSED),
    "deleted config": (deleted, REFUSED),
    "expired": (expired, REFUSED),
    "no code": (answered(), REFUSED),
    "denied": (explained, REFUSED),
    "denied, with our state": (reflecting, REFUSED),
    "login needed": (answered(error="login_required"), REFUSED),
    "scope refused": (answered(error="invalid_scope"), (400, Symptom.TOKEN_ENDPOINT_CONFIG)),
    "unknown error": (answered(error="teapot"), (400, Symptom.TOKEN_ENDPOINT_CONFIG)),
    "out of order": (answered(error="server_error"), (502, Symptom.PROVIDER_ERROR)),
    "an error beside a code": (answered(error="access_denied", code="x"), REFUSED),
}


@pytest.mark.parametrize("way", ["connect", "link"])
@pytest.mark.parametrize("case", REFUSALS)
def test_answer_that_cant_count_is_explained_and_asks_nobody(
    provider: Provider, case: str, way: str
) -> None:
    refused, expected = REFUSALS[case]
    journey = back_from(provider, way)
    assert refused(journey) == expected
    assert journey.deliver() == REFUSED
    assert journey.token_calls == 0


@pytest.mark.parametrize(
    ("way", "case", "expected"),
    [
        ("connect", demoted, BLOCKED),
        ("connect", dismissed, REFUSED),
        ("connect", tenant_off, REFUSED),
        ("link", tenant_off, BLOCKED),
    ],
)
def test_who_lost_the_right_meanwhile_connects_nothing(
    provider: Provider, way: str, case: Case, expected: Ended
) -> None:
    journey = back_from(provider, way)
    assert case(journey) == expected
    assert journey.token_calls == 0


@pytest.mark.parametrize("way", ["connect", "link"])
@pytest.mark.parametrize(
    ("known", "named", "expected"),
    [
        ("{base}", "{base}", CONNECTED),
        ("{base}", "https://other.example", BLOCKED),
        ("{base}", "{base}/", BLOCKED),
        # The metadata, which aren't kept, would say whether there has to be one.
        ("{base}", "none", CONNECTED),
        ("", "https://other.example", CONNECTED),
    ],
)
def test_issuer_is_checked_where_it_is_known(
    provider: Provider, way: str, known: str, named: str, expected: Ended
) -> None:
    provider.switches.consent_issuer = named.format(base=provider.base_url)
    journey = back_from(provider, way, issuer=known.format(base=provider.base_url))
    assert journey.deliver() == expected
    assert journey.token_calls == (expected == CONNECTED)
    assert journey.deliver() == REFUSED


@pytest.mark.parametrize(("known", "expected"), [(True, BLOCKED), (False, CONNECTED)])
def test_empty_issuer_is_another_issuer(provider: Provider, known: bool, expected: Ended) -> None:
    journey = back_from(provider, "link", issuer=provider.base_url if known else "")
    assert deliver(journey.client, f"{journey.address.partition('&iss=')[0]}&iss=") == expected
    assert journey.token_calls == (expected == CONNECTED)


def test_error_of_a_foreign_issuer_is_a_foreign_issuer(provider: Provider) -> None:
    journey = back_from(provider, "link", issuer=provider.base_url)
    address = with_query(journey, error="access_denied", iss="https://other.example")
    assert deliver(journey.client, address) == BLOCKED


def test_code_of_another_trip_gets_no_token(provider: Provider) -> None:
    """Its challenge is that of the other trip (RFC 7636): the provider refuses, and nothing is stored."""
    journey = back_from(provider, "connect")
    foreign = consent_code(leave(journey.client, journey.config))
    assert deliver(journey.client, with_query(journey, code=foreign)) == REFUSED
    assert stored_token().state == OAuthToken.State.EMPTY


def consent_code(provider_url: str) -> str:
    found = re.search(r"code=([^&]+)", consent(provider_url))
    assert found
    return found[1]


def at_once(act: Callable[[], object]) -> None:
    """Do it in six threads at the same moment."""
    together = threading.Barrier(6)

    def acted() -> None:
        together.wait()
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=acted) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("way", ["connect", "link"])
def test_of_deliveries_at_once_one_counts(provider: Provider, way: str) -> None:
    journey = back_from(provider, way)
    results: list[Ended] = []

    def delivered() -> None:
        client = Client()
        client.cookies = journey.client.cookies.copy()  # type: ignore[assignment]
        results.append(journey.deliver(client))

    at_once(delivered)
    assert sorted(results) == [CONNECTED, *[REFUSED] * 5]
    assert journey.token_calls == 1


def test_of_browsers_that_open_a_link_at_once_one_leaves(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    link = link_of(journey.client, journey.config)
    statuses: list[int] = []
    at_once(lambda: statuses.append(Client().post(link).status_code))
    assert sorted(statuses) == [303, *[400] * 5]


def test_two_trips_of_one_browser_are_each_good_once(provider: Provider) -> None:
    journey = back_from(provider, "connect")
    second = consent(leave(journey.client, journey.config))
    assert deliver(journey.client, second) == CONNECTED
    assert journey.deliver() == CONNECTED
    assert journey.token_calls == 2
