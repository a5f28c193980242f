"""Test many: begun from the list, followed and cancelled on its page."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.demo.provider import Provider, accounts
from integrations.models import BulkTest, BulkTestItem, Connection
from integrations.testing.together import run
from tenants.models import Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    posted,
)

LIST = "admin:integrations_connection_changelist"


def of_bulk(page: str, bulk: BulkTest) -> str:
    return reverse(f"admin:integrations_bulktest_{page}", args=[bulk.id])


def wired(tenant: Tenant, base_url: str, *, number: int = 3) -> list[Connection]:
    """In staging `number` connections, of which the last one fails; one in production."""
    staging = make_environment(tenant)
    production = make_environment(tenant, "production", protected=True)
    config = make_config(staging, secrets={"token": accounts.BEARER_TOKEN})
    wrong = make_config(staging, "wrong", secrets={"token": "planted-wrong"})
    rows = [
        make_connection(
            make_integration(tenant, f"api-{each}", name=f"Api {each}"),
            staging,
            wrong if each == number - 1 else config,
            base_url=base_url,
        )
        for each in range(number)
    ]
    return [*rows, make_connection(rows[0].integration, production, base_url=base_url)]


def begun(tenant: Tenant) -> BulkTest:
    with tenant_scope(tenant.id):
        return BulkTest.objects.get()


@pytest.mark.django_db(transaction=True)
def test_ticked_ones_are_tested_in_the_background_and_followed(tenant: Tenant) -> None:
    client = browser(tenant, Role.OPERATOR)
    with Provider() as provider:
        rows = wired(tenant, f"{provider.base_url}/bearer")
        data = posted(
            tenant, action="test_selected", _selected_action=[str(row.id) for row in rows[:3]]
        )
        page = html(client.post(reverse(LIST), data, follow=True))
        bulk = begun(tenant)
        assert "3 connections in Staging" in page
        assert "0 of 3 tested" in page
        assert "Waiting for a worker" in page
        assert f'data-live="{of_bulk("progress", bulk)}"' in page
        assert not provider.requests
        assert run(bulk.id) is False
    part = html(client.get(of_bulk("progress", bulk)))
    assert "3 of 3 tested" in part
    assert "data-over" in part
    assert part.index("Api 2") < part.index("Api 0")
    assert "Wrong or missing credential" in part
    assert reverse("help_symptom", args=["wrong_or_missing_credential"]) in part
    assert "<html" not in part
    reloaded = html(client.get(of_bulk("change", bulk)))
    assert "3 of 3 tested" in reloaded
    assert of_bulk("cancel", bulk) not in reloaded


def test_all_of_a_filtered_list_is_tested(tenant: Tenant) -> None:
    client = browser(tenant, Role.OPERATOR)
    wired(tenant, "https://api.example.com")
    button = reverse("admin:integrations_connection_test_all")
    listed = html(client.get(f"{reverse(LIST)}?environment=staging"))
    assert f'action="{button}?environment=staging"' in listed
    client.post(f"{button}?environment=staging", posted(tenant))
    with tenant_scope(tenant.id):
        found = BulkTestItem.objects.values_list("connection__environment__slug", flat=True)
        assert list(found) == ["staging"] * 3
    assert begun(tenant).title == "3 connections in Staging"


def test_cancelling(tenant: Tenant) -> None:
    wired(tenant, "https://api.example.com")
    button = reverse("admin:integrations_connection_test_all")
    operator = browser(tenant, Role.OPERATOR)
    operator.post(button, posted(tenant))
    bulk = begun(tenant)
    page = html(operator.post(of_bulk("cancel", bulk), posted(tenant), follow=True))
    assert "Cancelled. What was being tested" in page
    assert "Not tested" in page
    assert "It was over already." in html(
        operator.post(of_bulk("cancel", bulk), posted(tenant), follow=True)
    )


def test_viewers_look_on(tenant: Tenant) -> None:
    wired(tenant, "https://api.example.com")
    button = reverse("admin:integrations_connection_test_all")
    viewer = browser(tenant, Role.VIEWER)
    assert button not in html(viewer.get(reverse(LIST)))
    assert viewer.post(button, posted(tenant)).status_code == 403
    browser(tenant, Role.OPERATOR).post(button, posted(tenant))
    bulk = begun(tenant)
    page = html(viewer.get(of_bulk("change", bulk)))
    assert of_bulk("cancel", bulk) not in page
    assert viewer.post(of_bulk("cancel", bulk), posted(tenant)).status_code == 403


def test_another_tenants_bulk_test_is_missing(tenant: Tenant) -> None:
    globex = make_tenant("globex")
    wired(globex, "https://api.example.com")
    button = reverse("admin:integrations_connection_test_all")
    browser(globex, Role.OPERATOR).post(button, posted(globex))
    bulk = begun(globex)
    client = browser(tenant)
    for page in ("change", "progress"):
        assert client.get(of_bulk(page, bulk)).status_code == 404
    assert client.post(of_bulk("cancel", bulk), posted(tenant)).status_code == 404


def test_nothing_to_test_is_said(tenant: Tenant) -> None:
    button = reverse("admin:integrations_connection_test_all")
    page = html(browser(tenant).post(button, posted(tenant), follow=True))
    assert "Nothing to test" in page


@pytest.mark.parametrize("number", [1, 40])
def test_page_takes_few_queries_whatever_its_length(tenant: Tenant, number: int) -> None:
    wired(tenant, "https://api.example.com", number=number)
    client = browser(tenant)
    client.post(reverse("admin:integrations_connection_test_all"), posted(tenant))
    bulk = begun(tenant)
    with CaptureQueriesContext(database) as queries:
        client.get(of_bulk("progress", bulk))
    assert len(queries) <= 10
