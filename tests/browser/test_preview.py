"""The preview changes while somebody types, and what is typed into a secret stays in the browser."""

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tenants.roles import Role
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import make_config, make_environment, make_member, make_tenant

METHOD = "oauth2_client_credentials"


def test_preview_follows_what_is_typed_and_no_typed_secret_leaves(
    live_server: LiveServer, page: Page
) -> None:
    tenant = make_tenant()
    config = make_config(make_environment(tenant))
    make_member(tenant, Role.EDITOR, username="ann", password=PASSWORD)
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.post_data or ""))
    preview = page.locator("#preview")

    log_in(page, live_server)
    asked.clear()
    page.goto(f"{live_server.url}/admin/authconfigs/authconfig/{config.id}/change/")
    expect(preview).to_contain_text("Authorization: Bearer ••••")
    expect(preview).to_contain_text("until somebody replaces it")
    page.locator("[name=header]").fill("X-Auth-Token")
    page.locator("[name=token]").fill("planted-typed")
    page.locator("[name=rotate_by]").fill("2031-01-31")
    expect(preview).to_contain_text("X-Auth-Token: Bearer ••••")
    expect(preview).not_to_contain_text("until somebody replaces it")
    page.locator("[name=header]").fill("no header")
    expect(preview).to_contain_text("A header name has no blanks")

    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{live_server.url}/admin/authconfigs/authconfig/add/?method={METHOD}")
    expect(preview).to_contain_text("Still to fill in: Token URL, Client ID.")
    page.locator("[name=token_url]").fill("http://auth.example.com/token")
    page.locator("[name=client_id]").fill("console")
    expect(preview).to_contain_text("client_id=console")
    expect(preview).to_contain_text("can be read on the way")
    page.locator("[name=client_secret]").fill("planted-typed")
    expect(preview).to_contain_text("Authorization: Basic ••••")
    expect(preview).not_to_contain_text("client_id=console")

    page.get_by_text("Provider peculiarities").click()
    page.get_by_role("button", name="Add row").first.click()
    row = page.locator(".c-pair").first
    row.get_by_label("name").fill("api_key")
    row.get_by_role("checkbox").check()
    row.locator("input[type=password]").fill("planted-typed")
    expect(preview).to_contain_text("api_key=••••")
    row.get_by_role("button", name="Remove").click()
    expect(preview).not_to_contain_text("api_key")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert [each for each in asked if "client_id=console" in each]
    assert not [each for each in asked if "planted" in each]
    assert not problems
