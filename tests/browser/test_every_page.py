"""Every page of the console in a browser: accessible, self-contained, without errors, and steady on a phone."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.full_console import come_in, full_console, is_page, pages
from tests.browser.looking import looking

# So many tests share the pages among them.
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_pages_are_accessible_self_contained_and_steady(
    live_server: LiveServer, page: Page, part: int
) -> None:
    tenant = full_console()
    client = come_in(page, live_server.url, "acme-admin", tenant=tenant)
    looked_at = 0
    with looking(page, live_server.url) as looker:
        for alternatives in pages(tenant)[part::PARTS]:
            address = next((each for each in alternatives if is_page(client, each)), None)
            if address is not None:
                looker.open(address)
                looked_at += 1
    assert looked_at > 15
