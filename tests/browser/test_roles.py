"""The three tasks of each role (docs/roles.md), done in a browser with the clicks and typed fields counted.

`pytest -s tests/browser/test_roles.py` prints them. Logging in isn't counted.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Download, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from authconfigs.models import AuthConfig
from authconfigs.saving import draft_of, save_config
from integrations import bulk_tests
from integrations.demo.provider import Provider, accounts
from integrations.models import BulkTest, Connection
from integrations.testing.together import run
from tenants.models import Tenant, User
from tenants.roles import Role
from tenants.scope import tenant_scope, unscoped
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
)
from tests.integrations.wired import the_config, wired_oauth

pytestmark = pytest.mark.django_db(transaction=True)


class Hand:
    """Clicks and types as somebody would, and counts it."""

    def __init__(self, page: Page, server: LiveServer) -> None:
        """Logs in."""
        self.page = page
        self.home = f"{server.url}/admin/"
        log_in(page, server)
        expect(page.get_by_role("navigation", name="What needs a look")).to_be_visible()
        self.clicks = self.typed = 0

    def press(self, name: str) -> None:
        """Click the button or link of this name."""
        place = self.page.locator("#main")
        button = place.get_by_role("button", name=name, exact=True)
        self.click(button.or_(place.get_by_role("link", name=name)).first)

    def go_to(self, name: str) -> None:
        """Click an entry of the sidebar."""
        self.click(self.page.locator("#nav-sidebar-inner").get_by_role("link", name=name))

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def type(self, field: str, text: str) -> None:
        """Type into the field of this name."""
        self.page.locator(f"[name={field}]").fill(text)
        self.typed += 1

    def choose(self, field: str, option: str) -> None:
        """Choose an option of this label: two clicks."""
        self.page.locator(f"select[name={field}]").select_option(label=option)
        self.clicks += 2

    @contextmanager
    def task(self, name: str, *, most_clicks: int) -> Iterator[None]:
        """A task, begun on the home page; says what it took, and fails where that was too much."""
        self.page.goto(self.home)
        self.clicks = self.typed = 0
        yield
        print(f"\n{name}: {self.clicks} clicks, {self.typed} typed fields", end="")
        assert self.clicks <= most_clicks, f"{name} took {self.clicks} clicks"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def broken_tenant(provider: Provider) -> Tenant:
    """Three connections in production, all tested: one works, one has a wrong token, and one is asked for a page that isn't there."""
    tenant = make_tenant("acme", name="Acme Corp")
    environment = make_environment(tenant, "production", protected=True)
    for name, token, path in (
        ("good", accounts.BEARER_TOKEN, "/bearer"),
        ("wrong", "planted-wrong-token", "/bearer"),
        ("lost", accounts.BEARER_TOKEN, "/nowhere"),
    ):
        config = make_config(environment, name, secrets={"token": token})
        integration = make_integration(tenant, f"{name}-api", name=f"{name}-api")
        make_connection(integration, environment, config, base_url=f"{provider.base_url}{path}")
    return tenant


def tested(tenant: Tenant) -> None:
    """Have the workers do what was asked for, or test everything."""
    with tenant_scope(tenant.id):
        waiting = BulkTest.objects.filter(finished_at=None).first()
        bulk = waiting or bulk_tests.begin(list(Connection.objects.all()), title="Everything")
    run(bulk.id)


def test_on_call_support(live_server: LiveServer, page: Page, provider: Provider) -> None:
    tenant = broken_tenant(provider)
    make_member(tenant, Role.OPERATOR, username="ann", password=PASSWORD)
    tested(tenant)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hand = Hand(page, live_server)

    with hand.task("Find out why a connection fails", most_clicks=2):
        hand.press("wrong-api")
        hand.click(page.locator("#content a[href*='/connectiontest/']").first)
        expect(page.get_by_role("status")).to_contain_text("Wrong or missing credential")
        expect(page.get_by_text("Likely cause:", exact=True)).to_be_visible()

    with hand.task("Hand the case to the provider", most_clicks=3):
        hand.press("wrong-api")
        hand.click(page.locator("#content a[href*='/connectiontest/']").first)
        hand.press("Copy as case file")
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        text = page.evaluate("navigator.clipboard.readText()")
        assert "wrong_or_missing_credential" in text
        assert "planted-wrong-token" not in text

    with tenant_scope(tenant.id):
        config = AuthConfig.objects.select_related("environment").get(name="wrong")
        mended = replace(draft_of(config), secrets={"token": accounts.BEARER_TOKEN})
        save_config(mended, environment=config.environment, config=config, as_admin=True)
    with hand.task("See that the fix works", most_clicks=3):
        hand.press("wrong-api")
        hand.click(page.locator("#content a[href*='/connectiontest/']").first)
        hand.press("Test again")
        expect(page.get_by_role("status")).to_contain_text("It works")


