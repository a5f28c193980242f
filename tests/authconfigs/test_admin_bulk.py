"""What is done with the ticked configs of the list, and what isn't, and why."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import F
from django.test import Client
from django.utils import timezone

from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.tokens.bulk import refresh_many
from integrations.demo.provider import Provider, accounts
from integrations.models import BulkTestItem
from tenants.models import AuditEvent, Environment, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import browser, html, url
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
    posted,
)

ACTIONS = {
    "test_selected": "Test connections",
    "refresh_selected": "Refresh tokens",
    "switch_on_selected": "Switch on",
    "switch_off_selected": "Switch off",
}


@pytest.fixture
def staging(tenant: Tenant) -> Environment:
    return make_environment(tenant)


@pytest.fixture
def production(tenant: Tenant) -> Environment:
    return make_environment(tenant, "production", protected=True)


def run(client: Client, tenant: Tenant, action: str, *configs: AuthConfig, **more: str) -> str:
    """The page after the action was run with these configs ticked."""
    ticked = [str(config.id) for config in configs]
    data = posted(tenant, action=action, _selected_action=ticked, **more)
    return unescape(html(client.post(url("changelist"), data, follow=True)))


def oauth(
    environment: Environment,
    name: str,
    *,
    token_url: str = "https://auth.example.com/token",
    **token: Any,
) -> AuthConfig:
    """A config of client credentials; `token` are columns of its token's row."""
    config = make_config(
        environment,
        name,
        method="oauth2_client_credentials",
        options={"token_url": token_url, "client_id": accounts.CLIENT.client_id},
        secrets={"client_secret": accounts.CLIENT.secret},
    )
    if token:
        OAuthToken.objects.filter(config=config).update(**token)
    return config


def are_off() -> set[str]:
    return set(AuthConfig.objects.exclude(disabled_at=None).values_list("name", flat=True))


def audited(action: str, outcome: str = "ok") -> list[str]:
    events = AuditEvent.objects.filter(action=action, outcome=outcome, via="web")
    return sorted(events.values_list("object_name", flat=True))


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.VIEWER, set()),
        (Role.OPERATOR, {"test_selected", "refresh_selected"}),
        (Role.EDITOR, set(ACTIONS)),
    ],
)
def test_actions_are_offered_to_who_may_do_them(
    tenant: Tenant, staging: Environment, role: Role, offered: set[str]
) -> None:
    config = make_config(staging)
    client = browser(tenant, role)
    page = html(client.get(url("changelist")))
    assert {each for each in ACTIONS if f'<option value="{each}"' in page} == offered
    for action in set(ACTIONS) - offered:
        run(client, tenant, action, config, confirmed="1")
    assert not are_off()
    assert not BulkTestItem.objects.exists()


def test_switching_off_says_first_what_it_ends(tenant: Tenant, staging: Environment) -> None:
    used, unused = make_config(staging, "used"), make_config(staging, "unused")
    for number in range(2):
        make_connection(make_integration(tenant, f"api-{number}"), staging, used)
    client = browser(tenant, Role.EDITOR)
    page = run(client, tenant, "switch_off_selected", used, unused)
    assert "Switch off 2 auth configs?" in page
    assert "The next call of 2 connections is refused" in page
    assert not are_off()
    page = run(client, tenant, "switch_off_selected", used, unused, confirmed="1")
    assert "2 auth configs switched off: the next call is refused." in page
    assert are_off() == {"used", "unused"}
    assert audited("change") == ["unused", "used"]


def test_what_may_not_be_switched_stays_and_is_named(
    tenant: Tenant, staging: Environment, production: Environment
) -> None:
    on, live = make_config(staging, "on"), make_config(production, "live")
    off = make_config(staging, "off", disabled=True)
    client = browser(tenant, Role.EDITOR)
    asked = run(client, tenant, "switch_off_selected", on, live, off)
    assert "Switch off 1 auth config?" in asked
    for page in (asked, run(client, tenant, "switch_off_selected", on, live, off, confirmed="1")):
        assert "live (Production): Production is protected, so that only admins may." in page
        assert "off (Staging): off already." in page
    assert are_off() == {"on", "off"}
    assert audited("change") == ["on"]


