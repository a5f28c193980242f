"""Pages as they are only for some people, or after something was done or went wrong, looked at like any other page."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from authconfigs.methods import METHODS
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection
from tenants.models import Membership, Tenant, User
from tenants.password_links import make_link
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.authorization.journeys import code_config
from tests.authconfigs.authorization.test_recipients import attach, editor_of
from tests.browser.full_console import come_in
from tests.browser.looking import NARROW, WIDE, Looker, looking
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_membership,
    make_tenant,
    make_user,
)
from tests.tenants.crawler import MISSING, routes

PASSWORD = "a-long-password-for-tests"
THEME = "Alpine.$data(document.documentElement)"
CONNECTIONS = "/admin/integrations/connection/"


@pytest.fixture
def looker(live_server: LiveServer, page: Page, settings: Any) -> Iterator[Looker]:
    settings.PUBLIC_BASE_URL = live_server.url
    with looking(page, live_server.url) as looker:
        yield looker


def a_console(base_url: str = "https://api.example.com") -> Tenant:
    """A connection in either environment. Ann is admin here and viewer elsewhere, vic a viewer, op a platform operator."""
    tenant = make_tenant("acme", name="Acme Corp")
    ann = make_member(tenant, Role.ADMIN, username="ann", password=PASSWORD)
    make_membership(ann, make_tenant("globex", name="Globex"), Role.VIEWER)
    make_member(tenant, Role.VIEWER, username="vic")
    make_user("op", superuser=True)
    for environment in (
        make_environment(tenant),
        make_environment(tenant, "production", protected=True),
    ):
        config = make_config(environment, secrets={"token": accounts.BEARER_TOKEN})
        integration = make_integration(tenant, f"api-{environment.slug}")
        make_connection(integration, environment, config, base_url=base_url)
    return tenant


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def send(page: Page) -> None:
    """Send the page's form as it stands, whatever the browser thinks of it."""
    form = page.locator("main form[method=post], form[method=post].c-panel, #content form").last
    with page.expect_navigation():
        form.evaluate("(form) => { form.noValidate = true; form.requestSubmit() }")


def test_before_a_login(live_server: LiveServer, page: Page, looker: Looker) -> None:
    person = User.objects.get(username="vic", home_tenant=a_console())
    looker.open("/admin/login/")
    for tries in range(1, 6):
        page.get_by_label("Username").fill("ann")
        page.get_by_label("Password").fill("wrong")
        press(page, "Log in")
        expect(
            page.get_by_role("alert") if tries < 5 else page.get_by_role("heading")
        ).to_be_visible()
        if tries in (1, 5):
            looker.look()
    link = make_link(person).removeprefix(live_server.url)
    looker.open(link)
    for password in ("short", PASSWORD):
        for name in ("new_password1", "new_password2"):
            page.locator(f"[name={name}]").fill(password)
        send(page)
        looker.look()
    for address in (link, "/nothing-here/", "/oauth/consent/", "/oauth/result/"):
        looker.open(address)


def test_refused(live_server: LiveServer, page: Page, looker: Looker) -> None:
    tenant = a_console()
    come_in(page, live_server.url, "ann", tenant=tenant)
    adds = [each for each in routes() if each.endswith("/add/")]
    adds += [f"/admin/authconfigs/authconfig/add/?method={method.code}" for method in METHODS]
    refused = 0
    for address in [*adds, "/admin/password_change/"]:
        page.set_viewport_size(NARROW)
        answer = page.goto(live_server.url + address)
        assert answer
        if answer.ok and page.locator("form[method=post]:not(.c-menu) [name]:visible").count():
            send(page)
            expect(
                page.locator("[aria-invalid=true], .errorlist, .c-errors, [role=alert]").first
            ).to_be_attached()
            looker.look()
            refused += 1
    assert refused >= len(METHODS) + 3
    for address in (
        f"{CONNECTIONS}{MISSING}/change/",
        f"{CONNECTIONS}?nonsense__x=1",
        "/admin/tenants/auditevent/add/",
    ):
        looker.open(address)


