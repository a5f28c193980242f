"""Who sees and may press what on the pages of auth configs, and what nobody sees."""

from base64 import b64encode
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authconfigs.methods import METHODS
from authconfigs.methods.base import AuthMethod
from authconfigs.models import AuthConfig, Credential, OAuthToken
from tenants.models import AuditEvent, Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import MISSING, browser, html, post_config, url
from tests.authconfigs.methods.samples import SAMPLES
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    make_user,
    posted,
)

PAGES = ("change", "delete", "history", "method")
BUTTONS = ("refresh", "expire", "switch")
OAUTH = {"token_url": "https://auth.example.com/token", "client_id": "console"}


def client_credentials(tenant: Tenant, name: str = "crm") -> AuthConfig:
    return make_config(
        make_environment(tenant, f"of-{name}"),
        name,
        method="oauth2_client_credentials",
        options=OAUTH,
        secrets={"client_secret": "planted"},
    )


@pytest.mark.parametrize("page", PAGES)
def test_foreign_config_is_a_missing_one(tenant: Tenant, page: str) -> None:
    globex = make_tenant("globex")
    foreign = make_config(make_environment(globex))
    client = browser(tenant)
    answers = [client.get(url(page, each)) for each in (foreign.id, MISSING)]
    assert [each.status_code for each in answers] == [404, 404]
    assert html(answers[0]).replace(str(foreign.id), "") == html(answers[1]).replace(
        str(MISSING), ""
    )


@pytest.mark.parametrize(
    "state",
    [{"token": {}}, {"token": {"set_at": "?"}}, {"token": {"set_at": "2027-01-31"}}],
)
def test_a_state_that_somebody_wrote_by_hand_breaks_no_page(tenant: Tenant, state: Any) -> None:
    environment = make_environment(tenant)
    config, _ = make_config(environment), make_config(environment, "sound")
    Credential.objects.filter(config=config).update(secret_state=state)
    client = browser(tenant)
    page = html(client.get(url("changelist")))
    assert page.count("Unknown age") == 1
    assert "just now" in page
    assert "Set, unknown when" in html(client.get(url("change", config.id)))


@pytest.mark.parametrize("state", [[], {"token": 5}])
def test_a_state_that_is_no_mapping_breaks_no_list(tenant: Tenant, state: Any) -> None:
    config = make_config(make_environment(tenant))
    Credential.objects.filter(config=config).update(secret_state=state)
    assert "Unknown age" in html(browser(tenant).get(url("changelist")))


@pytest.mark.parametrize("button", BUTTONS)
def test_button_of_a_foreign_config_is_that_of_a_missing_one(tenant: Tenant, button: str) -> None:
    foreign = make_config(make_environment(make_tenant("globex")))
    client = browser(tenant)
    answers = [client.post(url(button, each), posted(tenant)) for each in (foreign.id, MISSING)]
    assert [each.status_code for each in answers] == [404, 404]


@pytest.mark.parametrize("button", BUTTONS)
def test_button_is_pressed_by_post_alone(tenant: Tenant, button: str) -> None:
    config = client_credentials(tenant)
    assert browser(tenant).get(url(button, config.id))["Location"] == "../"


@pytest.mark.parametrize("button", BUTTONS)
def test_viewer_presses_nothing(tenant: Tenant, button: str) -> None:
    config = client_credentials(tenant)
    client = browser(tenant, Role.VIEWER)
    assert client.post(url(button, config.id), posted(tenant)).status_code == 403
    assert client.post(url("change", config.id), posted(tenant)).status_code == 403
    assert client.get(url("add")).status_code == 403


def test_viewer_sees_no_button_and_no_form(tenant: Tenant) -> None:
    config = client_credentials(tenant)
    page = html(browser(tenant, Role.VIEWER).get(url("change", config.id)))
    test = url("test", config.id, app="integrations_config")
    for address in (*(url(each, config.id) for each in (*BUTTONS, "delete")), test):
        assert address not in page
    assert 'id="config-form"' not in page
    assert "Attach" not in page


def test_operator_refreshes_but_edits_nothing(tenant: Tenant) -> None:
    config = client_credentials(tenant)
    page = html(browser(tenant, Role.OPERATOR).get(url("change", config.id)))
    assert url("refresh", config.id) in page
    assert url("switch", config.id) not in page
    assert 'id="config-form"' not in page


def test_editor_reads_why_a_protected_config_is_read_only(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant, "production", protected=True))
    client = browser(tenant, Role.EDITOR)
    page = html(client.get(url("change", config.id)))
    assert "Production is protected: only admins change things here." in page
    assert post_config(client, config, description="x").status_code == 403


