"""The setup flow in a browser, per method: create, attach, test right, test wrong."""

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from integrations.demo.provider import Provider, accounts
from tenants.roles import Role
from tests.factories import make_environment, make_member, make_tenant

PASSWORD = "a-long-password-for-tests"
CLIENT = {"client_id": accounts.CLIENT.client_id, "client_secret": accounts.CLIENT.secret}

CODE = "OAuth 2.0 authorization code"

# What is typed (`{base}` is the provider), where the API is, the secret that is then typed wrong, and what the test says.
FLOWS: dict[str, tuple[dict[str, str], str, str, str]] = {
    "Bearer token": (
        {"token": accounts.BEARER_TOKEN},
        "/bearer",
        "token",
        "Wrong or missing credential",
    ),
    "API key": (
        {"key": accounts.API_KEY_HEADER, "value": accounts.API_KEY},
        "/key-header",
        "value",
        "Wrong or missing credential",
    ),
    "Basic": (
        {"username": accounts.BASIC_USERNAME, "password": accounts.BASIC_PASSWORD},
        "/basic",
        "password",
        "Wrong or missing credential",
    ),
    "OAuth 2.0 client credentials": (
        {"token_url": "{base}/token", **CLIENT},
        "/bearer",
        "client_secret",
        "Token endpoint config",
    ),
    "OAuth 2.0 password (legacy)": (
        {
            "token_url": "{base}/token",
            **CLIENT,
            "username": accounts.OAUTH_USERNAME,
            "password": accounts.OAUTH_PASSWORD,
        },
        "/bearer",
        "password",
        "Token endpoint config",
    ),
    CODE: (
        {
            "authorization_url": "{base}/authorize",
            "token_url": "{base}/token",
            **CLIENT,
            "scope": "profile reports",
        },
        "/bearer",
        "client_secret",
        "Token endpoint config",
    ),
}


def log_in(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/admin/")
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def create(page: Page, method: str, typed: Mapping[str, str]) -> None:
    page.locator("#nav-sidebar-inner").get_by_role("link", name="Authorization").click()
    page.get_by_role("link", name="New auth config").first.click()
    page.get_by_role("heading", name=method, exact=True).click()
    page.get_by_label("Name", exact=False).first.fill("billing")
    for name, value in typed.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("billing is saved")).to_be_visible()


def connect(page: Page) -> None:
    page.get_by_role("alert").get_by_role("link", name="billing").click()
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("heading", name="Connected")).to_be_visible()
    page.get_by_role("link", name="Back to billing").click()
    page.get_by_role("link", name="Billing API").click()


def attach(page: Page, base_url: str) -> None:
    page.get_by_role("link", name="Attach to an integration").click()
    page.get_by_role("link", name="Make one first").click()
    page.locator("[name=name]").fill("Billing API")
    page.locator("[name=slug]").fill("billing")
    page.get_by_role("button", name="Save").click()
    page.locator("[name=base_url]").fill(base_url)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The connection is saved")).to_be_visible()


@pytest.mark.parametrize("method", FLOWS)
def test_setup_flow(live_server: LiveServer, page: Page, method: str, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = live_server.url
    typed, path, secret, symptom = FLOWS[method]
    tenant = make_tenant("acme", name="Acme Corp")
    make_environment(tenant)
    make_member(tenant, Role.EDITOR, username="ann", password=PASSWORD)
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if "Policy" in each.text else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    with Provider() as provider:
        log_in(page, live_server)
        expect(page.locator("#header-inner").get_by_text("Acme Corp")).to_be_visible()
        create(
            page,
            method,
            {name: text.format(base=provider.base_url) for name, text in typed.items()},
        )
        attach(page, f"{provider.base_url}{path}")
        if method == CODE:
            connect(page)
        page.get_by_role("button", name="Test connection").click()
        expect(page.get_by_role("status")).to_contain_text("It works")

        page.get_by_role("link", name="billing", exact=True).click()
        page.locator(f"[name={secret}]").fill("invented")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text(symptom)
        expect(page.get_by_role("heading", name="What to check")).to_be_visible()
    assert not problems
