"""The list and the pages of connections."""

from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from authconfigs.models import AllowedOrigin
from integrations.models import Connection
from tenants.actor import Actor, acting_as
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs import consoles
from tests.authconfigs.consoles import MISSING, browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
    posted,
)

API = "https://api.example.com/v1"
ELSEWHERE = "https://elsewhere.example/v1"


def url(page: str, *ids: object) -> str:
    return consoles.url(page, *ids, app="integrations_connection")


def typed(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    """What the form of a connection posts."""
    return posted(
        tenant,
        **{
            "name": "default",
            "base_url": API,
            "auth_config": "",
            "test_method": "GET",
            "test_path": "/ping",
            "test_expect": "200, 204",
            "negative_control": "on",
            **fields,
        },
    )


def place(tenant: Tenant, **more: object) -> str:
    query = "&".join(f"{name}={value}" for name, value in more.items())
    return f"{url('add')}?{query}"


def test_where_it_belongs_is_asked_first(tenant: Tenant) -> None:
    make_integration(tenant, name="Ledger")
    make_environment(tenant)
    page = html(browser(tenant).get(url("add")))
    assert "Ledger" in page
    assert 'name="base_url"' not in page


def test_config_brings_its_environment(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant), "attached-config")
    integration = make_integration(tenant)
    client = browser(tenant)
    assert "attached-config" in html(client.get(place(tenant, config=config.id)))
    page = html(client.get(place(tenant, config=config.id, integration=integration.id)))
    assert f'<option value="{config.id}" selected>' in page


def test_connection_is_made_as_typed(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    where = place(tenant, integration=integration.id, environment=environment.id)
    data = typed(tenant, test_headers="X-Test: yes", timeout="5")
    browser(tenant).post(where, data)
    row = Connection.objects.get()
    assert (row.base_url, row.test_path, row.test_expect) == (API, "/ping", [200, 204])
    assert (row.test_headers, row.timeout, row.negative_control) == ({"X-Test": "yes"}, 5, True)


def test_only_configs_of_the_environment_are_offered(tenant: Tenant) -> None:
    here = make_environment(tenant)
    make_config(make_environment(tenant, "production", protected=True), "of-production")
    make_config(make_environment(make_tenant("globex")), "of-globex")
    make_config(here, "of-staging")
    integration = make_integration(tenant)
    page = html(browser(tenant).get(place(tenant, integration=integration.id, environment=here.id)))
    assert "of-staging" in page
    assert "of-production" not in page
    assert "of-globex" not in page


def test_posted_config_of_another_environment_is_refused(tenant: Tenant) -> None:
    here, integration = make_environment(tenant), make_integration(tenant)
    other = make_config(make_environment(tenant, "production", protected=True))
    where = place(tenant, integration=integration.id, environment=here.id)
    page = html(browser(tenant).post(where, typed(tenant, auth_config=other.id)))
    assert "Choose one of the list." in page
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "ftp://api.example.com"),
        ("base_url", "https://user:planted@api.example.com"),
        ("test_path", "//elsewhere.example"),
        ("test_expect", "fine"),
        ("test_expect", "99"),
        ("test_expect", "9" * 5000),
        ("test_body", "a\0"),
        ("auth_config", "\0"),
        ("test_headers", "Host: elsewhere"),
        ("name", "Not A Slug"),
    ],
)
def test_error_stands_beside_its_field(tenant: Tenant, field: str, value: str) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    where = place(tenant, integration=integration.id, environment=environment.id)
    page = html(browser(tenant).post(where, typed(tenant, **{field: value})))
    assert f'id="id_{field}_error"' in page
    assert not Connection.objects.exists()


