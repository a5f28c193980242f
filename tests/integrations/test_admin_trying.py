"""Try a request: who may send what from a page, and what the page shows of the answer."""

import pytest
from django.urls import reverse

from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, ConnectionTest
from tenants.models import AuditEvent, Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import MISSING, browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    posted,
)


def url(connection: Connection) -> str:
    return reverse("admin:integrations_connection_try", args=[connection.id])


def wired(tenant: Tenant, base_url: str, *, protected: bool = False) -> Connection:
    environment = make_environment(tenant, protected=protected)
    config = make_config(environment, secrets={"token": accounts.BEARER_TOKEN})
    return make_connection(make_integration(tenant), environment, config, base_url=base_url)


def sent(tenant: Tenant, connection: Connection, **form: str) -> str:
    data = {"method": "GET", "path": "", "headers": "", "body": "", **form}
    return html(browser(tenant, Role.OPERATOR).post(url(connection), posted(tenant, **data)))


def test_answer_is_shown_and_recorded_but_not_kept(tenant: Tenant) -> None:
    with Provider() as provider:
        connection = wired(tenant, f"{provider.base_url}/bearer")
        page = sent(tenant, connection, path="?page=2", headers="X-Asked: by hand")
    assert "The API answered 200." in page
    assert "Authorization: Bearer ••••" in page
    assert "X-Asked: by hand" in page
    assert "/bearer?page=2" in page
    assert accounts.BEARER_TOKEN not in page
    line = AuditEvent.objects.get(action="call")
    assert (line.object_id, line.outcome) == (str(connection.id), "ok")
    assert not ConnectionTest.objects.exists()


def test_body_and_its_type_are_sent(tenant: Tenant) -> None:
    with Provider() as provider:
        connection = wired(tenant, f"{provider.base_url}/bearer")
        page = sent(
            tenant,
            connection,
            method="POST",
            headers="Content-Type: application/json",
            body='{"name": "é"}',
        )
    assert "{&quot;name&quot;: &quot;é&quot;}" in page


def test_reflected_credential_is_masked(tenant: Tenant) -> None:
    with Provider() as provider:
        provider.switches.api = "echo"
        page = sent(tenant, wired(tenant, f"{provider.base_url}/bearer"))
    assert "••••" in page
    assert accounts.BEARER_TOKEN not in page


def test_failure_is_explained(tenant: Tenant) -> None:
    with Provider() as provider:
        provider.switches.api = "403"
        page = sent(tenant, wired(tenant, f"{provider.base_url}/bearer"))
    assert "Insufficient permission" in page
    assert reverse("help_symptom", args=["insufficient_permission"]) in page
    assert "What to check, in this order" in page


def test_no_answer_is_explained(tenant: Tenant) -> None:
    page = sent(tenant, wired(tenant, "http://127.0.0.1:9/api"))
    assert "Network" in page
    assert "at stage" in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"path": "invoices"}, "The path begins with"),
        ({"path": "//evil.example/"}, "The path begins with"),
        ({"headers": "no colon"}, "Line 1"),
        ({"headers": "Host: evil.example"}, "Host"),
        ({"method": "CONNECT"}, "isn&#x27;t one of those on offer"),
    ],
)
def test_what_cant_be_sent_is_said_and_kept(
    tenant: Tenant, form: dict[str, str], words: str
) -> None:
    page = sent(tenant, wired(tenant, "https://api.example.com"), **form)
    assert words in page
    assert "Nothing was sent yet" in page
    assert next(iter(form.values())) in page or "CONNECT" in str(form)
    assert not AuditEvent.objects.filter(action="call").exists()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("protected", [False, True])
def test_who_may_send_what(tenant: Tenant, role: Role, protected: bool) -> None:
    with Provider() as provider:
        connection = wired(tenant, f"{provider.base_url}/bearer", protected=protected)
        client = browser(tenant, role)
        answers = {
            method: client.post(url(connection), posted(tenant, method=method))
            for method in ("GET", "DELETE")
        }
    if role is Role.VIEWER:
        assert {answer.status_code for answer in answers.values()} == {403}
        return
    assert "The API answered" in html(answers["GET"])
    asked = "Nothing was sent yet" not in html(answers["DELETE"])
    assert asked is (not protected or role is Role.ADMIN)


def test_another_tenants_connection_is_missing(tenant: Tenant) -> None:
    foreign = wired(make_tenant("globex"), "https://api.example.com")
    client = browser(tenant)
    assert client.get(url(foreign)).status_code == 404
    assert client.post(url(foreign), posted(tenant, method="GET")).status_code == 404
    assert client.get(url(foreign).replace(str(foreign.id), str(MISSING))).status_code == 404


def test_button_is_for_who_may(tenant: Tenant) -> None:
    connection = wired(tenant, "https://api.example.com")
    page = reverse("admin:integrations_connection_change", args=[connection.id])
    assert url(connection) in html(browser(tenant, Role.OPERATOR).get(page))
    assert url(connection) not in html(browser(tenant, Role.VIEWER).get(page))
