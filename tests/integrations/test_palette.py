"""The command palette: pages, objects and actions of this tenant, for whoever may open them."""

import re

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authconfigs.models import AuthConfig
from integrations.models import Connection, Integration
from tenants.models import Environment, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
)

CODE = {
    "client_id": "console",
    "authorization_url": "https://login.example.com/authorize",
    "token_url": "https://login.example.com/token",
}


def found(client: Client, term: str) -> dict[str, str]:
    """Title and facts of what is found, as one line, and where it leads."""
    page = html(client.get(reverse("admin:search"), {"s": term}))
    entries = re.findall(r'<li [^>]*><a href="([^"]+)">(.*?)</a>', page, re.DOTALL)
    icon = r'<span class="material-symbols-outlined".*?</span>'
    plain = [(link, re.sub(r"<[^>]+>", " ", re.sub(icon, "", text))) for link, text in entries]
    return {" ".join(text.split()): link for link, text in plain}


def places(tenant: Tenant) -> list[tuple[Environment, AuthConfig, Connection]]:
    integration = make_integration(tenant, name="Billing API")
    made = []
    for slug, protected in (("staging", False), ("production", True)):
        environment = make_environment(tenant, slug, protected=protected)
        config = make_config(environment)
        made.append((environment, config, make_connection(integration, environment, config)))
    return made


def test_objects_and_actions_say_kind_environment_and_status(tenant: Tenant) -> None:
    _, (_, config, connection) = places(tenant)
    Connection.objects.filter(id=connection.id).update(
        last_test_ok=True, last_test_revision=1, last_test_config_revision=config.revision
    )
    page = f"/admin/authconfigs/authconfig/{config.id}/change/"
    of_connection = f"/admin/integrations/connection/{connection.id}/change/"
    client = browser(tenant)
    told = found(client, "BILLING prod")
    assert told["billing Auth config Production (protected) Working"] == page
    assert told["Test billing Auth config Production (protected) Working"] == f"{page}#test"
    assert told["Billing API Connection Production (protected) Passed"] == of_connection
    action = "Test Billing API Connection Production (protected) Passed"
    assert told[action] == f"{of_connection}#test"
    assert not [each for each in told if "Staging" in each]
    for address in set(told.values()):
        path, _, anchor = address.partition("#")
        text = html(client.get(path))
        assert not anchor or f'<button id="{anchor}" ' in text, address


def test_the_buttons_of_a_consent_are_found_where_they_stand(tenant: Tenant) -> None:
    config = make_config(
        make_environment(tenant),
        "calendar",
        method="oauth2_authorization_code",
        options=CODE,
        secrets={"client_secret": "planted-secret"},
    )
    client = browser(tenant)
    (action,) = [each for each in found(client, "connect cal") if each.startswith("Connect ")]
    link = found(client, "connect cal")[action]
    assert link == f"/admin/authconfigs/authconfig/{config.id}/change/#connect"
    assert '<button id="connect" ' in html(client.get(link.partition("#")[0]))
    # Nothing is stored yet that could be renewed, expire or be forgotten.
    assert found(client, "refresh calendar") == found(client, "disconnect calendar") == {}


def test_pages_actions_and_help(tenant: Tenant) -> None:
    places(tenant)
    client = browser(tenant)
    told = found(client, "test all production")
    url = reverse("admin:integrations_connection_changelist")
    assert told == {
        "Test all of Production Action Production (protected)": f"{url}?environment=production#test-all"
    }
    assert "Test all of this list" in html(client.get(f"{url}?environment=production"))
    assert "New auth config: API key Action" in found(client, "new api key")
    assert "Add a connection to Billing API Integration" in found(client, "add a connection")
    (wrong,) = [each for each in found(client, "401") if "Wrong or missing" in each]
    assert wrong == "Troubleshooting: Wrong or missing credential Help 401 Unauthorized"
    assert "Nothing here is called that" in html(client.get("/admin/search/?s=no-such-thing"))


@pytest.mark.parametrize("role", list(Role))
def test_no_role_finds_what_it_may_not_open_or_press(tenant: Tenant, role: Role) -> None:
    places(tenant)
    client = browser(tenant, role)
    told = {
        **found(client, "billing"),
        **found(client, "new"),
        **found(client, "test"),
        **found(client, "a"),
    }
    for entry, address in told.items():
        path, _, anchor = address.partition("#")
        answer = client.get(path)
        assert answer.status_code == 200, (role, entry)
        assert not anchor or f'id="{anchor}"' in html(answer), (role, entry)
    actions = {entry.split(" billing ")[0] for entry in told if " billing Auth" in entry}
    assert (
        actions
        == {
            Role.VIEWER: set(),
            Role.OPERATOR: {"Test"},
            Role.EDITOR: {"Test", "Switch off"},
            Role.ADMIN: {"Test", "Switch off"},
        }[role]
    )
    switch = [entry for entry in told if entry.startswith("Switch off")]
    assert len(switch) == {Role.ADMIN: 2, Role.EDITOR: 1}.get(role, 0)
    assert any(entry.startswith("New ") for entry in told) == (role.rank >= Role.EDITOR.rank)


def test_another_tenants_things_are_not_found_and_names_are_escaped(tenant: Tenant) -> None:
    places(make_tenant("globex"))
    client = browser(tenant)
    assert "Billing API" not in html(client.get("/admin/search/?s=billing"))
    make_integration(tenant, "sly", name="<b>Sly</b>")
    page = html(client.get("/admin/search/?s=sly"))
    assert "&lt;b&gt;Sly&lt;/b&gt;" in page
    assert "<b>Sly" not in page


def test_a_thousand_configs_take_no_more_queries_than_ten(tenant: Tenant) -> None:
    (environment, config, connection), _ = places(tenant)
    client = browser(tenant)

    def queries(term: str) -> int:
        client.get("/admin/")
        with CaptureQueriesContext(database) as asked:
            client.get("/admin/search/", {"s": term})
        return len(asked)

    few = {term: queries(term) for term in ("billing", "test", "e")}
    with tenant_scope(tenant.id):
        columns = {"environment": environment, "method": "bearer", "hosts": "api.example.com"}
        configs = AuthConfig.objects.bulk_create(
            AuthConfig(name=f"billing-{number}", **columns) for number in range(1000)
        )
        type(config.credentials.get()).objects.bulk_create(
            type(config.credentials.get())(config=each, secrets={}) for each in configs
        )
        Connection.objects.bulk_create(
            Connection(
                integration=connection.integration,
                revision=connection.revision,
                environment=environment,
                auth_config=each,
                name=each.name,
                base_url="https://api.example.com/",
            )
            for each in configs
        )
        Integration.objects.bulk_create(
            Integration(slug=f"billing-{number}", name=f"Billing {number}") for number in range(500)
        )
    assert {term: queries(term) for term in few} == few
    assert max(few.values()) <= 20
    # The one that is meant stands first, among a thousand that are called alike.
    assert next(iter(found(client, "billing-777"))).startswith("billing-777 Auth config")
