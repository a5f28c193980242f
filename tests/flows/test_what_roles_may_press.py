"""Whatever a role is shown, it may follow or press; whatever it is refused, the page says who may."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import ConnectionTest
from tenants.models import Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tenants.site import site
from tests.authconfigs.consoles import browser, html
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_tenant,
    make_user,
    posted,
)
from tests.tenants.crawler import address, routes, takes_an_id

pytestmark = pytest.mark.walk

NOBODY_LISTENS = "http://127.0.0.1:9"
CODE = {
    "client_id": "console",
    "authorization_url": f"{NOBODY_LISTENS}/authorize",
    "token_url": f"{NOBODY_LISTENS}/token",
}
# These are everybody's, and end the walk.
LEFT_OUT = ("/admin/logout/", "/switch-tenant/", "/static/", "/admin/password_change/")


@dataclass
class Form:
    action: str
    method: str
    data: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)


class Shown(HTMLParser):
    """The links and the forms of a page."""

    def __init__(self, page: str, address: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._at, self._select, self._inside = address, "", False
        self.feed(page)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in pairs}
        if tag == "a" and given.get("href"):
            self.links.append(urljoin(self._at, given["href"]))
        if tag == "form":
            action = urljoin(self._at, given.get("action") or self._at)
            self.forms.append(Form(action, given.get("method", "get").lower()))
            self._inside = True
        if not self._inside:
            return
        form = self.forms[-1]
        if tag == "input" and given.get("type") != "submit" and given.get("name"):
            form.data.setdefault(given["name"], given.get("value", ""))
        if tag == "select":
            self._select = given.get("name", "")
        if tag == "option" and self._select == "action" and given.get("value"):
            form.actions.append(given["value"])
        if (tag == "button" and given.get("type", "submit") == "submit") or (
            tag == "input" and given.get("type") == "submit"
        ):
            own = {given["name"]: given.get("value", "")} if given.get("name") else {}
            form.buttons.append((urljoin(self._at, given.get("formaction") or form.action), own))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def furnished(tenant: Tenant) -> None:
    """A row of every kind that pages show buttons for, in an unprotected and in a protected environment."""
    integration = make_integration(tenant)
    for slug, protected in (("staging", False), ("production", True)):
        environment = make_environment(tenant, slug, protected=protected)
        config = make_config(environment)
        connection = make_connection(integration, environment, config, base_url=NOBODY_LISTENS)
        secrets = {"client_secret": "planted-secret", "refresh_token": "planted-refresh-token"}
        method = "oauth2_authorization_code"
        make_config(environment, "calendar", method=method, options=CODE, secrets=secrets)
        with tenant_scope(tenant.id):
            ConnectionTest.objects.create(
                connection=connection,
                config=config,
                ok=False,
                symptom="network",
                stage="connect",
                duration_ms=1,
            )


def walked(client: Client) -> Iterator[tuple[str, Shown]]:
    """Every page that links lead to from the first one; of a form to add something, one for each set of parameters."""
    waiting, seen = ["/admin/"], set()
    while waiting:
        asked = waiting.pop(0)
        parts = urlsplit(asked)
        names = frozenset(name for name, _ in parse_qsl(parts.query))
        key = parts.path, names if parts.path.endswith("/add/") else frozenset()
        if key in seen or parts.netloc or not parts.path.startswith("/admin/"):
            continue
        if parts.path.startswith(LEFT_OUT):
            continue
        seen.add(key)
        answer = client.get(asked, follow=True)
        assert answer.status_code == 200, asked
        if "html" not in answer["Content-Type"]:
            continue
        shown = Shown(html(answer), asked)
        waiting += [*shown.links, *(form.action for form in shown.forms if form.method == "get")]
        yield asked, shown


def presses(shown: Shown) -> Iterator[tuple[str, dict[str, str]]]:
    """What the page's buttons send: the address, and the fields as they are drawn."""
    for form in shown.forms:
        if form.method != "post":
            continue
        for action, own in form.buttons:
            if not action.startswith(LEFT_OUT):
                yield action, {**form.data, **own}
        for name in form.actions:
            yield form.action, {**form.data, "action": name, "index": "0"}


