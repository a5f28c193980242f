"""The page on which a method is chosen: questions beside the cards, all of it links."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from authconfigs.methods import METHODS, by_code
from tenants.models import Tenant
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html, url
from tests.authconfigs.methods.test_questions import ends
from tests.factories import make_config, make_environment


def links(page: str) -> dict[str, str]:
    """Addresses of the page's content, by what the links say."""
    content = page.partition('id="questions"')[2]
    found = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', content, re.DOTALL)
    return {
        " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()): unescape(to)
        for to, text in found
    }


def follow(client: Client, page: str, text: str, *, base: str) -> str:
    found = links(page)
    (address,) = [to for name, to in found.items() if name.startswith(text)]
    return html(client.get(base + address.partition("#")[0] if address[0] == "?" else address))


def test_questions_lead_to_a_form_in_three_clicks(tenant: Tenant) -> None:
    make_environment(tenant)
    client, base = browser(tenant), url("add")
    page = html(client.get(base))
    assert "What did the provider give you?" in page
    page = follow(client, page, "A key, and the name", base=base)
    assert "Where does the documentation put the key?" in page
    page = follow(client, page, "In the URL", base=base)
    page = follow(client, page, "Use API key", base=base)
    assert 'name="placement"' in page


def test_recommendation_marks_its_card_and_leaves_the_others(tenant: Tenant) -> None:
    client = browser(tenant)
    for path, found in ends():
        page = html(client.get(url("add"), {"answers": path}))
        cards = re.findall(r'<a class="c-card( c-chosen)?" href="([^"]+)"', page)
        assert len(cards) == len(METHODS)
        (chosen,) = [to for mark, to in cards if mark]
        assert f"method={found.method}" in chosen
        assert page.count("Fits your answers") == 1
        assert found.reason in unescape(page)
        assert f"Use {by_code(found.method).label}" in links(page)


def test_answers_can_be_changed(tenant: Tenant) -> None:
    client, base = browser(tenant), url("add")
    page = html(client.get(base, {"answers": "key.url"}))
    back = follow(client, page, "Change : Where does", base=base)
    assert "Where does the documentation put the key?" in back
    assert "Use API key" not in back


@pytest.mark.parametrize("answers", ["", "key", "key.url"])
def test_environment_is_carried_through_every_link(tenant: Tenant, answers: str) -> None:
    asked = {"environment": "a b&c", "answers": answers}
    page = html(browser(tenant).get(url("add"), asked))
    leading_on = {name: to for name, to in links(page).items() if "?" in to}
    assert len(leading_on) > len(METHODS)
    for name, to in leading_on.items():
        assert "environment=a+b%26c" in to, name


def test_another_method_for_a_config_is_asked_for_in_the_same_way(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    client, base = browser(tenant), url("method", config.id)
    page = follow(client, html(client.get(base)), "One token", base=base)
    assert links(page)["Use Bearer token"] == f"{url('change', config.id)}?method=bearer"
    assert any(name.startswith("Bearer token (now)") for name in links(page))


def test_what_the_operator_switched_off_is_said(tenant: Tenant, settings: Any) -> None:
    settings.OAUTH_PASSWORD_GRANT = False
    page = html(browser(tenant).get(url("add"), {"answers": "user.tokens"}))
    assert "Who is the password handed to?" in page
    assert "To a token URL" not in page
    assert "OAuth 2.0 password (legacy) isn't among the answers" in unescape(page)


def test_viewer_is_asked_nothing(tenant: Tenant) -> None:
    config = make_config(make_environment(tenant))
    asked = {"answers": "key"}
    assert browser(tenant, Role.VIEWER).get(url("method", config.id), asked).status_code == 403
