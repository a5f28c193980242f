"""The first page: what needs attention, and how to begin."""

from datetime import date

from django.urls import reverse
from django.utils import timezone

from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
)

HOME = "admin:index"


def test_failing_connection_is_shown_and_a_working_one_isnt(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    now = timezone.now()
    for slug, ok in (("failing-api", False), ("working-api", True)):
        make_connection(
            make_integration(tenant, slug, name=slug),
            environment,
            last_test_ok=ok,
            last_test_at=now,
            last_test_symptom="" if ok else "network",
        )
    page = html(browser(tenant, Role.VIEWER).get(reverse(HOME)))
    assert "failing-api" in page
    assert "Network" in page
    assert "working-api" not in page


def test_config_that_needs_somebody_is_shown(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    make_config(environment, "overdue-config", rotate_by=date(2020, 1, 1))
    make_config(environment, "fine-config")
    make_config(
        environment,
        "consent-config",
        method="oauth2_authorization_code",
        options={
            "token_url": "https://auth.example.com/token",
            "authorization_url": "https://auth.example.com/authorize",
            "client_id": "console",
        },
    )
    page = html(browser(tenant).get(reverse(HOME)))
    assert "overdue-config" in page
    assert "Rotation overdue" in page
    assert "consent-config" in page
    assert "Not connected" in page
    assert "fine-config" not in page


def test_other_tenants_troubles_arent_shown(tenant: Tenant) -> None:
    globex = make_tenant("globex")
    environment = make_environment(globex)
    make_config(environment, "overdue-config", rotate_by=date(2020, 1, 1))
    make_connection(make_integration(globex, name="Foreign"), environment, last_test_ok=False)
    page = html(browser(tenant).get(reverse(HOME)))
    assert "overdue-config" not in page
    assert "Foreign" not in page


def test_beginner_reads_how_to_begin(tenant: Tenant) -> None:
    assert "Begin here" in html(browser(tenant, Role.EDITOR).get(reverse(HOME)))
    assert "Begin here" not in html(browser(tenant, Role.VIEWER).get(reverse(HOME)))
