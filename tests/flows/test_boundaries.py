"""Between tenants, between environments and between people: what reaches whom, through pages and real sockets."""

import re
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authconfigs.models import AuthConfig, Credential
from authconfigs.saving import current_credential
from authconfigs.symptoms import Symptom
from integrations.client import CallFailed, connect
from integrations.demo.provider import Provider
from integrations.models import Connection
from tenants.models import Environment, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_membership,
    make_tenant,
    posted,
)
from tests.tenants.crawler import address, ids_for, routes, takes_an_id
from tests.tenants.rows import plant, snapshot

pytestmark = pytest.mark.django_db(transaction=True)

# They belong to a person, to nobody, or choose the tenant.
WITHOUT_TENANT = re.compile(
    r"/switch-tenant/|password|/login/|/logout/|/jsi18n/|/admin/tenants/tenant/|^/oauth/|/favicon|^/$"
)


def test_no_address_takes_a_form_of_another_tenant(client: Client) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_member(acme)
    make_membership(user, globex)
    rows = plant(globex, "of-globex")
    log_in(client, user, tenant=globex)
    before = snapshot(globex)
    asked = 0
    for route in routes():
        if WITHOUT_TENANT.search(route):
            continue
        for wanted in ids_for(route, rows) if takes_an_id(route) else [""]:
            where = address(route, wanted)
            for drawn_for in (posted(acme), {}):
                answer = client.post(where, {**drawn_for, "post": "yes", "name": "Typed"})
                assert answer.status_code in {404, 405, 409}, where
                asked += answer.status_code == 409
    assert asked > 20
    assert snapshot(globex) == before


def test_forms_as_they_are_drawn_save_nothing_after_a_switch(client: Client) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_member(acme)
    make_membership(user, globex)
    theirs = make_config(make_environment(globex))
    make_environment(acme)
    log_in(client, user, tenant=acme)
    pages = (
        reverse("admin:authconfigs_authconfig_add") + "?method=bearer",
        reverse("admin:integrations_integration_add"),
        reverse("admin:tenants_environment_add"),
    )
    drawn = {page: hidden(client.get(page).content.decode()) for page in pages}
    client.post("/switch-tenant/", {"tenant": str(globex.id)})
    before = snapshot(globex), snapshot(acme)

    for page, fields in drawn.items():
        assert fields["_tenant"] == str(acme.id)
        typed = {
            "slug": "typed",
            "name": "typed",
            "token": "planted",
            "environment": str(theirs.environment_id),
        }
        assert client.post(page, {**fields, **typed}).status_code == 409, page

    assert (snapshot(globex), snapshot(acme)) == before


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return dict(found)


def test_a_user_of_two_tenants_is_an_admin_in_one_and_a_viewer_in_the_other(client: Client) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_member(acme, Role.ADMIN)
    make_membership(user, globex, Role.VIEWER)
    configs = {tenant: make_config(make_environment(tenant)) for tenant in (acme, globex)}
    codes = {}
    for tenant, config in configs.items():
        log_in(client, user, tenant=tenant)
        switch = reverse("admin:authconfigs_authconfig_switch", args=[config.id])
        codes[tenant.slug] = (
            client.get(reverse("admin:authconfigs_authconfig_add")).status_code,
            client.get(
                reverse("admin:authconfigs_authconfig_change", args=[config.id])
            ).status_code,
            client.post(switch, posted(tenant)).status_code,
        )
        other = configs[globex if tenant == acme else acme]
        foreign = reverse("admin:authconfigs_authconfig_switch", args=[other.id])
        assert client.post(foreign, posted(tenant)).status_code == 404
    assert codes == {"acme": (200, 200, 302), "globex": (403, 200, 403)}
    assert disabled(acme) == [True]
    assert disabled(globex) == [False]


def disabled(tenant: Tenant) -> list[bool]:
    with tenant_scope(tenant.id):
        return [row.disabled_at is not None for row in AuthConfig.objects.all()]


def sent(provider: Provider, environment: str) -> dict[str, str]:
    """The headers with which a call of the environment arrives."""
    provider.forget()
    assert connect("acme", "crm", environment=environment).get("").status_code == 200
    (received,) = provider.requests
    return dict(received.headers)


