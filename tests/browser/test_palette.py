"""The command palette by keyboard alone."""

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_console import a_console
from tests.browser.test_setup_flow import log_in


def test_button_is_found_and_reached_by_keyboard(live_server: LiveServer, page: Page) -> None:
    a_console()
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    log_in(page, live_server)
    palette = page.get_by_role("dialog", name="Command palette")
    page.wait_for_url("**/admin/")
    box = palette.get_by_role("searchbox")
    expect(palette).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.type("test billing")
    results = palette.get_by_role("listitem")
    expect(results).to_have_count(4)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(palette.get_by_role("status")).to_contain_text("Production")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Test", exact=True)).to_be_focused()
    expect(page.locator("#content .c-env-protected")).to_contain_text("Production")
    # As fast as one types, and by the button of the sidebar.
    page.get_by_role("button", name="Find or do").click()
    expect(box).to_be_focused()
    page.keyboard.type("troubleshooting 401")
    page.keyboard.press("Enter")
    page.wait_for_url("**/help/**")
    assert not problems
