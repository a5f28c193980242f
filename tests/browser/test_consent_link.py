"""Ways to a provider: a consent link in the browser of somebody who has no login, and providers that lead on elsewhere."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from integrations.demo.provider import Provider
from tenants.roles import Role
from tests.authconfigs.authorization.journeys import code_config
from tests.authconfigs.authorization.test_recipients import attach, editor_of
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import make_member
from tests.servers.leading_on import leading_on_to


def test_copied_link_connects_from_another_browser_once(
    live_server: LiveServer, page: Page, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = live_server.url
    assert page.context.browser
    stranger = page.context.browser.new_page()
    problems: list[str] = []
    for one in (page, stranger):
        one.on(
            "console", lambda each: problems.append(each.text) if "Policy" in each.text else None
        )
        one.on("pageerror", lambda error: problems.append(str(error)))
    with Provider() as provider, leading_on_to(provider.base_url) as first:
        config = code_config(provider, authorization_url=f"{first}/authorize")
        provider.switches.consent = "ask"
        make_member(config.tenant, Role.EDITOR, username="ann", password=PASSWORD)
        log_in(page, live_server)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{live_server.url}/admin/authconfigs/authconfig/{config.id}/change/")
        page.get_by_role("button", name="Hand out a consent link").click()
        page.get_by_role("button", name="Copy link").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        link = page.evaluate("navigator.clipboard.readText()")

        stranger.goto(link)
        expect(
            stranger.get_by_role("definition").filter(has_text="orders, reports")
        ).to_be_visible()
        stranger.get_by_role("button", name="Go to the provider").click()
        stranger.get_by_role("button", name="Allow", exact=True).click()
        expect(stranger.get_by_role("heading", name="Connected")).to_be_visible()
        assert "code" not in stranger.url.partition("?")[2]
        stranger.goto(link)
        expect(
            stranger.get_by_text("if you gave your consent then, there is nothing more to do")
        ).to_be_visible()
    page.get_by_role("link", name="Back to crm").click()
    expect(page.get_by_text("by consent link of ann").first).to_be_visible()
    assert problems == []


@pytest.mark.parametrize("script", [True, False])
def test_connect_reaches_a_provider(
    live_server: LiveServer, page: Page, settings: Any, script: bool
) -> None:
    """With the page's script also one that leads on to another host: browsers drop that redirect of a form."""
    settings.PUBLIC_BASE_URL = live_server.url
    with Provider() as provider, leading_on_to(provider.base_url) as first:
        asked = first if script else provider.base_url
        config = code_config(provider, authorization_url=f"{asked}/authorize")
        provider.switches.consent = "ask"
        make_member(config.tenant, Role.EDITOR, username="ann", password=PASSWORD)
        log_in(page, live_server)
        if not script:
            page.route("**/console.js", lambda route: route.abort())
        page.goto(f"{live_server.url}/admin/authconfigs/authconfig/{config.id}/change/")
        page.get_by_role("button", name="Connect", exact=True).click()
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page.get_by_role("heading", name="Connected")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_question_where_tokens_go_leads_on_once_it_is_answered(
    live_server: LiveServer, page: Page, settings: Any, script: bool
) -> None:
    settings.PUBLIC_BASE_URL = live_server.url
    with Provider() as provider:
        config = code_config(provider)
        attach(config, editor_of(config))
        provider.switches.consent = "ask"
        make_member(config.tenant, Role.ADMIN, username="ann", password=PASSWORD)
        log_in(page, live_server)
        if not script:
            page.route("**/console.js", lambda route: route.abort())
        page.goto(f"{live_server.url}/admin/authconfigs/authconfig/{config.id}/change/")
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(page.get_by_role("heading", name="Somebody else decided")).to_be_visible()
        page.get_by_role("button", name="Confirm and connect").click()
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page.get_by_role("heading", name="Connected")).to_be_visible()
