"""The editor of names and values: rows in place of JSON, secrets among them, by mouse and by keyboard."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from authconfigs.models import AuthConfig
from authconfigs.saving import current_credential
from tenants.models import Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.browser.test_setup_flow import PASSWORD, log_in
from tests.factories import make_config, make_environment, make_member, make_tenant

OPTIONS = {
    "token_url": "https://auth.example.com/token",
    "client_id": "console",
    "token_params": {"resource": ["https://a.example", "https://b.example"], "strict": True},
}
SECRETS = {"client_secret": "planted", "secret_token_params": {"api_key": "planted-a", "pin": "0"}}


def a_config(secrets: dict[str, Any] = SECRETS) -> None:
    tenant = make_tenant("acme", name="Acme Corp")
    make_member(tenant, Role.ADMIN, username="ann", password=PASSWORD)
    make_config(
        make_environment(tenant),
        method="oauth2_client_credentials",
        options=OPTIONS,
        secrets=secrets,
    )


def opened(page: Page, server: LiveServer) -> Locator:
    """The editor of the token parameters."""
    log_in(page, server)
    page.goto(f"{server.url}/admin/authconfigs/authconfig/")
    page.get_by_role("link", name="billing").click()
    return page.get_by_role("group", name="Extra token parameters")


def saved(page: Page) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is stored after a press of Save: ordinary and secret parameters."""
    page.get_by_role("button", name="Save").click()
    expect(
        page.get_by_text("is saved").or_(page.get_by_text("Nothing was changed"))
    ).to_be_visible()
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        credential = current_credential(AuthConfig.objects.get())
        secrets = credential.secrets.reveal()
    return credential.options["token_params"], secrets.get("secret_token_params", {})


def test_form_that_nobody_touched_changes_nothing(live_server: LiveServer, page: Page) -> None:
    a_config()
    editor = opened(page, live_server)
    expect(editor.get_by_label("name")).to_have_count(5)
    assert "planted" not in page.content()
    assert saved(page) == (OPTIONS["token_params"], SECRETS["secret_token_params"])
    expect(page.get_by_text("Nothing was changed")).to_be_visible()


def test_rows_are_added_changed_and_removed(live_server: LiveServer, page: Page) -> None:
    a_config()
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text) if "Policy" in each.text else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    editor = opened(page, live_server)
    editor.get_by_role("button", name="Remove resource").first.click()
    editor.get_by_role("button", name="Remove pin").click()
    key = editor.locator(".c-pair", has=page.get_by_role("button", name="Remove api_key"))
    expect(key.get_by_label("value")).to_have_attribute(
        "placeholder", "Set just now by system. Blank keeps it."
    )
    expect(key.get_by_label("name")).not_to_be_editable()

    editor.get_by_role("button", name="Add row").click()
    # The new row has the focus: the rest goes by keyboard alone.
    page.keyboard.type("realm")
    page.keyboard.press("Tab")
    page.keyboard.type("planted-c")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(editor.get_by_label("value").last).to_have_attribute("type", "password")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("strict")
    page.keyboard.press("Tab")
    page.keyboard.type("yes")

    assert saved(page) == (
        {"resource": ["https://b.example"], "strict": [True, "yes"]},
        {"api_key": "planted-a", "realm": "planted-c"},
    )
    assert not problems


def test_last_secret_row_that_goes_drops_the_secret(live_server: LiveServer, page: Page) -> None:
    a_config()
    editor = opened(page, live_server)
    for name in ("api_key", "pin"):
        editor.get_by_role("button", name=f"Remove {name}").click()
    assert saved(page) == (OPTIONS["token_params"], {})


def test_refused_rows_are_marked_and_stay(live_server: LiveServer, page: Page) -> None:
    a_config()
    editor = opened(page, live_server)
    editor.get_by_role("button", name="Add row").click()
    page.keyboard.type("grant_type")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("grant_type is set by the grant itself")).to_be_visible()
    expect(editor.get_by_label("name")).to_have_count(6)
    wrong = editor.locator("[aria-invalid=true]")
    expect(wrong).to_have_count(1)
    expect(wrong).to_have_value("grant_type")
    wrong.fill("")
    editor.locator(".c-pair", has=page.locator("[aria-invalid=true]")).get_by_label("value").fill(
        "x"
    )
    page.get_by_role("button", name="Save").click()
    expect(
        page.get_by_text("A value has no name: type one, or leave the value out")
    ).to_be_visible()
    expect(wrong).to_have_count(1)
    expect(wrong).to_have_value("")
    editor.get_by_role("button", name="Remove this row").click()
    assert saved(page) == (OPTIONS["token_params"], SECRETS["secret_token_params"])


