"""Rows that a form asks for by name, where there are too many for a list."""

from typing import Any

import pytest
from django.urls import reverse

from authconfigs import origins
from authconfigs.models import AuthConfig
from integrations.models import Connection
from tenants import choices
from tenants.models import Environment, Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    posted,
)

ADD = "admin:integrations_connection_add"


@pytest.fixture
def staging(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment with more configs, in a tenant with more integrations, than a list shows."""
    monkeypatch.setattr(choices, "LISTED", 2)
    environment = make_environment(tenant)
    for name in ("billing", "billing-eu", "mail"):
        make_config(environment, name)
        make_integration(tenant, name)
    return environment


def saved(tenant: Tenant, staging: Environment, **typed: Any) -> str:
    """The page after a new connection was saved, or refused."""
    place = {"integration": "billing", "environment": str(staging.id)}
    where = f"{reverse(ADD)}?integration={place['integration']}&environment={place['environment']}"
    data = {"name": "default", "base_url": "https://api.example.com", "test_method": "GET", **typed}
    return html(browser(tenant).post(where, posted(tenant, **data), follow=True))


def test_config_is_attached_by_its_name(tenant: Tenant, staging: Environment) -> None:
    config = AuthConfig.objects.get(name="billing-eu")
    origins.add(config, ["https://api.example.com"], purpose=origins.Purpose.API)
    assert "The connection is saved" in saved(tenant, staging, auth_config=" billing-eu ")
    connection = Connection.objects.get()
    assert connection.auth_config == config
    page = html(
        browser(tenant).get(reverse("admin:integrations_connection_change", args=[connection.id]))
    )
    assert 'value="billing-eu"' in page
    assert "<option" not in page.partition('name="auth_config"')[2].partition("name=")[0]


def test_unknown_name_is_refused_and_kept(tenant: Tenant, staging: Environment) -> None:
    make_config(make_environment(tenant, "other"), "elsewhere")
    for typed in ("bill", "elsewhere", "\0"):
        page = saved(tenant, staging, auth_config=typed)
        assert "There is none of this name" in page
    assert 'value="elsewhere"' in saved(tenant, staging, auth_config="elsewhere")
    assert not Connection.objects.exists()


def test_nothing_typed_is_no_authentication(tenant: Tenant, staging: Environment) -> None:
    assert "The connection is saved" in saved(tenant, staging, auth_config="")
    assert Connection.objects.get().auth_config is None


def test_link_names_a_row_by_its_id(tenant: Tenant, staging: Environment) -> None:
    config = AuthConfig.objects.get(name="mail")
    page = html(
        browser(tenant).get(reverse(ADD), {"config": str(config.id), "integration": "mail"})
    )
    assert 'value="mail"' in page
    integration = make_integration(tenant, "payments")
    page = html(browser(tenant).get(reverse(ADD), {"integration": str(integration.id)}))
    assert 'value="payments"' in page


def test_names_are_suggested_of_this_environment_and_tenant(
    tenant: Tenant, staging: Environment
) -> None:
    make_config(make_environment(tenant, "other"), "billing-other")
    foreign = make_environment(make_tenant("globex"))
    make_config(foreign, "billing-foreign")
    client = browser(tenant, Role.VIEWER)

    def suggested(name: str, **asked: Any) -> list[str]:
        return [row["value"] for row in client.get(reverse(name), asked).json()]

    found = suggested("suggest_configs", environment=staging.id, q="BILL")
    assert found == ["billing", "billing-eu"]
    assert suggested("suggest_configs", environment=foreign.id) == []
    assert suggested("suggest_configs", environment="nope") == []
    assert suggested("suggest_integrations", q="eu") == ["billing-eu"]


def test_of_many_users_of_a_row_a_few_are_named(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    for number in range(12):
        config = make_config(environment, f"config-{number}")
        make_connection(integration, environment, config, name=f"c-{number}")
    page = html(
        browser(tenant).get(reverse("admin:tenants_environment_delete", args=[environment.id]))
    )
    assert page.count("<li>auth config ") == page.count("<li>connection ") == 10
    assert "and more auth configs" in page
    assert "connection billing:c-0 (staging)" in page