@pytest.mark.parametrize("role", list(Role))
def test_every_link_and_button_is_for_the_role_that_sees_it(tenant: Tenant, role: Role) -> None:
    furnished(tenant)
    make_member(tenant, Role.EDITOR)
    client = browser(tenant, role)
    pages = list(walked(client))
    buttons = {
        (action, tuple(sorted(data.items()))): data
        for _, shown in pages
        for action, data in presses(shown)
    }
    # Deleting comes last: the others need what it takes away.
    for (action, _), data in sorted(buttons.items(), key=lambda each: "/delete/" in each[0][0]):
        assert client.post(action, data).status_code != 403, (role, action)
    pressed = {action.rstrip("/").rpartition("/")[2] for action, _ in buttons}
    assert len(pages) > 20
    assert pressed >= {
        Role.VIEWER: set(),
        Role.OPERATOR: {"test", "refresh", "test-all", "try"},
        Role.EDITOR: {"test", "refresh", "switch", "connect", "disconnect", "delete", "add"},
        Role.ADMIN: {"test", "refresh", "switch", "connect", "disconnect", "delete", "password-link"},
    }[role]  # fmt: skip
    assert role is not Role.VIEWER or not pressed


def every_address(tenant: Tenant) -> Iterator[str]:
    """Every address of pages of rows, with the id of one; of a protected environment where rows have one."""
    for model in site._registry:
        if model is Tenant:
            continue
        rows = model._base_manager.filter(tenant_id=tenant.id)
        if "environment" in {column.name for column in model._meta.fields if column.is_relation}:
            rows = rows.filter(environment__protected=True)
        row = rows.first()
        for route in routes():
            if f"/{model._meta.app_label}/{model._meta.model_name}/" not in route:
                continue
            if not takes_an_id(route):
                yield route
            elif row is not None:
                yield address(route, str(row.pk))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.EDITOR])
def test_what_is_refused_says_who_may_and_whom_to_ask(tenant: Tenant, role: Role) -> None:
    furnished(tenant)
    make_member(tenant, Role.EDITOR, username="eve")
    make_member(tenant, username="boss")
    make_member(tenant, username="gone", active=False)
    make_member(make_tenant("globex"), username="stranger")
    client, admin = browser(tenant, role), browser(tenant)
    # What admins are refused, too, nobody does by hand: an audit line isn't added.
    addresses = [each for each in every_address(tenant) if admin.get(each).status_code != 403]
    refused = []
    for each in addresses:
        answer = client.get(each)
        if answer.status_code != 403:
            answer = client.post(each, posted(tenant, post="yes"))
        if answer.status_code != 403:
            continue
        refused.append(each)
        text = " ".join(html(answer).split())
        only_admins = "Only admins may" in text
        assert only_admins or "Only editors and admins may" in text or "Only operators, " in text, (
            each
        )
        assert ("which is protected" in text) <= only_admins, each
        assert f"Your role in <strong>Acme</strong> is {role}." in text, each
        assert "<li>boss <span" in text, each
        assert ("<li>eve <span" in text) != only_admins, each
        assert "gone" not in text, each
        assert "stranger" not in text, each
        if each == "/admin/tenants/membership/":
            assert "Only admins may see staff." in text
    assert len(refused) > 12


def test_whoever_works_in_no_tenant_is_told_no_names(tenant: Tenant) -> None:
    make_member(tenant, username="boss")
    text = html(browser(tenant, Role.VIEWER).get(reverse("admin:tenants_tenant_changelist")))
    assert "You may not do this" in text
    assert "boss" in text
    client = Client()
    log_in(client, make_user("nobody"))
    assert "boss" not in html(client.get("/admin/"))
