"""The list and the page of integrations."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Connection, Integration
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs import consoles
from tests.authconfigs.consoles import MISSING, browser, html
from tests.factories import (
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    posted,
)


def url(page: str, *ids: object) -> str:
    return consoles.url(page, *ids, app="integrations_integration")


def test_integration_is_made_with_headers_and_query_by_line(tenant: Tenant) -> None:
    data = posted(
        tenant,
        name="Billing API",
        slug="billing",
        headers="Accept: application/json\n\nX-Part: a: b",
        query="version=2",
    )
    browser(tenant).post(url("add"), data)
    head = Integration.objects.get(slug="billing").head
    assert head is not None
    assert head.headers == {"Accept": "application/json", "X-Part": "a: b"}
    assert head.query == {"version": "2"}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("headers", "no separator"),
        ("headers", "Host: evil.example"),
        ("headers", "X-A: a\0"),
        ("query", "twice=1\ntwice=2"),
        ("query", "a=b\0"),
        ("query", "a\0=b"),
        ("slug", "Not A Slug"),
    ],
)
def test_error_stands_beside_its_field(tenant: Tenant, field: str, typed: str) -> None:
    data = posted(tenant, **{"name": "Billing", "slug": "billing", field: typed})
    page = html(browser(tenant).post(url("add"), data))
    assert f'id="id_{field}_error"' in page
    assert not Integration.objects.exists()


def test_other_headers_reach_unprotected_environments_alone(tenant: Tenant) -> None:
    integration = make_integration(tenant)
    free = make_connection(integration, make_environment(tenant))
    kept = make_connection(integration, make_environment(tenant, "production", protected=True))
    client = browser(tenant, Role.EDITOR)
    data = posted(tenant, name="Billing", headers="Accept: text/plain", query="")
    client.post(url("change", integration.id), data)
    integration.refresh_from_db()
    for row in (free, kept):
        row.refresh_from_db()
    assert free.revision == integration.head
    assert kept.revision != integration.head
    page = html(client.get(url("change", integration.id)))
    assert "Production keeps what it sends until an admin moves its connection." in page
    assert "Revision 1" in page


def test_edit_over_another_edit_is_refused_and_what_was_typed_is_kept(tenant: Tenant) -> None:
    integration = make_integration(tenant)
    client, seen = browser(tenant), str(integration.head_id)
    early = posted(tenant, name="Billing", headers="Accept: text/plain", query="", seen=seen)
    client.post(url("change", integration.id), early)
    late = posted(tenant, name="Billing", headers="Accept: text/html", query="", seen=seen)
    page = html(client.post(url("change", integration.id), late))
    assert "was changed by" in page
    assert "mend what is marked" not in page
    assert f'<a href="{url("change", integration.id)}">Open it again</a>' in page
    assert "text/html" in page
    integration.refresh_from_db()
    assert integration.head is not None
    assert integration.head.headers == {"Accept": "text/plain"}


def test_slug_never_changes(tenant: Tenant) -> None:
    integration = make_integration(tenant)
    data = posted(tenant, name="Other", slug="other", headers="", query="")
    browser(tenant).post(url("change", integration.id), data)
    integration.refresh_from_db()
    assert (integration.slug, integration.name) == ("billing", "Other")


def test_page_offers_connections_where_the_role_may_make_them(tenant: Tenant) -> None:
    make_environment(tenant)
    make_environment(tenant, "production", protected=True)
    integration = make_integration(tenant)
    page = html(browser(tenant, Role.EDITOR).get(url("change", integration.id)))
    assert page.count("Add a connection") == 1


def test_integration_with_connections_isnt_deleted(tenant: Tenant) -> None:
    integration = make_integration(tenant)
    make_connection(integration, make_environment(tenant))
    client = browser(tenant)
    assert "staging" in html(client.get(url("delete", integration.id)))
    client.post(url("delete", integration.id), posted(tenant, post="yes"))
    assert Integration.objects.exists()
    assert Connection.objects.exists()


def test_viewer_changes_nothing(tenant: Tenant) -> None:
    integration = make_integration(tenant)
    client = browser(tenant, Role.VIEWER)
    assert client.get(url("add")).status_code == 403
    data = posted(tenant, name="Other", headers="", query="")
    assert client.post(url("change", integration.id), data).status_code == 403
    assert "<textarea" not in html(client.get(url("change", integration.id)))


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_foreign_integration_is_a_missing_one(tenant: Tenant, page: str) -> None:
    foreign = make_integration(make_tenant("globex"))
    client = browser(tenant)
    assert client.get(url(page, foreign.id)).status_code == 404
    assert client.get(url(page, MISSING)).status_code == 404


def test_list_takes_the_same_few_queries_for_any_length(tenant: Tenant) -> None:
    environment, client = make_environment(tenant), browser(tenant)

    def queries(first: int, last: int) -> int:
        for number in range(first, last):
            make_connection(make_integration(tenant, f"api-{number}"), environment)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("changelist")).status_code == 200
        return len(captured)

    assert queries(0, 10) == queries(10, 60) <= 15
