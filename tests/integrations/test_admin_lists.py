"""The lists of configs, integrations and connections: saved filters, search, strips, and what is said where nothing is."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authconfigs.models import AuthConfig
from integrations.models import Connection, UsageCount
from tenants.models import Environment, Tenant, User
from tenants.roles import Role
from tenants.scope import tenant_scope
from tenants.site import site
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
)

CONFIGS = "authconfigs_authconfig"
CONNECTIONS = "integrations_connection"
INTEGRATIONS = "integrations_integration"
LISTS = (CONFIGS, CONNECTIONS, INTEGRATIONS)


def shown(client: Client, model: str, query: str = "") -> str:
    return html(client.get(reverse(f"admin:{model}_changelist") + query))


def names(page: str) -> set[str]:
    """What stands in the first cells of the list, without second lines."""
    return set(re.findall(r"<th class=\"field-[^>]*><a [^>]*>([^<]+)<", page))


def saved(page: str) -> dict[str, tuple[str, bool]]:
    """By their titles where the saved filters lead, and which are active."""
    found = re.findall(
        r'<a class="c-chip" href="([^"]+)" title="[^"]+"( aria-current="true")?><span class="c-name">([^<]+)<',
        page,
    )
    return {title: (url.replace("&amp;", "&"), bool(current)) for url, current, title in found}


@pytest.fixture
def ann(tenant: Tenant) -> User:
    return make_member(tenant, Role.EDITOR, username="ann")


@pytest.fixture
def her_console(tenant: Tenant, ann: User) -> Client:
    client = Client()
    log_in(client, ann, tenant=tenant)
    return client


@pytest.fixture
def production(tenant: Tenant) -> Environment:
    return make_environment(tenant, "production", protected=True)


@pytest.fixture
def apis(tenant: Tenant, ann: User, production: Environment) -> None:
    """In staging one that fails, which is Ann's, one that works and one that nobody tested; in production one that fails."""
    staging = make_environment(tenant)
    for name, environment, columns in (
        ("failing", staging, {"last_test_ok": False, "last_test_symptom": "network"}),
        ("working", staging, {"last_test_ok": True}),
        ("untested", staging, {}),
        ("live", production, {"last_test_ok": False, "last_test_symptom": "timeout"}),
    ):
        config = make_config(environment, name, owner=ann if name == "failing" else None)
        make_connection(
            make_integration(tenant, name, name=name),
            environment,
            config,
            base_url=f"https://{name}.example.com/v1",
            **columns,
        )


@pytest.mark.usefixtures("apis")
@pytest.mark.parametrize("model", LISTS)
def test_saved_filters_find_what_they_say(her_console: Client, model: str) -> None:
    found = {
        title: names(shown(her_console, model, url))
        for title, (url, _) in saved(shown(her_console, model)).items()
    }
    assert found["Failing"] == {"failing", "live"}
    assert found["Mine"] == {"failing"}
    assert found["Production"] == {"live"}
    assert found.get("Untested", {"untested"}) == {"untested"}


@pytest.mark.usefixtures("apis")
@pytest.mark.parametrize("model", LISTS)
def test_they_combine_say_which_is_active_and_go_away_again(
    her_console: Client, model: str
) -> None:
    page = shown(her_console, model, "?q=e&o=1&p=1")
    assert not any(active for _, active in saved(page).values())
    failing = shown(her_console, model, saved(page)["Failing"][0])
    url, active = saved(failing)["Failing"]
    assert active
    assert url == "?q=e&o=1"
    both = shown(her_console, model, saved(failing)["Production"][0])
    assert names(both) == {"live"}
    assert [title for title, (_, active) in saved(both).items() if active] == [
        "Failing",
        "Production",
    ]


def test_mine_is_what_i_own_or_made_while_nobody_owns_it(
    tenant: Tenant, ann: User, her_console: Client
) -> None:
    staging = make_environment(tenant)
    bob = make_member(tenant, Role.EDITOR, username="bob")
    for name, maker, owner in (
        ("owned", bob, ann),
        ("made", ann, None),
        ("made-for-bob", ann, bob),
        ("nobodys", None, None),
    ):
        config = make_config(staging, name, owner=owner)
        AuthConfig.objects.filter(id=config.id).update(created_by=maker)
    assert names(shown(her_console, CONFIGS, "?owner=me")) == {"owned", "made"}


def test_tiles_of_the_home_page_are_saved_filters(tenant: Tenant) -> None:
    client = browser(tenant)
    links = re.findall(r'class="c-tile" href="([^"]+)"', html(client.get(reverse("admin:index"))))
    assert len(links) == 4
    for link in links:
        assert [title for title, (_, active) in saved(html(client.get(link))).items() if active]


