"""Which tests still count: what pages, filters and the first page say once something was changed that a test depends on."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authconfigs.authorization import disconnecting
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.saving import draft_of, save_config, switch_config
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, Integration
from integrations.saving import save_connection, save_integration
from integrations.saving.drafts import ConnectionDraft, IntegrationDraft
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.authconfigs import consoles
from tests.authconfigs.authorization.journeys import CONNECTED, back_from
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_user,
    posted,
)
from tests.integrations.wired import change_token

pytestmark = pytest.mark.django_db

PILL = re.compile(r'<span class="c-pill c-(\w+)" title="([^"]*)">([^<]*)</span>')
CHANGED = ("quiet", "Changed since its last test")
RIGHT, WRONG = accounts.BEARER_TOKEN, "planted-wrong"


def url(page: str, *ids: object, of: str = "connection") -> str:
    return consoles.url(page, *ids, app=f"integrations_{of}")


def wired(tenant: Tenant, provider: Provider, token: str) -> Connection:
    environment = make_environment(tenant)
    config = make_config(environment, secrets={"token": token})
    base_url = f"{provider.base_url}/bearer"
    return make_connection(make_integration(tenant), environment, config, base_url=base_url)


def run(client: Client, tenant: Tenant, row: Connection) -> None:
    client.post(url("test", row.id), posted(tenant))


def change(config: AuthConfig, **values: Any) -> None:
    """Save the config with another draft."""
    with tenant_scope(config.tenant_id):
        row = AuthConfig.objects.get(id=config.id)
        draft = replace(draft_of(row), **values)
        save_config(draft, environment=row.environment, config=row, widen_origins=True)


def pills(client: Client, address: str) -> set[tuple[str, str]]:
    """Tone and words of all states on a page, but for those of single tests."""
    page = re.sub(
        r"<h2>(Last tests|Tests)</h2>.*?</section>", "", html(client.get(address)), flags=re.S
    )
    return {(tone, words) for tone, _, words in PILL.findall(page)}


def said(client: Client, row: Connection) -> set[tuple[str, str]]:
    """What every page says that shows the state of the connection or of its config."""
    config = row.auth_config_id
    places = {
        url("changelist"),
        url("change", row.id),
        url("changelist", of="integration"),
        url("change", row.integration_id, of="integration"),
        consoles.url("changelist"),
        consoles.url("change", config),
    }
    found = [pills(client, place) for place in places]
    assert all(found)
    return set.union(*found)


def listed(client: Client, address: str, **query: str) -> bool:
    """Whether a list that is filtered has the one row."""
    return bool(client.get(address, query).context["cl"].result_count)


def replace_token(row: Connection, config: AuthConfig) -> None:
    change(config, secrets={"token": WRONG})


def change_method(row: Connection, config: AuthConfig) -> None:
    change(config, method="api_key", options={"key": "X-Key"}, secrets={"value": WRONG})


def change_option(row: Connection, config: AuthConfig) -> None:
    change(config, options={**draft_of(config).options, "prefix": "Token"})


def disconnect(row: Connection, config: AuthConfig) -> None:
    disconnecting.disconnect(config)


def change_request(row: Connection, config: AuthConfig) -> None:
    save_connection(
        ConnectionDraft(row.name, row.base_url, config, test_path="/elsewhere"),
        integration=row.integration,
        environment=row.environment,
        connection=row,
    )


def change_headers(row: Connection, config: AuthConfig) -> None:
    draft = IntegrationDraft(slug="billing", name="Billing", headers={"X-More": "1"}, query={})
    save_integration(draft, integration=row.integration)


def rename(row: Connection, config: AuthConfig) -> None:
    values = {"name": "renamed", "description": "Of billing", "rotate_by": date(2999, 1, 1)}
    change(config, owner=make_user("owner"), **values)


def switch_off_and_on(row: Connection, config: AuthConfig) -> None:
    for off in (True, False):
        switch_config(config, disabled=off)


@pytest.mark.parametrize(
    "act",
    [replace_token, change_method, change_option, disconnect, change_request, change_headers],
)
def test_green_is_gone_everywhere_once_what_was_tested_is_changed(
    tenant: Tenant, act: Callable[[Connection, AuthConfig], None]
) -> None:
    client = browser(tenant)
    with Provider() as provider:
        row = wired(tenant, provider, RIGHT)
        run(client, tenant, row)
        assert said(client, row) == {("good", "Passed"), ("good", "Working")}
        config = row.auth_config
        assert config is not None
        with tenant_scope(tenant.id):
            act(row, config)
    assert said(client, row) == {CHANGED}
    told = {title for _, title, _ in PILL.findall(html(client.get(url("changelist"))))}
    assert re.fullmatch(
        r"Passed just now \(\d{4}-.* UTC\), before the change\. Test it again\.", *told
    )
    assert "before a change" in html(client.get(consoles.url("changelist")))
    results = {
        name: listed(client, url("changelist"), result=name)
        for name in ("passed", "changed", "none")
    }
    assert results == {"passed": False, "changed": True, "none": False}


@pytest.mark.parametrize("act", [rename, switch_off_and_on])
def test_what_no_test_depends_on_leaves_the_result(
    tenant: Tenant, act: Callable[[Connection, AuthConfig], None]
) -> None:
    client = browser(tenant)
    with Provider() as provider:
        row = wired(tenant, provider, RIGHT)
        run(client, tenant, row)
        config = row.auth_config
        assert config is not None
        with tenant_scope(tenant.id):
            act(row, config)
    assert said(client, row) == {("good", "Passed"), ("good", "Working")}
    assert listed(client, url("changelist"), result="passed")


def test_red_is_gone_everywhere_until_it_is_tested_again(tenant: Tenant) -> None:
    client, home = browser(tenant), reverse("admin:index")
    red = ("bad", "Wrong or missing credential")

    def troubled() -> list[bool]:
        """Whether the lists of what needs somebody have it: the home page's and both filters."""
        return [
            red in pills(client, home),
            listed(client, url("changelist"), result="failed"),
            listed(client, consoles.url("changelist"), state="attention"),
        ]

    with Provider() as provider:
        row = wired(tenant, provider, WRONG)
        assert row.auth_config is not None
        run(client, tenant, row)
        assert said(client, row) == {red}
        assert troubled() == [True] * 3
        change(row.auth_config, secrets={"token": RIGHT})
        assert said(client, row) == {CHANGED}
        assert troubled() == [False] * 3
        run(client, tenant, row)
        assert said(client, row) == {("good", "Passed"), ("good", "Working")}
        change(row.auth_config, secrets={"token": WRONG})
        run(client, tenant, row)
        assert said(client, row) == {red}
        assert troubled() == [True] * 3


