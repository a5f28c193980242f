"""What only a browser shows: the header, the copied text, light and dark."""

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from integrations.demo.provider import Provider
from tenants.models import Tenant
from tenants.roles import Role
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_membership,
    make_tenant,
)


def a_console(base_url: str = "https://api.example.com") -> Tenant:
    tenant = make_tenant("acme", name="Acme Corp")
    ann = make_member(tenant, Role.ADMIN, username="ann", password=PASSWORD)
    make_membership(ann, make_tenant("globex", name="Globex"), Role.VIEWER)
    for environment in (
        make_environment(tenant),
        make_environment(tenant, "production", protected=True),
    ):
        config = make_config(environment)
        integration = make_integration(tenant, f"api-{environment.slug}")
        make_connection(integration, environment, config, base_url=base_url)
    return tenant


def test_tenant_is_switched_in_the_header(live_server: LiveServer, page: Page) -> None:
    a_console()
    log_in(page, live_server)
    header = page.locator("#header-inner")
    header.get_by_text("Acme Corp").click()
    header.get_by_role("button", name="Globex").click()
    expect(header.get_by_text("Globex")).to_be_visible()
    expect(header.get_by_text("Viewer")).to_be_visible()
    page.locator("#nav-sidebar-inner").get_by_role("link", name="Authorization").click()
    expect(page.get_by_text("billing")).to_have_count(0)


def test_result_is_copied_as_text(live_server: LiveServer, page: Page) -> None:
    with Provider() as provider:
        a_console(f"{provider.base_url}/bearer")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        log_in(page, live_server)
        page.locator("#nav-sidebar-inner").get_by_role("link", name="Connections").click()
        page.get_by_role("link", name="api-staging").first.click()
        page.get_by_role("button", name="Test connection").click()
        page.get_by_role("button", name="Copy as case file").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")
    assert "FAILED: wrong_or_missing_credential" in text
    assert "planted-token" not in text


def test_active_entry_of_the_dark_sidebar_is_as_light_as_links(
    live_server: LiveServer, page: Page
) -> None:
    a_console()
    page.emulate_media(color_scheme="dark")
    log_in(page, live_server)
    page.locator("#nav-sidebar-inner").get_by_role("link", name="Connections").click()
    active = page.locator("#nav-sidebar-apps a.active")
    colour = "e => getComputedStyle(e).color"
    assert active.evaluate(colour) == page.evaluate(
        "(() => { const e = document.createElement('a'); e.className = 'c-link';"
        " document.querySelector('main, body').append(e); return getComputedStyle(e).color })()"
    )


def test_long_names_end_in_dots_and_nothing_is_cut_off(live_server: LiveServer, page: Page) -> None:
    long = "An association of a very long name " * 4 + "and company"
    tenant = make_tenant("acme", name=long)
    ann = make_member(tenant, Role.ADMIN, username="ann", password=PASSWORD)
    make_membership(ann, make_tenant("globex", name=f"Other {long}"), Role.VIEWER)
    environment = make_environment(tenant, name=long[:100])
    config = make_config(environment)
    for number in range(3):
        integration = make_integration(tenant, f"api-{number}", name=f"{number} {long}")
        make_connection(integration, environment, config)
    log_in(page, live_server)
    expect(page.locator("#header-inner .c-name")).to_have_attribute("title", long)
    lists = {
        "authconfigs/authconfig": "Auth configs",
        "integrations/integration": "Integrations",
        "integrations/connection": "Connections",
        "tenants/environment": "Environments",
        "tenants/auditevent": "Activity",
    }
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for models, title in lists.items():
            page.goto(f"{live_server.url}/admin/{models}/")
            expect(page.locator(f"h{'1' if width == 1440 else '2'}:visible")).to_contain_text(title)
            cut = page.evaluate(
                "[document.documentElement, ...document.querySelectorAll('.simplebar-content-wrapper')]"
                ".some(e => e.scrollWidth > e.clientWidth + 1)"
                " || [...document.querySelectorAll('#result_list .data-row > *')]"
                ".some(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)"
            )
            assert not cut, (models, width)
    label = "getComputedStyle(document.querySelector('.field-when'), '::before').content"
    assert page.evaluate(label) == '"When"'


def test_account_and_sidebar_need_no_mouse(live_server: LiveServer, page: Page) -> None:
    a_console()
    log_in(page, live_server)
    account = page.locator(".c-account > summary")
    account.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("html.dark")).to_be_attached()
    sidebar = page.locator("#nav-sidebar-inner")
    for shown in (False, True):
        page.get_by_role("button", name="Menu", exact=True).press("Enter")
        expect(sidebar).to_be_visible(visible=shown)
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Menu", exact=True).press("Enter")
    expect(sidebar).to_be_visible()
    page.get_by_role("button", name="Close the menu").press("Enter")
    expect(sidebar).to_be_hidden()