def test_integration_engineer(live_server: LiveServer, page: Page, provider: Provider) -> None:
    tenant = make_tenant("acme", name="Acme Corp")
    make_environment(tenant)
    make_member(tenant, Role.EDITOR, username="ann", password=PASSWORD)
    hand = Hand(page, live_server)

    with hand.task("Give an API its key, and test it", most_clicks=10):
        hand.go_to("Authorization")
        hand.press("New auth config")
        hand.click(page.get_by_role("heading", name="API key", exact=True))
        hand.type("name", "billing")
        hand.type("key", accounts.API_KEY_HEADER)
        hand.type("value", accounts.ROTATING_KEY)
        hand.press("Save")
        hand.press("Attach to an integration")
        hand.press("Make one first")
        hand.type("name", "Billing API")
        hand.type("slug", "billing")
        hand.press("Save")
        hand.type("base_url", f"{provider.base_url}/rotating")
        hand.press("Save")
        hand.press("Test connection")
        expect(page.get_by_role("status")).to_contain_text("It works")

    provider.switches.rotated = True
    with hand.task("Put in a new secret, and see it tested", most_clicks=4):
        hand.go_to("Authorization")
        hand.press("billing")
        hand.type("value", accounts.ROTATED_KEY)
        hand.press("Save")
        hand.press("Test")
        expect(page.get_by_role("status")).to_contain_text("It works")

    with hand.task("See the request as it goes out, and try one", most_clicks=4):
        hand.go_to("Connections")
        hand.press("Billing API")
        hand.press("Try a request")
        hand.press("Send")
        expect(page.get_by_role("status")).to_contain_text("The API answered 200")
        sent = page.locator("pre").last
        expect(sent).to_contain_text(f"{accounts.API_KEY_HEADER}: ••••")


def test_security_reviewer(live_server: LiveServer, page: Page, provider: Provider) -> None:
    tenant = broken_tenant(provider)
    environment = make_environment(tenant, "staging")
    key = {"key": "api_key", "placement": "query"}
    make_config(environment, "in-address", method="api_key", options=key, secrets={"value": "k3y"})
    make_member(tenant, Role.VIEWER, username="ann", password=PASSWORD)
    tested(tenant)
    hand = Hand(page, live_server)

    with hand.task("See which credentials are weak", most_clicks=2):
        hand.go_to("Authorization")
        hand.press("in-address")
        expect(page.get_by_text("goes into the query").first).to_be_visible()

    with hand.task("See who changed what", most_clicks=3):
        hand.go_to("Authorization")
        hand.press("wrong")
        hand.press("History")
        expect(page.get_by_role("cell").first).to_be_visible()
        assert "planted-wrong-token" not in page.content()

    with hand.task("Take the list along", most_clicks=2):
        hand.go_to("Authorization")
        with page.expect_download() as downloading:
            hand.press("CSV")
        rows = list(csv.DictReader(saved(downloading.value).splitlines()))
        assert {row["name"] for row in rows} == {"good", "wrong", "lost", "in-address"}
        assert "planted-wrong-token" not in str(rows)


def test_tenant_admin(
    live_server: LiveServer, page: Page, provider: Provider, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = live_server.url
    wired_oauth(provider, grant="authorization_code")
    tenant = the_config().tenant
    make_member(tenant, Role.ADMIN, username="ann", password=PASSWORD)
    hand = Hand(page, live_server)

    with hand.task("Connect what needs a person", most_clicks=4):
        hand.press("crm")
        hand.press("Connect")
        hand.click(page.get_by_role("button", name="Allow", exact=True))
        expect(page.get_by_role("heading", name="Connected")).to_be_visible()

    with hand.task("Test a whole environment", most_clicks=3):
        hand.go_to("Connections")
        hand.press("Test all of this list")
        tested(tenant)
        expect(page.get_by_text("1 of 1 tested")).to_be_visible()

    with hand.task("Let a colleague in", most_clicks=6):
        hand.go_to("Staff")
        hand.click(page.locator("#main a[href*='/membership/add/']").first)
        hand.type("login", "bob")
        hand.type("email", "bob@example.com")
        hand.choose("role", "Viewer")
        hand.press("Save")
        expect(page.get_by_text("It is shown only now, works once")).to_be_visible()
    with unscoped("a test looks at all"):
        assert User.objects.get(email="bob@example.com").memberships.get().role == Role.VIEWER


def saved(download: Download) -> str:
    """The text of a downloaded file."""
    return download.path().read_text(encoding="utf-8-sig")