def test_another_origin_asks_for_the_secrets_in_the_same_form(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    config = make_config(environment)
    row = make_connection(make_integration(tenant), environment, config, base_url=API)
    client = browser(tenant, Role.EDITOR)
    data = typed(tenant, base_url=ELSEWHERE, auth_config=config.id, revision_number="1")
    page = html(client.post(url("change", row.id), data))
    assert 'name="secret-token"' in page
    assert "planted-token" not in page
    row.refresh_from_db()
    assert row.base_url == API

    page = html(client.post(url("change", row.id), {**data, "secret-token": ""}))
    assert 'name="secret-token"' in page
    client.post(url("change", row.id), {**data, "secret-token": "typed-again"})
    row.refresh_from_db()
    assert row.base_url == ELSEWHERE
    assert config.credentials.get().secrets.reveal() == {"token": "typed-again"}
    assert "https://elsewhere.example" in set(
        AllowedOrigin.objects.filter(config=config).values_list("origin", flat=True)
    )


def test_colleagues_unattached_config_isnt_led_anywhere_without_its_secret(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    ann = make_member(tenant, Role.EDITOR, username="ann")
    with acting_as(Actor(user_id=ann.id, name="ann", address=None, via="web")):
        config = make_config(environment)
    where = place(tenant, integration=integration.id, environment=environment.id)
    client = browser(tenant, Role.EDITOR)
    page = html(client.post(where, typed(tenant, base_url=ELSEWHERE, auth_config=config.id)))
    assert 'name="secret-token"' in page
    assert not Connection.objects.exists()


def test_edit_over_another_edit_is_refused_and_what_was_typed_is_kept(tenant: Tenant) -> None:
    row = make_connection(make_integration(tenant), make_environment(tenant))
    client = browser(tenant)
    client.post(url("change", row.id), typed(tenant, test_path="/early", revision_number="1"))
    late = typed(tenant, test_path="/late", revision_number="1")
    page = html(client.post(url("change", row.id), late))
    assert "was changed by" in page
    assert "mend what is marked" not in page
    assert f'<a href="{url("change", row.id)}">Open it again</a>' in page
    assert "/late" in page
    row.refresh_from_db()
    assert row.test_path == "/early"


def test_admin_moves_a_protected_connection_to_the_newest_revision(tenant: Tenant) -> None:
    integration = make_integration(tenant)
    row = make_connection(integration, make_environment(tenant, "production", protected=True))
    client = browser(tenant)
    client.post(
        consoles.url("change", integration.id, app="integrations_integration"),
        posted(tenant, name="Billing", headers="Accept: text/plain", query=""),
    )
    assert 'name="newest"' in html(client.get(url("change", row.id)))
    client.post(url("change", row.id), typed(tenant, newest="on", revision_number="1"))
    row.refresh_from_db()
    integration.refresh_from_db()
    assert row.revision == integration.head


def test_credential_over_http_is_warned_of(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    integration, config = make_integration(tenant), make_config(environment)
    bare = make_connection(integration, environment, base_url="http://127.0.0.1/", name="bare")
    sent = make_connection(integration, environment, config, base_url="http://127.0.0.1/")
    client = browser(tenant)
    assert "can be read on the way" in html(client.get(url("change", sent.id)))
    assert "can be read on the way" not in html(client.get(url("change", bare.id)))


def test_viewer_sees_no_button_and_presses_nothing(tenant: Tenant) -> None:
    row = make_connection(make_integration(tenant), make_environment(tenant))
    client = browser(tenant, Role.VIEWER)
    page = html(client.get(url("change", row.id)))
    assert url("test", row.id) not in page
    assert url("delete", row.id) not in page
    assert 'name="base_url"' not in page
    assert client.post(url("test", row.id), posted(tenant)).status_code == 403
    assert client.post(url("change", row.id), typed(tenant)).status_code == 403
    data = posted(tenant, action="test_selected", _selected_action=str(row.id))
    client.post(url("changelist"), data)
    row.refresh_from_db()
    assert row.last_test_at is None


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_foreign_connection_is_a_missing_one(tenant: Tenant, page: str) -> None:
    globex = make_tenant("globex")
    foreign = make_connection(make_integration(globex), make_environment(globex))
    client = browser(tenant)
    assert client.get(url(page, foreign.id)).status_code == 404
    assert client.get(url(page, MISSING)).status_code == 404


def test_test_of_a_foreign_connection_is_that_of_a_missing_one(tenant: Tenant) -> None:
    globex = make_tenant("globex")
    environment = make_environment(globex)
    config = make_config(environment)
    foreign = make_connection(make_integration(globex), environment, config)
    client = browser(tenant)
    for address in (
        url("test", foreign.id),
        url("test", MISSING),
        consoles.url("test", config.id, app="integrations_config"),
        consoles.url("test", MISSING, app="integrations_config"),
    ):
        assert client.post(address, posted(tenant)).status_code == 404


def test_list_finds_by_integration_host_and_config(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    config = make_config(environment, "ledger-key")
    wanted = make_connection(
        make_integration(tenant, "ledger", name="Ledger"), environment, config, host="ledger.test"
    )
    other = make_connection(make_integration(tenant, "mail", name="Mail"), environment)
    client = browser(tenant)
    for term in ("Ledger", "ledger.test", "ledger-key"):
        page = html(client.get(url("changelist"), {"q": term}))
        assert str(wanted.id) in page
        assert str(other.id) not in page


def test_list_takes_the_same_few_queries_for_any_length(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    client = browser(tenant)

    def queries(first: int, last: int) -> int:
        for number in range(first, last):
            config = make_config(environment, f"config-{number}")
            make_connection(integration, environment, config, name=f"c-{number}")
        with CaptureQueriesContext(database) as captured:
            assert client.get(url("changelist")).status_code == 200
        return len(captured)

    assert queries(0, 10) == queries(10, 60) <= 15
