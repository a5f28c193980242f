"""Dialogs by keyboard: they open with the focus on what harms nothing, close without a trace, and confirm. And without the script."""

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from authconfigs.models import AuthConfig
from tenants.roles import Role
from tests.authconfigs.consoles import url
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import make_config, make_environment, make_member, make_tenant


def a_config() -> AuthConfig:
    tenant = make_tenant("acme", name="Acme Corp")
    make_member(tenant, Role.EDITOR, username="ann", password=PASSWORD)
    return make_config(make_environment(tenant))


def test_dialog_by_keyboard(live_server: LiveServer, page: Page) -> None:
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if "Policy" in each.text else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    config = a_config()
    log_in(page, live_server)
    page.goto(f"{live_server.url}{url('change', config.id)}")
    opener = page.get_by_role("button", name="Switch off", exact=True)
    dialog = page.get_by_role("dialog", name="Switch off billing?")
    cancel = dialog.get_by_role("button", name="Cancel")
    for leave in ("Escape", "Enter"):
        opener.focus()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        expect(dialog).to_contain_text("until it is switched on again")
        expect(cancel).to_be_focused()
        page.keyboard.press(leave)
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
    assert page.url.endswith(url("change", config.id))
    config.refresh_from_db()
    assert config.disabled_at is None

    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Switch off now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("billing is switched off")).to_be_visible()
    page.get_by_role("button", name="Switch on").press("Enter")
    expect(page.get_by_text("billing is switched on")).to_be_visible()
    assert not problems


def test_without_its_script_a_page_asks(live_server: LiveServer, page: Page) -> None:
    config = a_config()
    page.route("**/console/console*.js", lambda route: route.abort())
    log_in(page, live_server)
    page.goto(f"{live_server.url}{url('change', config.id)}")
    page.get_by_role("button", name="Switch off", exact=True).click()
    expect(page.get_by_text("until it is switched on again")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Switch off", exact=True).click()
    page.get_by_role("button", name="Switch off now").click()
    expect(page.get_by_text("billing is switched off")).to_be_visible()