def test_test_of_a_config_alone_counts_until_it_is_changed(tenant: Tenant) -> None:
    client = browser(tenant)
    with Provider() as provider:
        options = {"token_url": provider.token_url, "client_id": accounts.CLIENT.client_id}
        config = make_config(
            make_environment(tenant),
            method="oauth2_client_credentials",
            options=options,
            secrets={"client_secret": accounts.CLIENT.secret},
        )
        client.post(reverse("admin:integrations_config_test", args=[config.id]), posted(tenant))
        places = (consoles.url("changelist"), consoles.url("change", config.id))
        assert all(("good", "Working") in pills(client, place) for place in places)
        change(config, options={**options, "scope": "reports"})
    for place in places:
        assert CHANGED in pills(client, place)
        assert ("good", "Working") not in pills(client, place)


def test_status_of_a_shared_config_agrees_with_its_last_test(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant, name="Ledger")
    config, client = make_config(environment), browser(tenant)
    broken = make_connection(
        integration, environment, config, name="broken", last_test_ok=False, last_test_symptom="tls"
    )
    for name in ("later", "latest"):
        make_connection(integration, environment, config, name=name, last_test_ok=True)
    link = f'href="{url("change", broken.id)}">Ledger: broken</a>'

    page = html(client.get(consoles.url("changelist")))
    assert ("bad", "Ledger: broken: TLS", "1 of 3 failing") in PILL.findall(page)
    assert link in page.partition("Failed <span")[2].partition("</td>")[0]
    assert "Passed <span" not in page
    page = html(client.get(consoles.url("change", config.id)))
    assert ("bad", "Ledger: broken: TLS", "1 of 3 failing") in PILL.findall(page)
    notice = page.partition("<strong>1 of 3 failing:</strong>")[2].partition("</div>")[0]
    assert link in notice
    assert "(TLS, " in notice

    with tenant_scope(tenant.id):
        Connection.objects.filter(id=broken.id).update(last_test_symptom="unproven")
    assert ("warn", "1 of 3 unproven") in pills(client, consoles.url("changelist"))


