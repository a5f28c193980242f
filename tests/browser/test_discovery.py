"""Filling in a form from the provider, in a browser: what is filled in is marked, undone one by one, and saved by hand."""

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from authconfigs.models import AuthConfig
from integrations.demo.provider import Provider, accounts
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import make_environment, make_member, make_tenant

METHOD = "oauth2_authorization_code"


def test_form_is_filled_in_from_the_provider(live_server: LiveServer, page: Page) -> None:
    tenant = make_tenant()
    make_environment(tenant)
    make_member(tenant, Role.EDITOR, username="ann", password=PASSWORD)
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if "Policy" in each.text else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    box = page.get_by_role("group", name="Fill in from the provider")

    with Provider() as provider:
        log_in(page, live_server)
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(f"{live_server.url}/admin/authconfigs/authconfig/add/?method={METHOD}")
        page.locator("[name=name]").fill("billing")
        page.locator("[name=authorization_url]").fill("https://typed.example/authorize")

        box.get_by_role("textbox").fill("https://no-such-provider.invalid")
        box.get_by_role("textbox").press("Enter")
        expect(box.locator("[aria-live]")).to_contain_text("isn't known.")
        expect(box.locator("[aria-live]")).not_to_contain_text("(network)")
        expect(page.locator("[name=token_url]")).to_have_value("")

        box.get_by_role("textbox").fill(provider.base_url)
        box.get_by_role("textbox").press("Enter")
        expect(box.locator("[aria-live]")).to_contain_text(f"{provider.base_url} was found")
        expect(box).to_contain_text(
            f"Authorization URL: was https://typed.example/authorize, now {provider.base_url}/authorize"
        )
        expect(box).to_contain_text("Client authentication: stays Basic header")
        expect(page.locator("[name=revocation_url]")).to_be_visible()
        expect(page.locator("[name=issuer]")).to_have_value(provider.base_url)
        expect(page.locator("[name=refresh_url]")).to_have_value("")

        assert page.evaluate("document.documentElement.scrollWidth") <= 390

        page.locator("[name=authorization_url]").fill(f"{provider.base_url}/authorize?foo=bar")
        box.get_by_role("button", name="Look up").click()
        expect(box).to_contain_text(f"now {provider.base_url}/authorize?foo=bar")

        page.get_by_role("button", name="Undo: Revocation URL").press("Enter")
        expect(page.locator("[name=revocation_url]")).to_have_value("")
        page.get_by_role("button", name="reports", exact=True).click()
        page.get_by_role("button", name="orders", exact=True).press("Enter")
        page.get_by_role("button", name="reports", exact=True, pressed=True).click()
        expect(page.locator("[name=scope]")).to_have_value("orders")

        page.locator("[name=client_id]").fill(accounts.CLIENT.client_id)
        page.locator("[name=client_secret]").fill(accounts.CLIENT.secret)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("billing is saved")).to_be_visible()
    with tenant_scope(tenant.id):
        options = AuthConfig.objects.get(name="billing").credentials.get(slot="current").options
    assert options["token_url"] == provider.token_url
    assert options["authorization_url"] == f"{provider.base_url}/authorize?foo=bar"
    assert (options["revocation_url"], options["scope"]) == ("", "orders")
    assert not problems
