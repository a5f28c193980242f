"""The box about the background work, as a browser fills it."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from authconfigs.beat import Part, give_sign
from tenants.roles import Role
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import make_member, make_tenant


@pytest.mark.django_db(transaction=True)
def test_queue_that_is_down_is_said_within_five_seconds(
    live_server: LiveServer, page: Page, settings: Any, tmp_path: Path
) -> None:
    make_member(make_tenant(), Role.VIEWER, username="ann", password=PASSWORD)
    give_sign(Part.BEAT)
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if "Policy" in each.text else None)
    log_in(page, live_server)
    box = page.get_by_role("status")
    expect(box).to_contain_text("Available")
    expect(box).to_contain_text("Running")
    settings.BROKER_DIR = tmp_path / "file"
    settings.BROKER_DIR.touch()
    page.reload()
    expect(box).to_contain_text("Queue unavailable")

    # Nobody answers: the browser says it by itself, and the page stands.
    page.route("**/admin/health/", lambda route: None)
    page.reload()
    expect(box).to_contain_text("Asking")
    expect(box).to_contain_text("no answer came within 5 seconds", timeout=6000)
    assert not problems
