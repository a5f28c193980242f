"""The first page: whether anything needs a person, and how to begin."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authconfigs.models import AuthConfig, OAuthToken
from integrations.models import Connection
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
)
from tests.integrations.wired import store_token

HOME = "admin:index"
BY_CONSENT: dict[str, Any] = {
    "method": "oauth2_authorization_code",
    "options": {
        "token_url": "https://auth.example.com/token",
        "authorization_url": "https://auth.example.com/authorize",
        "client_id": "console",
    },
}


def home(tenant: Tenant, role: Role = Role.VIEWER) -> str:
    return html(browser(tenant, role).get(reverse(HOME)))


def panel(page: str, title: str) -> str:
    """What a panel of the page shows."""
    return next(part for part in re.split(r"<section|<details", page) if f"<h2>{title}" in part)


def tiles(page: str) -> dict[str, tuple[str, str]]:
    """By their titles, what tiles count and where they lead."""
    found = re.findall(
        r'<a class="c-tile" href="([^"]+)"><span class="c-tile-number [^"]+">([^<]+)</span><strong>([^<]+)<',
        page,
    )
    return {title: (number, url) for url, number, title in found}


def test_failing_connections_come_first(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    now = timezone.now()
    for slug, ok in (("working-api", True), ("failing-api", False)):
        make_connection(
            make_integration(tenant, slug, name=slug),
            environment,
            last_test_ok=ok,
            last_test_at=now,
            last_test_symptom="" if ok else "network",
            failing_since=None if ok else now,
        )
    shown = panel(home(tenant), "Connections")
    assert shown.index("failing-api") < shown.index("working-api")
    assert "Network" in shown
    assert "Failing since" in shown
    assert shown.count('class="c-strip"') == 2


def test_config_that_needs_somebody_is_shown(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    make_config(environment, "overdue-config", rotate_by=date(2020, 1, 1))
    make_config(environment, "fine-config")
    make_config(environment, "consent-config", **BY_CONSENT)
    shown = panel(home(tenant), "Auth configs that need somebody")
    assert "overdue-config" in shown
    assert "Rotation overdue" in shown
    assert "consent-config" in shown
    assert "Not connected" in shown
    assert "fine-config" not in shown


def test_token_that_lapsed_while_it_is_retried_is_shown(tenant: Tenant) -> None:
    make_config(make_environment(tenant), "retried-config", **BY_CONSENT)
    now = timezone.now()
    store_token(
        access_token="issued",
        refresh_token="next",
        state="retrying",
        expires_at=now + timedelta(minutes=1),
        failure_summary="The token endpoint is out of order (503).",
    )
    assert "Auth configs that need somebody" not in home(tenant)
    store_token(expires_at=now)
    shown = panel(home(tenant), "Auth configs that need somebody")
    assert "Retrying" in shown
    assert "out of order (503)" in shown


def test_tiles_count_what_the_lists_show(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    make_config(environment, "consent-config", **BY_CONSENT)
    old = make_config(environment, "old-config")
    for number in range(3):
        make_connection(
            make_integration(tenant, f"failing-{number}"), environment, old, last_test_ok=False
        )
    make_connection(make_integration(tenant, "untested"), environment, old)
    with tenant_scope(tenant.id):
        AuthConfig.objects.filter(name="old-config").update(
            created_at=timezone.now() - timedelta(days=31)
        )
    client = browser(tenant, Role.VIEWER)
    found = tiles(html(client.get(reverse(HOME))))
    assert {title: number for title, (number, _) in found.items()} == {
        "Failing": "3",
        "Need reauthorization": "1",
        "Untested": "1",
        "Unused": "2",
    }
    for counted, url in found.values():
        listed = html(client.get(url.replace("&amp;", "&")))
        assert len(re.findall(r'<(?:th|td)[^>]* class="field-name', listed)) == int(counted), url


def test_other_tenants_troubles_arent_shown(tenant: Tenant) -> None:
    globex = make_tenant("globex")
    environment = make_environment(globex)
    make_config(environment, "overdue-config", rotate_by=date(2020, 1, 1))
    make_connection(make_integration(globex, name="Foreign"), environment, last_test_ok=False)
    page = home(tenant, Role.ADMIN)
    assert "overdue-config" not in page
    assert "Foreign" not in page
    assert {number for number, _ in tiles(page).values()} == {"0"}


def test_next_refreshes_are_on_a_time_line(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    make_config(environment, "later", **BY_CONSENT)
    make_config(environment, "sooner", **BY_CONSENT)
    make_config(environment, "by-a-person", **BY_CONSENT)
    with tenant_scope(tenant.id):
        in_an_hour = timezone.now() + timedelta(hours=1)
        OAuthToken.objects.update(state="valid", refresh_after=in_an_hour)
        for name, minutes in (("later", 40.5), ("sooner", 20.5)):
            at = timezone.now() + timedelta(minutes=minutes)
            for token in OAuthToken.objects.filter(config__name=name):
                token.state, token.refresh_after, token.refresh_token = "valid", at, "next"
                token.save()
    shown = panel(home(tenant), "Next token refreshes")
    assert re.findall(r"in (\d)\d\sminutes|/change/\">([\w-]+)<", shown) == [
        ("2", ""),
        ("", "sooner"),
        ("4", ""),
        ("", "later"),
    ]


def test_changes_are_named_without_tests_and_logins(tenant: Tenant) -> None:
    make_config(make_environment(tenant), "fresh-config")
    shown = panel(home(tenant), "Recent changes")
    assert "<strong>fresh-config</strong> created" in shown
    assert shown.count("<li>") == 1


STEPS = ("method", "auth config", "credentials", "Attach", "Test success", "production")


def test_checklist_ticks_itself(tenant: Tenant) -> None:
    def done() -> list[bool]:
        steps = re.findall(r'class="c-step( c-done)?"', home(tenant, Role.ADMIN))
        return [bool(step) for step in steps]

    assert done() == [False] * 6
    environment = make_environment(tenant)
    config = make_config(environment, **BY_CONSENT)
    assert done() == [True, True, False, False, False, False]
    store_token(access_token="issued", state="valid")
    assert done() == [True, True, True, False, False, False]
    make_connection(make_integration(tenant), environment, config)
    assert done() == [True, True, True, True, False, False]
    with tenant_scope(tenant.id):
        Connection.objects.update(last_success_at=timezone.now(), control_result="refused")
    assert done() == [True, True, True, True, True, False]
    make_connection(
        make_integration(tenant, "other"), make_environment(tenant, "production", protected=True)
    )
    assert done() == []


def test_who_may_not_create_reads_the_steps_without_links(tenant: Tenant) -> None:
    add = reverse("admin:authconfigs_authconfig_add")
    assert f'href="{add}"' in panel(home(tenant, Role.ADMIN), "Set up")
    assert f'href="{add}"' not in panel(home(tenant, Role.VIEWER), "Set up")


@pytest.mark.parametrize("number", [1, 30])
def test_page_takes_few_queries_whatever_there_is(tenant: Tenant, number: int) -> None:
    environment = make_environment(tenant)
    for each in range(number):
        config = make_config(environment, f"config-{each}", **BY_CONSENT)
        make_connection(
            make_integration(tenant, f"api-{each}"),
            environment,
            config,
            last_test_ok=False,
            last_success_at=timezone.now() - timedelta(hours=2),
            failing_since=timezone.now(),
        )
    client = browser(tenant, Role.ADMIN)
    client.get(reverse(HOME))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(reverse(HOME))
    assert len(queries) <= 20, [query["sql"][:120] for query in queries]
