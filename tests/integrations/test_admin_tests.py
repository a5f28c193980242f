"""Tests that are started on pages, and the page of their result."""

import re

import pytest
from django.urls import reverse

from authconfigs.models import AuthConfig
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, ConnectionTest
from tenants.models import AuditEvent, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs import consoles
from tests.authconfigs.consoles import MISSING, browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    posted,
)


def url(page: str, *ids: object, of: str = "connection") -> str:
    return consoles.url(page, *ids, app=f"integrations_{of}")


def wired(tenant: Tenant, provider: Provider, token: str = accounts.BEARER_TOKEN) -> Connection:
    environment = make_environment(tenant)
    config = make_config(environment, secrets={"token": token})
    integration = make_integration(tenant, name="Ledger")
    return make_connection(integration, environment, config, base_url=f"{provider.base_url}/bearer")


def test_button_shows_the_result_and_records_who_pressed(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider)
        response = browser(tenant, Role.OPERATOR).post(
            url("test", row.id), posted(tenant), follow=True
        )
    page = html(response)
    assert response.redirect_chain[-1][0] == url(
        "change", ConnectionTest.objects.get().id, of="connectiontest"
    )
    for words in ("It works", "API request", "Wrong credential: refused", "Authorization: Bearer"):
        assert words in page
    assert accounts.BEARER_TOKEN not in page
    assert AuditEvent.objects.get(action="test").actor.startswith("operator")


def test_failed_test_names_cause_and_checks(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider, token="planted-wrong")
        page = html(browser(tenant).post(url("test", row.id), posted(tenant), follow=True))
    test = ConnectionTest.objects.get()
    assert "Likely cause" in page
    assert page.count("<li>") >= len(test.checks)
    assert "Test again" in page
    assert "planted-wrong" not in page
    assert str(test.id) in page


def test_checks_lead_to_the_fields_that_they_are_about(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider, token="planted-wrong")
        page = html(browser(tenant).post(url("test", row.id), posted(tenant), follow=True))
    config = reverse("admin:authconfigs_authconfig_change", args=[row.auth_config_id])
    shown = page.partition("What to check")[2].partition("</ol>")[0]
    checks = re.findall(r"<li>(.*?)</li>", shown)
    assert f'href="{config}#id_header"' in next(each for each in checks if "the header" in each)
    assert f'href="{config}"' in next(each for each in checks if "Does the API want" in each)
    form = html(browser(tenant).get(config))
    for anchor in re.findall(rf'"{config}#([^"]+)"', shown):
        assert f'id="{anchor}"' in form


def test_what_was_changed_since_the_last_success_is_told(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider)
        client = browser(tenant)
        client.post(url("test", row.id), posted(tenant))
        config = reverse("admin:authconfigs_authconfig_change", args=[row.auth_config_id])
        typed = posted(
            tenant, method="bearer", name="billing", header="Authorization", prefix="Key"
        )
        assert client.post(config, typed).status_code == 302
        page = html(client.post(url("test", row.id), posted(tenant), follow=True))
        again = html(client.post(url("test", row.id), posted(tenant), follow=True))
        provider.switches.api = "403"
    for shown in (page, again):
        assert "Changed since the last success" in shown
        assert "the Prefix changed, by admin" in shown
        assert "UTC: the Prefix changed, by admin" in shown.partition('id="as-text">')[2]


def test_where_nothing_was_changed_the_provider_is_looked_at(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider)
        client = browser(tenant)
        client.post(url("test", row.id), posted(tenant))
        provider.switches.api = "401"
        page = html(client.post(url("test", row.id), posted(tenant), follow=True))
    assert "Nothing of the connection or its auth config was changed since" in page


def test_what_never_worked_has_no_last_success(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider, token="planted-wrong")
        page = html(browser(tenant).post(url("test", row.id), posted(tenant), follow=True))
    assert "last success" not in page


def test_request_that_never_left_isnt_shown_as_sent(tenant: Tenant) -> None:
    options = {"client_id": accounts.CLIENT.client_id, "username": accounts.OAUTH_USERNAME}
    secrets = {"client_secret": accounts.CLIENT.secret, "password": "planted-wrong"}
    with Provider() as provider:
        environment = make_environment(tenant)
        config = make_config(
            environment,
            method="oauth2_password",
            options={**options, "token_url": provider.token_url},
            secrets=secrets,
        )
        row = make_connection(
            make_integration(tenant), environment, config, base_url=f"{provider.base_url}/bearer"
        )
        page = html(browser(tenant).post(url("test", row.id), posted(tenant), follow=True))
    shown, _, as_text = page.partition('id="as-text">')
    for text in (shown, as_text):
        assert "Not sent: no token." in text
        assert f"GET {provider.base_url}/bearer" not in text
        assert text.count("Not sent") == 1
    assert "<strong>Wrong credential: not sent.</strong> It only follows" in shown
    # The password grant's own words: whoever can't log in looks at the login first.
    assert "the user name or its password" in shown
    assert (
        f"User name {accounts.OAUTH_USERNAME} and its password"
        in shown.partition('c-checks"><li>')[2][:90]
    )