def test_switching_on_needs_no_question(
    tenant: Tenant, staging: Environment, production: Environment
) -> None:
    rows = [make_config(each, "off", disabled=True) for each in (staging, production)]
    page = run(browser(tenant, Role.ADMIN), tenant, "switch_on_selected", *rows)
    assert "2 auth configs switched on." in page
    assert not are_off()


def test_what_somebody_changed_meanwhile_is_named(tenant: Tenant, staging: Environment) -> None:
    first, second = make_config(staging, "first"), make_config(staging, "second")
    client = browser(tenant)
    edits: list[str] = []

    def edited_just_before(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        is_of_second = second.id.hex in str(params).replace("-", "")
        if sql.startswith("UPDATE") and is_of_second and not edits:
            edits.append(sql)
            AuthConfig.objects.filter(id=second.id).update(revision=F("revision") + 1)
        return execute(sql, params, many, context)

    with database.execute_wrapper(edited_just_before):
        page = run(client, tenant, "switch_off_selected", first, second, confirmed="1")
    assert "1 auth config switched off" in page
    assert "second (Staging): somebody changed it at the same moment: try again." in page
    assert are_off() == {"first"}


def test_rows_of_others_are_not_there(tenant: Tenant, staging: Environment) -> None:
    globex = make_tenant("globex")
    foreign = make_config(make_environment(globex), "foreign")
    mine = make_config(staging, "mine")
    page = run(browser(tenant), tenant, "switch_off_selected", mine, foreign, confirmed="1")
    assert "foreign" not in page
    with tenant_scope(globex.id):
        assert not are_off()


def test_several_tokens_are_made_due_for_the_workers(tenant: Tenant, staging: Environment) -> None:
    state, later = OAuthToken.State, timezone.now() + timedelta(hours=5)
    good = [
        oauth(staging, name, state=state.VALID, refresh_after=later) for name in ("crm", "billing")
    ]
    stopped = oauth(staging, "stopped", state=state.STOPPED, refresh_after=None)
    switched_off = make_config(staging, "off", disabled=True)
    bearer = make_config(staging, "bearer")
    rows = [*good, stopped, switched_off, bearer]
    page = run(browser(tenant, Role.OPERATOR), tenant, "refresh_selected", *rows)
    assert "2 tokens are being refreshed by the workers." in page
    assert "bearer (Staging), off (Staging): this method has no token" in page
    assert "stopped (Staging): it is being refreshed just now, rests after a failure, or" in page
    due = OAuthToken.objects.filter(refresh_after__lte=timezone.now())
    assert set(due.values_list("config__name", flat=True)) == {"crm", "billing"}
    assert audited("refresh", "begun") == ["billing", "crm"]


@pytest.mark.django_db(transaction=True)
def test_one_token_is_refreshed_at_once_and_several_by_who_looks_next(
    tenant: Tenant, staging: Environment
) -> None:
    client = browser(tenant, Role.OPERATOR)
    with Provider() as provider:
        rows = [oauth(staging, name, token_url=provider.token_url) for name in ("crm", "billing")]
        page = run(client, tenant, "refresh_selected", rows[0])
        assert "Refresh works" in page
        assert len(provider.requests) == 1
        run(client, tenant, "refresh_selected", *rows)
        assert len(provider.requests) == 1
        refresh_many([row.id for row in rows])
        assert len(provider.requests) == 3
    assert audited("refresh") == ["crm"]
    assert audited("refresh", "begun") == ["billing", "crm"]


def test_connections_of_the_ticked_ones_are_tested(
    tenant: Tenant, staging: Environment, production: Environment
) -> None:
    used, live = make_config(staging, "used"), make_config(production, "live")
    idle = make_config(staging, "idle")
    for environment, config in ((staging, used), (production, live)):
        make_connection(make_integration(tenant, f"of-{config.name}"), environment, config)
    make_connection(make_integration(tenant, "other"), staging, make_config(staging, "other"))
    page = run(browser(tenant, Role.OPERATOR), tenant, "test_selected", used, live, idle)
    found = BulkTestItem.objects.values_list("connection__integration__slug", flat=True)
    assert set(found) == {"of-used", "of-live"}
    assert "0 of 2 tested" in page
    assert "Nothing to test here: idle. No connection uses it" in page