def test_page_of_an_integration_takes_the_same_few_queries_for_any_length(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    config, client = make_config(environment), browser(tenant)

    def queries(of: Integration) -> int:
        with CaptureQueriesContext(database) as captured:
            for place in (
                url("change", of.id, of="integration"),
                consoles.url("change", config.id),
            ):
                assert client.get(place).status_code == 200
        return len(captured)

    make_connection(integration, environment, config, name="first", last_test_ok=True)
    few = queries(integration)
    for number in range(5):
        make_connection(integration, environment, config, name=f"c-{number}", last_test_ok=True)
    assert queries(integration) == few


@pytest.mark.django_db(transaction=True)
def test_what_failed_for_want_of_a_token_is_gone_once_there_is_one() -> None:
    red, home = ("bad", "Reauthorization required"), reverse("admin:index")
    with Provider() as provider:
        journey = back_from(provider, "connect")
        client, tenant = journey.client, journey.config.tenant
        with tenant_scope(tenant.id):
            row = Connection.objects.get()

        def troubled() -> list[bool]:
            return [
                red in said(client, row),
                red in pills(client, home),
                listed(client, url("changelist"), result="failed"),
                listed(client, consoles.url("changelist"), state="attention"),
            ]

        run(client, tenant, row)
        assert troubled() == [True] * 4
        assert journey.deliver() == CONNECTED
        assert troubled() == [False] * 4
        assert CHANGED in said(client, row)
        assert listed(client, url("changelist"), result="changed")
        run(client, tenant, row)
        assert said(client, row) >= {("good", "Passed"), ("good", "Working")}
        provider.switches.token = "invalid_grant"
        change_token(expires_at=timezone.now())
        run(client, tenant, row)
        assert troubled() == [True] * 4


@pytest.mark.django_db(transaction=True)
def test_config_alone_that_had_no_token_is_told_as_its_connections_are() -> None:
    with Provider() as provider:
        journey = back_from(provider, "connect")
        client, tenant = journey.client, journey.config.tenant
        with tenant_scope(tenant.id):
            Connection.objects.all().delete()
        test = reverse("admin:integrations_config_test", args=[journey.config.id])
        client.post(test, posted(tenant))
        assert journey.deliver() == CONNECTED
        assert CHANGED in pills(client, consoles.url("changelist"))
        assert CHANGED in pills(client, consoles.url("change", journey.config.id))


def test_lists_of_tests_without_a_token_take_the_same_few_queries(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    client, now = browser(tenant), timezone.now()

    def more(first: int, last: int) -> None:
        for number in range(first, last):
            config = make_config(
                environment,
                f"crm-{number}",
                method="oauth2_client_credentials",
                options={"token_url": "https://auth.example.com/token", "client_id": "console"},
                secrets={"client_secret": "s"},
            )
            make_connection(
                integration,
                environment,
                config,
                name=f"c-{number}",
                last_test_at=now - timedelta(hours=number % 2),
                last_test_ok=False,
                last_test_stage="token",
            )
        with tenant_scope(tenant.id):
            OAuthToken.objects.update(state="valid", obtained_at=now - timedelta(minutes=1))

    places = (
        reverse("admin:index"),
        url("changelist"),
        f"{url('changelist')}?result=changed",
        url("changelist", of="integration"),
        url("change", integration.id, of="integration"),
        consoles.url("changelist"),
    )

    def queries(place: str) -> int:
        with CaptureQueriesContext(database) as captured:
            assert client.get(place).status_code == 200
        return len(captured)

    more(0, 2)
    few = [queries(place) for place in places]
    more(2, 12)
    assert [queries(place) for place in places] == few