def test_result_is_there_as_text_to_be_copied(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider, token="planted-wrong")
        page = html(browser(tenant).post(url("test", row.id), posted(tenant), follow=True))
    text = page.partition('id="as-text">')[2].partition("</pre>")[0]
    assert text.startswith("Test of Ledger in staging: FAILED: wrong_or_missing_credential")
    assert "What to check:" in text
    assert "planted-wrong" not in text


def test_viewer_reads_a_result_but_isnt_offered_to_test_again(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider)
        browser(tenant).post(url("test", row.id), posted(tenant))
    test = ConnectionTest.objects.get()
    client = browser(tenant, Role.VIEWER)
    page = html(client.get(url("change", test.id, of="connectiontest")))
    assert "It works" in page
    assert "Test again" not in page
    assert "Edit the" not in page


def test_list_action_tests_what_is_ticked_and_only_that(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider)
        other = make_connection(row.integration, row.environment, name="other")
        data = posted(tenant, action="test_selected", _selected_action=str(row.id))
        page = html(browser(tenant).post(url("changelist"), data, follow=True))
    assert "It works" in page
    for each in (row, other):
        each.refresh_from_db()
    assert (row.last_test_ok, other.last_test_ok) == (True, None)


def test_config_is_tested_with_the_connection_that_uses_it(tenant: Tenant) -> None:
    with Provider() as provider:
        row = wired(tenant, provider)
        address = url("test", row.auth_config_id, of="config")
        page = html(browser(tenant).post(address, posted(tenant), follow=True))
    assert "It works" in page
    row.refresh_from_db()
    assert row.last_test_ok is True


def test_oauth_config_without_a_connection_proves_its_token_endpoint(tenant: Tenant) -> None:
    with Provider() as provider:
        config = client_credentials(tenant, provider)
        address = url("test", config.id, of="config")
        page = html(browser(tenant).post(address, posted(tenant), follow=True))
    assert "token endpoint" in page
    assert accounts.CLIENT.secret not in page


def client_credentials(tenant: Tenant, provider: Provider) -> AuthConfig:
    return make_config(
        make_environment(tenant),
        method="oauth2_client_credentials",
        options={"token_url": provider.token_url, "client_id": accounts.CLIENT.client_id},
        secrets={"client_secret": accounts.CLIENT.secret},
    )


def test_refresh_button_gets_a_token(tenant: Tenant) -> None:
    with Provider() as provider:
        config = client_credentials(tenant, provider)
        address = consoles.url("refresh", config.id)
        page = html(browser(tenant, Role.OPERATOR).post(address, posted(tenant), follow=True))
    assert "Connected" in page
    assert AuditEvent.objects.filter(action="refresh", outcome="ok").count() == 1


def test_static_config_without_a_connection_says_what_to_do(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    address = url("test", config.id, of="config")
    page = html(browser(tenant).post(address, posted(tenant), follow=True))
    assert "attach it to an integration first" in page


def test_foreign_result_is_a_missing_one(tenant: Tenant) -> None:
    globex = make_tenant("globex")
    with Provider() as provider:
        row = wired(globex, provider)
        browser(globex).post(url("test", row.id), posted(globex))
    with tenant_scope(globex.id):
        foreign = ConnectionTest.objects.get().id
    client = browser(tenant)
    for page in ("change", "history", "delete"):
        answers = [
            client.get(url(page, each, of="connectiontest")).status_code
            for each in (foreign, MISSING)
        ]
        assert answers in ([404, 404], [403, 403]), page


@pytest.mark.parametrize("page", ["add", "delete"])
def test_results_are_neither_made_nor_deleted_by_hand(tenant: Tenant, page: str) -> None:
    with Provider() as provider:
        row = wired(tenant, provider)
        client = browser(tenant)
        client.post(url("test", row.id), posted(tenant))
    ids = [] if page == "add" else [ConnectionTest.objects.get().id]
    assert client.get(url(page, *ids, of="connectiontest")).status_code == 403