def test_edited_headers_reach_no_protected_environment(client: Client) -> None:
    acme = make_tenant("acme")
    integration = make_integration(acme, "crm", headers={"X-Part": "old"}, query={"v": "1"})
    with Provider() as provider:
        for slug, protected in (("staging", False), ("production", True)):
            environment = make_environment(acme, slug, protected=protected)
            config = make_config(environment, "crm")
            make_connection(integration, environment, config, base_url=f"{provider.base_url}/open")
        before = {slug: sent(provider, slug) for slug in ("staging", "production")}
        log_in(client, make_member(acme, Role.EDITOR), tenant=acme)
        data = posted(acme, name="Crm", headers="X-Part: new\nX-More: m", query="")
        url = reverse("admin:integrations_integration_change", args=[integration.id])
        assert client.post(url, data).status_code == 302

        assert sent(provider, "production") == before["production"]
        assert sent(provider, "staging") == {**before["staging"], "X-Part": "new", "X-More": "m"}


def test_editor_leads_no_secret_to_a_server_of_their_own(client: Client) -> None:
    acme = make_tenant("acme")
    environment = make_environment(acme)
    integration = make_integration(acme, "crm")
    with Provider() as provider, Provider() as hostile:
        config = make_config(environment, "crm")
        row = make_connection(
            integration, environment, config, base_url=f"{provider.base_url}/open"
        )
        token = make_config(
            environment,
            "token",
            method="oauth2_client_credentials",
            options={"token_url": provider.token_url, "client_id": "c"},
            secrets={"client_secret": "planted"},
        )
        log_in(client, make_member(acme, Role.EDITOR), tenant=acme)
        moved = posted(
            acme,
            name="default",
            base_url=f"{hostile.base_url}/open",
            auth_config=str(config.id),
            revision_number="1",
            test_method="GET",
            test_path="",
            test_expect="",
        )
        client.post(reverse("admin:integrations_connection_change", args=[row.id]), moved)
        client.post(reverse("admin:integrations_connection_test", args=[row.id]), posted(acme))
        typed = posted(
            acme,
            method=token.method,
            name="token",
            token_url=hostile.token_url,
            client_id="c",
            client_auth="post",
            token_body="form",
            header="Authorization",
            header_prefix="Bearer",
            revision="1",
        )
        client.post(reverse("admin:authconfigs_authconfig_change", args=[token.id]), typed)
        client.post(reverse("admin:authconfigs_authconfig_refresh", args=[token.id]), posted(acme))
        with tenant_scope(acme.id):
            row.refresh_from_db()
            assert row.base_url.startswith(provider.base_url)
            assert current_credential(token).options["token_url"] == provider.token_url
            # Whoever writes rows past the pages gets no further.
            Connection.objects.update(base_url=f"{hostile.base_url}/open")
        with pytest.raises(CallFailed) as failed:
            connect("acme", "crm", environment="staging").get("")
        assert (failed.value.symptom, failed.value.stage) == (Symptom.BLOCKED_BY_POLICY, "policy")
        assert provider.count("POST /token") == 1
        assert hostile.requests == []
        assert hostile.count("connections") == 0


def thousand(environment: Environment) -> None:
    """990 more rows beside the ten, as the ten are."""
    with tenant_scope(environment.tenant_id):
        ten = list(Connection.objects.select_related("auth_config")[:10])
        configs, credentials, connections = [], [], []
        for number in range(990):
            like = ten[number % 10]
            config = AuthConfig(
                environment=environment,
                name=f"more-{number}",
                method="bearer",
                hosts="api.example.com",
            )
            configs.append(config)
            credentials.append(
                Credential(
                    config=config, slot="current", options={}, secrets={"token": "planted-token"}
                )
            )
            connections.append(
                Connection(
                    integration_id=like.integration_id,
                    environment=environment,
                    auth_config=config,
                    revision_id=like.revision_id,
                    base_url=like.base_url,
                    name=f"more-{number}",
                    last_test_ok=bool(number % 2),
                )
            )
        AuthConfig.objects.bulk_create(configs)
        Credential.objects.bulk_create(credentials)
        Connection.objects.bulk_create(connections)


@pytest.mark.parametrize("model", ["authconfigs_authconfig", "integrations_connection"])
def test_a_list_of_a_thousand_rows_needs_no_more_queries_than_one_of_ten(
    client: Client, model: str
) -> None:
    acme = make_tenant("acme")
    environment, integration = make_environment(acme), make_integration(acme)
    for number in range(10):
        config = make_config(environment, f"config-{number}")
        make_connection(integration, environment, config, name=f"c-{number}")
    log_in(client, make_member(acme), tenant=acme)
    listed = reverse(f"admin:{model}_changelist")

    def queries(**query: Any) -> int:
        with CaptureQueriesContext(database) as captured:
            assert client.get(listed, query).status_code == 200
        return len(captured)

    asked: tuple[dict[str, Any], ...] = ({}, {"q": "config"}, {"environment": "staging"})
    queries()
    few = [queries(**query) for query in asked]
    thousand(environment)

    assert [queries(**query) for query in asked] == few
    assert queries(p=19) <= few[0]
    assert max(few) <= 15
