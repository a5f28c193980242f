"""The life of a connection in a browser: connected, with fewer scopes, proven, withdrawn at the provider, connected again."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from integrations.demo.provider import Provider
from tenants.roles import Role
from tests.authconfigs.consoles import url
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import make_member
from tests.integrations.wired import the_config, wired_oauth


@pytest.mark.django_db(transaction=True)
def test_connection_lives_is_withdrawn_and_lives_again(
    live_server: LiveServer, page: Page, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = live_server.url
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if "Policy" in each.text else None)
    with Provider() as provider:
        wired_oauth(provider, grant="authorization_code", options={"scope": "reports orders"})
        config = the_config()
        make_member(config.tenant, Role.EDITOR, username="ann", password=PASSWORD)
        log_in(page, live_server)
        home = f"{live_server.url}{url('change', config.id)}"

        def press(name: str) -> None:
            page.get_by_role("button", name=name, exact=True).click()

        def consent(answer: str) -> None:
            page.get_by_role("button", name=answer, exact=True).click()
            expect(page.get_by_role("heading", name="Connected")).to_be_visible()
            page.get_by_role("link", name="Back to crm").click()

        page.goto(home)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Not connected")
        press("Connect")
        consent("Allow all but orders")
        expect(alert).to_have_count(0)
        expect(page.get_by_text("orders is missing").first).to_be_visible()
        expect(page.get_by_text("by ann").first).to_be_visible()

        press("Simulate expiry")
        press("Simulate it now")
        expect(page.get_by_text("The token now looks expired")).to_be_visible()
        press("Refresh token")
        expect(page.get_by_text("Refresh works: obtained")).to_be_visible()

        page.goto(f"{provider.base_url}/connected")
        press("Withdraw")
        expect(page.get_by_text("None at present.")).to_be_visible()
        page.goto(home)
        press("Refresh token")
        expect(alert).to_contain_text("Needs reauthorization")
        page.goto(live_server.url)
        expect(page.get_by_text("Needs reauthorization")).to_be_visible()
        page.get_by_role("link", name="crm", exact=True).first.click()
        press("Connect again")
        consent("Allow")
        expect(alert).to_have_count(0)
        expect(page.get_by_text("is missing")).to_have_count(0)
        page.get_by_role("link", name="All", exact=True).click()
        expect(page.get_by_text("Then: needs reauthorization.")).to_be_visible()
    assert not problems