def test_environments_of_others_are_no_filters(tenant: Tenant) -> None:
    make_environment(make_tenant("globex"), "secretplace", protected=True)
    assert set(saved(shown(browser(tenant), CONNECTIONS))) == {"Failing", "Untested", "Mine"}


@pytest.mark.parametrize(
    ("model", "term"),
    [
        (CONFIGS, "auth.crm.example"),
        (CONFIGS, "client-4711"),
        (CONNECTIONS, "api.crm.example"),
        (CONNECTIONS, "/v2/eu"),
        (CONNECTIONS, "client-4711"),
        (CONNECTIONS, "Customers"),
        (CONNECTIONS, "second-account"),
        (INTEGRATIONS, "api.crm.example"),
        (INTEGRATIONS, "/v2/eu"),
    ],
)
def test_search_finds_hosts_addresses_and_client_ids(tenant: Tenant, model: str, term: str) -> None:
    staging = make_environment(tenant)
    options = {"token_url": "https://auth.crm.example/token", "client_id": "client-4711"}
    oauth: Any = {"method": "oauth2_client_credentials", "options": options}
    config = make_config(staging, "crm", secrets={"client_secret": "planted"}, **oauth)
    integration = make_integration(tenant, "crm", name="Customers")
    for name in ("default", "second-account"):
        url = "https://api.crm.example/v2/eu"
        make_connection(integration, staging, config, base_url=url, name=name)
    other = make_config(staging, "other")
    make_connection(make_integration(tenant, "other", name="Other"), staging, other)
    page = shown(browser(tenant), model, f"?q={term}")
    assert names(page) in (
        {"crm"},
        {"Customers"},
        {"Customers", "Customers: second-account"},
        {"Customers: second-account"},
    )
    assert len(re.findall("data-row", page)) == len(names(page))


@pytest.mark.parametrize("model", LISTS)
def test_empty_list_says_what_it_is_for_and_who_may_begin(tenant: Tenant, model: str) -> None:
    add = reverse(f"admin:{model}_add")
    page = shown(browser(tenant, Role.EDITOR), model)
    empty = page[page.index("c-empty") :]
    assert "There is no" in empty
    assert f'href="{add}"' in empty
    page = shown(browser(tenant, Role.OPERATOR), model)
    empty = page[page.index("c-empty") :]
    assert add not in empty
    assert "editors and admins of this tenant can" in empty


def test_every_list_says_what_it_is_for() -> None:
    assert not [each for each in site._registry.values() if not each.empty_words]


@pytest.mark.usefixtures("apis")
@pytest.mark.parametrize("model", LISTS)
def test_search_without_a_hit_offers_to_show_all(tenant: Tenant, model: str) -> None:
    page = shown(browser(tenant), model, "?q=<no-such>&environment=staging")
    empty = page[page.index("c-empty") :]
    assert "Nothing here has “&lt;no-such&gt;” in it and passes the filters." in empty
    assert 'href="?"' in empty
    assert "There is no" not in empty


def test_strips_are_those_of_the_connections(tenant: Tenant) -> None:
    staging = make_environment(tenant)
    make_connection(make_integration(tenant, "quiet", name="quiet"), staging)
    busy = make_connection(make_integration(tenant, "busy", name="busy"), staging)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    with tenant_scope(tenant.id):
        UsageCount.objects.create(
            hour=hour, kind="call", outcome="timeout", count=7, slot="current",
            connection_id=busy.id, config_id=UsageCount.NOTHING,
        )  # fmt: skip
    page = shown(browser(tenant, Role.VIEWER), CONNECTIONS)
    cells = re.findall(r'<th class="field-.*?><a [^>]*>([^<]+)<(.*?)</tr>', page, re.S)
    rows = dict(cells)
    assert 'aria-label="Last 24 hours: 7 calls, 100 % failed"' in rows["busy"]
    assert rows["busy"].count("c-cell-bad") == 1
    assert 'aria-label="Last 24 hours: nothing was sent"' in rows["quiet"]


@pytest.mark.parametrize("query", ["", "?owner=me", "?q=api&environment=staging"])
@pytest.mark.parametrize("model", LISTS)
def test_a_list_takes_at_most_20_queries_for_any_length(
    tenant: Tenant, model: str, query: str
) -> None:
    staging = make_environment(tenant)
    ann = make_member(tenant, Role.ADMIN, username=f"ann-{uuid4().hex[:6]}")
    client = Client()
    log_in(client, ann, tenant=tenant)

    def more(first: int, last: int) -> None:
        for number in range(first, last):
            integration = make_integration(tenant, f"api-{number}")
            config = make_config(staging, f"api-{number}", owner=ann)
            make_connection(integration, staging, config, last_test_ok=True)

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            page = shown(client, model, query)
        assert page.count("data-row") == Connection.objects.count()
        return len(captured)

    more(0, 2)
    few = queries()
    more(2, 12)
    assert queries() == few <= 20