def test_parts_that_open(live_server: LiveServer, page: Page, looker: Looker) -> None:
    come_in(page, live_server.url, "ann", tenant=a_console())
    looker.open(CONNECTIONS)
    menu = page.locator("#header-inner .c-switch > summary")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        menu.click()
        looker.ask_axe()
        menu.click()
        page.evaluate(f"{THEME}.filterOpen = true")
        expect(page.locator("#changelist-filter")).to_be_visible()
        looker.ask_axe()
        page.evaluate(f"{THEME}.filterOpen = false")
    page.evaluate("Alpine.$data(document.body).sidebarMobileOpen = true")
    expect(page.locator("#nav-sidebar-inner")).to_be_visible()
    looker.ask_axe()
    page.evaluate("Alpine.$data(document.body).sidebarMobileOpen = false")
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        page.keyboard.press("Control+k")
        palette = page.get_by_role("dialog", name="Command palette")
        palette.get_by_role("searchbox").fill("billing")
        expect(palette.get_by_role("listitem").first).to_be_visible()
        looker.ask_axe()
        page.keyboard.press("Escape")
        expect(palette).to_be_hidden()
    page.locator("#nav-sidebar-inner").get_by_text("ann", exact=True).first.click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    looker.ask_axe()


def test_way_to_a_provider_and_back(live_server: LiveServer, page: Page, looker: Looker) -> None:
    with Provider() as provider:
        config = code_config(provider)
        make_member(config.tenant, Role.ADMIN, username="ann")
        come_in(page, live_server.url, "ann", tenant=config.tenant)
        home = f"{live_server.url}/admin/authconfigs/authconfig/{config.id}/"
        page.goto(f"{home}change/")
        press(page, "Hand out a consent link")
        looker.look()
        link = page.locator("#consent-link").inner_text().removeprefix(live_server.url)
        looker.open(link)
        press(page, "Go to the provider")
        expect(page.get_by_role("heading", name="Connected")).to_be_visible()
        looker.look()
        looker.open(link)
        # Somebody else put the address there that gets the token: the admin is asked first.
        attach(config, editor_of(config))
        page.goto(f"{home}change/")
        press(page, "Connect again")
        expect(page.get_by_role("heading", name="Somebody else decided")).to_be_visible()
        looker.look()
        looker.open(f"{home.removeprefix(live_server.url)}events/")


def test_answers_of_an_api(live_server: LiveServer, page: Page, looker: Looker) -> None:
    with Provider() as provider:
        come_in(page, live_server.url, "ann", tenant=a_console(f"{provider.base_url}/bearer"))
        looker.open(CONNECTIONS)
        page.locator("#result_list a[href*='/change/']").first.click()
        press(page, "Test connection")
        expect(page.get_by_role("status")).to_contain_text("It works")
        looker.look()
        page.go_back()
        page.get_by_role("link", name="Try a request").click()
        press(page, "Send")
        expect(page.get_by_text("The API answered 200")).to_be_visible()
        looker.look()


def test_other_people(live_server: LiveServer, page: Page, looker: Looker) -> None:
    tenant = a_console()
    with tenant_scope(tenant.id):
        connection = Connection.objects.get(environment__slug="production")
        membership = Membership.objects.get(user__username="vic")
    rows = {
        "integrations/connection": connection.pk,
        "integrations/integration": connection.integration_id,
        "authconfigs/authconfig": connection.auth_config_id,
    }
    come_in(page, live_server.url, "vic", tenant=tenant)
    for address in ("", *(f"{model}/{key}/change/" for model, key in rows.items())):
        looker.open(f"/admin/{address}")
    come_in(page, live_server.url, "op")
    for address in (
        "",
        "tenants/tenant/",
        "tenants/tenant/add/",
        f"tenants/tenant/{tenant.pk}/change/",
    ):
        looker.open(f"/admin/{address}")
    client = come_in(page, live_server.url, "ann", tenant=tenant)
    page.goto(f"{live_server.url}/admin/tenants/membership/{membership.pk}/change/")
    press(page, "Make a password link")
    expect(page.get_by_role("dialog")).to_be_visible()
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        looker.ask_axe()
    press(page, "Make the link now")
    expect(page.get_by_text("It is shown only now")).to_be_visible()
    looker.look()
    page.goto(f"{live_server.url}/admin/tenants/environment/add/")
    page.locator("[name=name]").fill("Sandbox")
    client.post("/switch-tenant/", {"tenant": str(Tenant.objects.get(slug="globex").pk)})
    send(page)
    expect(page.get_by_role("heading", name="Nothing was saved")).to_be_visible()
    looker.look()
    page.goto(f"{live_server.url}/admin/")
    with page.expect_navigation():
        page.locator("#logout-form").evaluate("(form) => form.requestSubmit()")
    looker.look()