def test_without_the_script_json_is_typed(live_server: LiveServer, page: Page) -> None:
    a_config()
    page.route("**/pairs.js", lambda route: route.abort())
    opened(page, live_server)
    expect(page.get_by_text("Stored: api_key, pin.")).to_be_visible()
    page.locator("[name=token_params]").fill("")
    page.locator("[name=secret_token_params]").fill('{"pin": null, "new": ["a", "b"]}')
    assert saved(page) == ({}, {"pin": "0", "new": ["a", "b"]})


@pytest.mark.parametrize("width", [1440, 390])
def test_section_is_closed_until_something_is_set(
    live_server: LiveServer, page: Page, width: int
) -> None:
    a_config({"client_secret": "planted"})
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, live_server)
    page.goto(
        f"{live_server.url}/admin/authconfigs/authconfig/add/?method=oauth2_authorization_code"
    )
    section = page.locator("details", has_text="Provider peculiarities").last
    expect(section.get_by_text("Token request", exact=True)).not_to_be_visible()
    section.locator("summary").click()
    for heading in ("Token request", "Token answer", "Where the token goes", "Consent"):
        expect(section.get_by_role("group", name=heading)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_summary_of_the_section_counts_what_is_set(live_server: LiveServer, page: Page) -> None:
    a_config()
    opened(page, live_server)
    # The token parameters are one, secret or not.
    expect(page.locator("summary", has_text="Provider peculiarities")).to_have_text(
        "Provider peculiarities (1 set)"
    )
    page.locator("[name=header_prefix]").fill("")
    page.locator("[name=expired_statuses]").fill("no status")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("summary", has_text="(3 set)")).to_be_visible()


NEW = "/admin/authconfigs/authconfig/add/?method=oauth2_client_credentials"


@pytest.mark.parametrize("script", [True, False])
def test_names_of_refused_secrets_are_given_back(
    live_server: LiveServer, page: Page, script: bool
) -> None:
    a_config({"client_secret": "planted"})
    log_in(page, live_server)
    if not script:
        page.route("**/pairs.js", lambda route: route.abort())
    page.goto(f"{live_server.url}{NEW}")
    page.locator("[name=name]").fill("No slug")
    page.locator("[name=token_url]").fill("https://auth.example.com/token")
    page.locator("[name=client_id]").fill("console")
    page.locator("summary").filter(has_text="Provider peculiarities").click()
    editor = page.get_by_role("group", name="Extra token parameters")
    secrets = page.locator("[name=secret_token_params]")
    if script:
        editor.get_by_role("button", name="Add row").click()
        page.keyboard.type("api_key")
        page.keyboard.press("Tab")
        page.keyboard.type("planted-typed")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    else:
        secrets.fill('{"api_key": "planted-typed"}')
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Nothing is saved yet")).to_be_visible()
    expect(page.get_by_text("Type the value of api_key again")).to_be_visible()
    assert "planted-typed" not in page.content()
    page.locator("[name=name]").fill("slug")
    if script:
        expect(editor.get_by_label("name")).to_have_value("api_key")
        expect(editor.get_by_label("Secret")).to_be_checked()
        value = editor.get_by_label("value")
        expect(value).to_have_value("")
        expect(value).to_have_attribute("placeholder", "Type the value again")
        expect(value).to_have_attribute("aria-invalid", "true")
    else:
        expect(secrets).to_have_value('{\n  "api_key": ""\n}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The value of api_key is empty: type it")).to_be_visible()
    if script:
        editor.get_by_label("value").fill("planted-again")
    else:
        secrets.fill('{"api_key": "planted-again"}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved")).to_be_visible()
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        credential = current_credential(AuthConfig.objects.get(name="slug"))
        assert credential.secrets.reveal()["secret_token_params"] == {"api_key": "planted-again"}


def test_stored_and_removed_secret_rows_outlive_a_refusal(
    live_server: LiveServer, page: Page
) -> None:
    a_config()
    editor = opened(page, live_server)
    editor.get_by_role("button", name="Remove pin").click()
    editor.get_by_label("value").last.fill("planted-changed")
    page.locator("[name=client_id]").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Type the value of api_key again")).to_be_visible()
    expect(editor.get_by_label("name")).to_have_count(4)
    assert "planted-changed" not in page.content()
    expect(editor.get_by_label("value").last).to_have_attribute(
        "placeholder", "Type the value again. Blank keeps the stored one."
    )
    page.locator("[name=client_id]").fill("console")
    assert saved(page) == (OPTIONS["token_params"], {"api_key": "planted-a"})
