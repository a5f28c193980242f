"""Switching the tenant keeps the page as far as the other tenant has one; an object leads to itself in other environments."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_membership,
    make_tenant,
)

CONFIGS = "/admin/authconfigs/authconfig/"
CONNECTIONS = "/admin/integrations/connection/"


@pytest.fixture
def globex(db: None) -> Tenant:
    return make_tenant("globex")


def of_both(tenant: Tenant, other: Tenant, role: Role = Role.ADMIN) -> Client:
    """Somebody who works in the first tenant, and has the role in the other one, too."""
    client, user = Client(), make_member(tenant, username="ann")
    make_membership(user, other, role)
    log_in(client, user, tenant=tenant)
    return client


def lands(client: Client, page: str, tenant: Tenant, *, back: Tenant) -> str:
    """Where a switch to the tenant leads from the page; afterwards the client is back."""
    answer = client.post("/switch-tenant/", {"tenant": str(tenant.id), "page": page})
    client.post("/switch-tenant/", {"tenant": str(back.id)})
    return str(answer["Location"])


def furnish(tenant: Tenant, *slugs: str) -> Any:
    integration = make_integration(tenant)
    for slug in slugs:
        environment = make_environment(tenant, slug)
        made = make_connection(integration, environment, make_config(environment))
    return made


def test_lists_keep_the_filters_that_the_other_tenant_has(tenant: Tenant, globex: Tenant) -> None:
    furnish(tenant, "qa", "staging")
    furnish(globex, "staging")
    client = of_both(tenant, globex)
    for page, there in (
        ("/admin/", "/admin/"),
        (f"{CONFIGS}?method=bearer&environment=staging", f"{CONFIGS}?environment=staging&method=bearer"),
        (f"{CONFIGS}?method=nope&environment=qa&p=3", CONFIGS),
        (f"{CONNECTIONS}?result=failed&q=a+b&o=1", f"{CONNECTIONS}?q=a+b&o=1&result=failed"),
        (f"{CONFIGS}add/?method=bearer&environment={tenant.id}", f"{CONFIGS}add/?method=bearer"),
        ("/admin/help/tls/", "/admin/help/tls/"),
    ):  # fmt: skip
        assert lands(client, page, globex, back=tenant) == there
        assert client.get(there).status_code == 200


def test_objects_lead_to_what_is_called_so_there_or_to_the_list(
    tenant: Tenant, globex: Tenant
) -> None:
    mine, only_here = furnish(tenant, "staging"), make_environment(tenant, "qa")
    theirs = furnish(globex, "staging")
    client = of_both(tenant, globex)
    for page, there in (
        (f"{CONFIGS}{mine.auth_config_id}/change/", f"{CONFIGS}{theirs.auth_config_id}/change/"),
        (f"{CONNECTIONS}{mine.id}/change/", f"{CONNECTIONS}{theirs.id}/change/"),
        (f"{CONNECTIONS}{mine.id}/try/", f"{CONNECTIONS}{theirs.id}/change/"),
        (f"{CONFIGS}{make_config(only_here).id}/change/", CONFIGS),
        # Ids that this tenant doesn't have tell nothing; those of the other one are what they are.
        (f"{CONFIGS}{tenant.id}/change/", CONFIGS),
        (f"{CONFIGS}no-id/change/", CONFIGS),
        (f"{CONFIGS}{theirs.auth_config_id}/history/", f"{CONFIGS}{theirs.auth_config_id}/history/"),
    ):  # fmt: skip
        assert lands(client, page, globex, back=tenant) == there


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/oauth/callback/?code=planted",
        "/admin/logout/",
        "/nowhere/",
        "http://[",
    ],
)
def test_only_pages_of_the_console_are_led_to(tenant: Tenant, globex: Tenant, asked: str) -> None:
    assert lands(of_both(tenant, globex), asked, globex, back=tenant) == "/admin/"


def test_whoever_may_see_less_there_is_led_to_what_they_may_see(
    tenant: Tenant, globex: Tenant
) -> None:
    furnish(globex, "staging")
    client = of_both(tenant, globex, Role.VIEWER)
    assert lands(client, "/admin/tenants/auditevent/", globex, back=tenant) == "/admin/"
    assert lands(client, f"{CONFIGS}add/?method=bearer", globex, back=tenant) == CONFIGS


def test_the_switch_of_every_page_names_the_page(tenant: Tenant, globex: Tenant) -> None:
    page = html(of_both(tenant, globex).get(f"{CONFIGS}?method=bearer"))
    assert f'<input type="hidden" name="page" value="{CONFIGS}?method=bearer">' in page


def test_objects_name_their_environment_and_lead_to_themselves_in_the_others(
    tenant: Tenant,
) -> None:
    integration = make_integration(tenant)
    staging = make_environment(tenant)
    production = make_environment(tenant, "production", protected=True)
    first, second = [
        make_connection(integration, environment, make_config(environment))
        for environment in (staging, production)
    ]
    make_connection(integration, production, name="second-account")
    client = browser(tenant, Role.VIEWER)
    pairs = ((first, second), (first.auth_config, second.auth_config))
    for row, other in pairs:
        assert row is not None
        assert other is not None
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        page = html(client.get(reverse(name, args=[row.id])))
        nav = page.partition('aria-label="Environments"')[2].partition("</nav>")[0]
        assert nav.count("<a ") == 1
        assert f'href="{reverse(name, args=[other.id])}"' in nav
        assert nav.index("aria-current") < nav.index("Staging") < nav.index("Production")
        assert "(protected)" in nav
    for verb in ("history", "delete"):
        page = html(
            browser(tenant).get(
                reverse(f"admin:authconfigs_authconfig_{verb}", args=[second.auth_config_id])
            )
        )
        assert 'class="c-env c-env-protected"' in page