def test_switching_off_and_on_is_recorded(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    client = browser(tenant)
    client.post(url("switch", config.id), posted(tenant))
    config.refresh_from_db()
    assert config.disabled_at is not None
    assert "Switched off" in html(client.get(url("changelist")))
    client.post(url("switch", config.id), posted(tenant))
    config.refresh_from_db()
    assert config.disabled_at is None
    assert AuditEvent.objects.filter(object_id=str(config.id), fields=["disabled"]).count() == 2


def test_simulated_expiry_without_a_token_is_said(tenant: Tenant) -> None:
    config = client_credentials(tenant)
    client = browser(tenant)
    client.post(url("expire", config.id), posted(tenant))
    assert "No token is stored" in html(client.get(url("change", config.id)))


def test_simulated_expiry_makes_the_token_due(tenant: Tenant) -> None:
    config = client_credentials(tenant)
    token = OAuthToken.objects.get(config=config)
    token.access_token, token.state = "planted-access", OAuthToken.State.VALID
    token.save()
    browser(tenant).post(url("expire", config.id), posted(tenant))
    token.refresh_from_db()
    assert token.expires_at is not None


def test_config_in_use_isnt_deleted_and_its_users_are_listed(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    config = make_config(environment)
    make_connection(make_integration(tenant, name="Ledger"), environment, config)
    client = browser(tenant)
    page = html(client.get(url("delete", config.id)))
    assert "default" in page
    client.post(url("delete", config.id), posted(tenant, post="yes"))
    assert AuthConfig.objects.filter(id=config.id).exists()


def test_config_that_nothing_uses_is_deleted(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    browser(tenant).post(url("delete", config.id), posted(tenant, post="yes"))
    assert not AuthConfig.objects.exists()
    assert AuditEvent.objects.filter(action="delete", object_id=str(config.id)).count() == 1


def spellings(secret: str) -> set[str]:
    encoded = secret.encode()
    return {secret, quote(secret, safe=""), b64encode(encoded).decode().rstrip("=")}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.code)
@pytest.mark.parametrize("who", ["viewer", "editor", "admin", "superuser"])
def test_nobody_reads_a_stored_secret_on_any_page(
    tenant: Tenant, method: AuthMethod, who: str
) -> None:
    sample = SAMPLES[method.code]
    config = make_config(
        make_environment(tenant),
        method=method.code,
        options=sample["options"],
        secrets=sample["secrets"],
    )
    if method.uses_token:
        token = OAuthToken.objects.get(config=config)
        token.access_token, token.refresh_token = "planted-access", "planted-refresh"
        token.save()
    client = Client()
    if who == "superuser":
        log_in(client, make_user("root", superuser=True), tenant=tenant)
    else:
        client = browser(tenant, Role(who))
    answers: list[Any] = [client.get(url(page, config.id)) for page in PAGES]
    answers += [client.get(url("changelist")), post_config(client, config, name="Not A Slug")]
    planted = [*sample["secrets"].values(), "planted-access", "planted-refresh"]
    for page in map(html, answers):
        for secret in planted:
            assert not [text for text in spellings(secret.strip()) if text in page]


def test_form_of_another_tenant_shows_what_was_typed_but_no_secret(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    globex = make_tenant("globex")
    data = posted(globex, method="bearer", name="typed-name", token="planted-typed")
    response = browser(tenant).post(url("change", config.id), data)
    assert response.status_code == 409
    assert "typed-name" in html(response)
    assert "planted-typed" not in html(response)


def test_list_shows_a_row_that_no_key_opens_and_leaves_its_bytes(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    broken, whole = make_config(environment, "broken"), make_config(environment, "whole")
    credential = Credential.objects.get(config=broken)
    column = Credential._meta.get_field("secrets").column
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Credential._meta.db_table} SET {column} ="  # noqa: S608 - our own names
            f" (SELECT {column} FROM {Credential._meta.db_table} WHERE config_id = %s)"
            " WHERE id = %s",
            [
                Credential._meta.pk.get_db_prep_value(whole.id, connection),
                Credential._meta.pk.get_db_prep_value(credential.id, connection),
            ],
        )
    client = browser(tenant)
    page = html(client.get(url("changelist")))
    assert "Can't be decrypted" in page.replace("&#x27;", "'")
    assert "whole" in page
    assert "decrypted with the current keys" in html(client.get(url("change", broken.id)))


def test_list_finds_by_name_host_and_client_id(tenant: Tenant) -> None:
    client_credentials(tenant, "crm")
    make_config(make_environment(tenant), "other")
    client = browser(tenant)
    for term in ("crm", "auth.example.com", "console"):
        page = html(client.get(url("changelist"), {"q": term}))
        assert ">crm<" in page
        assert ">other<" not in page


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("environment", "staging", {"attached"}),
        ("method", "oauth2_client_credentials", {"crm"}),
        ("state", "off", {"off"}),
        ("state", "unused", {"crm", "off"}),
        ("state", "rotate", {"off"}),
        ("state", "attention", {"attached"}),
    ],
)
def test_list_is_filtered(tenant: Tenant, name: str, value: str, found: set[str]) -> None:
    client_credentials(tenant, "crm")
    staging = make_environment(tenant)
    make_connection(
        make_integration(tenant), staging, make_config(staging, "attached"), last_test_ok=False
    )
    make_config(make_environment(tenant, "test"), "off", disabled=True, rotate_by=date(2020, 1, 1))
    page = html(browser(tenant).get(url("changelist"), {name: value}))
    assert {each for each in ("crm", "attached", "off") if f">{each}<" in page} == found


def test_filters_know_only_this_tenant(tenant: Tenant) -> None:
    make_config(make_environment(tenant))
    make_environment(make_tenant("globex"), "secretplace", name="Secretplace")
    assert "secretplace" not in html(browser(tenant).get(url("changelist"))).lower()


@pytest.mark.parametrize("lookup", ["environment__slug__startswith", "owner__email", "client_id"])
def test_columns_arent_probed_through_the_query_string(tenant: Tenant, lookup: str) -> None:
    make_config(make_environment(tenant))
    response = browser(tenant).get(url("changelist"), {lookup: "s"})
    assert response.status_code in (302, 400)


def test_list_takes_the_same_few_queries_for_any_length(tenant: Tenant) -> None:
    environment, integration = make_environment(tenant), make_integration(tenant)
    client = browser(tenant)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(url("changelist")).status_code == 200
        return len(captured)

    def more(first: int, last: int) -> None:
        for number in range(first, last):
            config = make_config(environment, f"config-{number}")
            make_connection(integration, environment, config, name=f"c-{number}")

    more(0, 10)
    few = queries()
    more(10, 60)
    assert queries() == few <= 15
