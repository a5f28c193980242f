"""Every error of every form, got by typing what is wrong: each names the field or what is wanted, and says how to mend it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django import forms
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from authconfigs import methods
from authconfigs.admin.forms import ConfigForms
from authconfigs.methods.base import AuthMethod
from authconfigs.outgoing import build_request
from authconfigs.saving import InvalidDraft, save_config
from integrations.admin.forms import ConnectionForm, IntegrationForm
from integrations.admin.places import PlaceForm
from integrations.admin.trying import CallForm
from integrations.saving import save_connection, save_integration
from tenants.models import Environment, Membership, Tenant
from tenants.password_links import make_link
from tenants.roles import Role
from tests.authconfigs.consoles import browser, html
from tests.authconfigs.methods.samples import SAMPLES, every_method
from tests.factories import (
    log_in,
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_user,
    posted,
)
from tests.flows.wording import faults

pytestmark = pytest.mark.walk

LONG = "x" * 30_000
# What people and programs type: nothing, too much, what can't be sent, what is something else.
WRONG = (
    "",
    " ",
    LONG,
    "a\nb",
    "\x00",
    "wrong value",
    "Ä_ö!",
    "-1",
    "0",
    "99999999999999999999",
    "200 x",
    "99",
    "700",
    "a:b",
    "Host: x",
    "X: a\x07b",
    "A: 1\na: 2",
    "A: 1\nA: 2",
    "ftp://a.example",
    "https://robin:pw@a.example",
    "https://a.example/#x",
    "https://a.example/?state=1",
    "https://",
    "https://a.example:99999",
    "http://[",
    "https://exa mple",
    "https://a.example/ü",
    "//other",
    "/../../x",
    "/a b",
    "/a#b",
    "/a\\b",
    "{",
    "[1]",
    '{"": "x"}',
    '{"x": {"y": 1}}',
    '{"x": [{}]}',
    '{"x": null}',
    '{"x": ""}',
    '{"x": "a", "x": "b"}',
    '{"x": "a\\u0007b"}',
    '{"a\\nb": "x"}',
    '{"grant_type": "x", "state": "x"}',
    '{"Host": "x"}',
    '{"access_token": "a..b"}',
    "Bearer abc",
    "Authorization: Bearer abc",
    "X-API-Key: abc",
    "2027-13-45",
    "robin@",
)


# Enough where a whole page is drawn for each.
# The long one last: of two passwords that are the same, it is a good one.
FEW = ("", "\x00", "wrong value", LONG)

Errors = Mapping[str, Any]
Found = dict[str, list[str]]
Typed = dict[str, str]


def unhelpful(errors: Errors) -> Found:
    """The errors that are no help, and why."""
    said = {f"{name}: {text}": faults(str(text)) for name in errors for text in errors[name]}
    return {text: why for text, why in said.items() if why}


def walk(judge: Callable[[Typed], Errors], good: Typed, names: list[str]) -> Found:
    """What is wrong with the errors of a form, each of its fields filled in wrongly by itself. Each has to refuse something."""
    found: Found = {}
    refused: set[str] = set()
    for name in names:
        for value in WRONG:
            errors = judge({**good, name: value})
            refused |= errors.keys()
            found |= unhelpful(errors)
    assert refused >= set(names)
    return found


def both(form: forms.BaseForm, save: Callable[[], object]) -> Errors:
    """What the form refuses, else what saving does."""
    try:
        if form.is_valid():
            save()
    except InvalidDraft as refused:
        return refused.errors
    return form.errors


def query(data: Typed) -> QueryDict:
    return QueryDict(urlencode(data))


@pytest.fixture
def place(tenant: Tenant) -> Environment:
    return make_environment(tenant)


@every_method
def test_fields_of_methods(method: AuthMethod) -> None:
    sample = SAMPLES[method.code]
    good = {**sample["options"], **sample["secrets"]}
    of_files: tuple[Any, ...] = (7, 1.5, True, [], {}, [None], {"x": None}, {5: "x"}, ["x", 5])
    found: Found = {}
    refused: set[str] = set()
    for name in method.Form.base_fields:
        for value in (*WRONG, *of_files):
            errors = method.Form({**good, name: value}).errors
            refused |= errors.keys()
            found |= unhelpful(errors)
    found |= unhelpful(method.Form({**good, "nothing_known": "x"}).errors)
    assert refused == method.Form.base_fields.keys()
    assert found == {}


def test_auth_config(tenant: Tenant, place: Environment) -> None:
    make_config(place, "taken")
    user = make_member(tenant)
    good = {
        "name": "taken",
        "environment": str(place.id),
        "token": "x",
        "header": "X",
        "prefix": "",
    }

    def judge(data: Typed) -> Errors:
        form = ConfigForms(methods.by_code("bearer"), user=user, data=query(data))
        return both(form.details, lambda: save_config(form.draft(), environment=place))

    names = ["name", "environment", "description", "rotate_by", "owner", "revision", "token"]
    assert walk(judge, good, names) == {}


def test_integration(tenant: Tenant) -> None:
    make_integration(tenant, "taken")

    def judge(data: Typed) -> Errors:
        form = IntegrationForm(query(data))
        return both(form, lambda: save_integration(form.draft()))

    good = {"name": "x", "slug": "taken", "headers": "", "query": ""}
    assert walk(judge, good, [*good, "seen"]) == {}


def test_connection(tenant: Tenant, place: Environment) -> None:
    user, integration = make_member(tenant), make_integration(tenant)
    make_connection(integration, place, name="taken")
    asked = {"integration": str(integration.id), "environment": str(place.id)}
    found = walk(lambda data: PlaceForm(data, user=user).errors, asked, [*asked, "config"])

    def judge(data: Typed) -> Errors:
        form = ConnectionForm(query(data), integration=integration, environment=place)
        saved = partial(save_connection, integration=integration, environment=place)
        return both(form, lambda: saved(form.draft()))

    good = {"name": "taken", "base_url": "https://a.example", "test_method": "GET"}
    names = sorted(ConnectionForm.base_fields.keys() - {"negative_control", "newest"})
    assert found | walk(judge, good, [*names, "auth_config"]) == {}


def test_try_a_request() -> None:
    def judge(data: Typed) -> Errors:
        form = CallForm(query(data), initial={}, unsafe=True)
        if not form.is_valid():
            return form.errors
        call = form.call()
        try:
            build_request(
                call.method, "https://a.example/v1", call.path, extra_headers=call.headers
            )
        except ValueError as refused:
            return {"path" if data["path"] else "headers": [str(refused)]}
        return {}

    good = {"method": "GET", "path": "", "headers": "", "body": ""}
    assert walk(judge, good, list(good)) == {}


def pages_say(post: Callable[[Typed], Any], good: Typed, names: list[str]) -> Found:
    """What is wrong with the errors that pages show: each field wrong by itself, and all at once. All of them are to be seen."""
    found: Found = {}
    wrongs = [{name: value} for name in names for value in FEW]
    for wrong in [*wrongs, *(dict.fromkeys(names, value) for value in FEW)]:
        page = post({**good, **wrong})
        shown = " ".join(unescape(strip_tags(html(page))).split()) if page.context else ""
        for form in forms_on(page):
            found |= unhelpful(form.errors)
            texts = (str(text) for errors in form.errors.values() for text in errors)
            found |= {
                text: ["isn't shown"] for text in texts if " ".join(text.split()) not in shown
            }
            found |= {phrase: ["is shown"] for phrase in ("Please correct",) if phrase in shown}
    return found


def forms_on(page: Any) -> Iterator[forms.BaseForm]:
    """The forms that a page was drawn with."""
    context = page.context or {}
    if "adminform" in context:
        yield context["adminform"].form
    elif "forms" in context:
        yield from (context["forms"].details, context["forms"].fields)
    elif context.get("form") is not None:
        yield context["form"]


def test_pages_of_configs_and_connections_show_their_errors(
    tenant: Tenant, place: Environment
) -> None:
    client, config = browser(tenant), make_config(place)
    connection = make_connection(make_integration(tenant), place, config)
    asked = {"integration": str(connection.integration_id), "environment": str(place.id)}

    def at(name: str, *ids: Any) -> Callable[[Typed], Any]:
        url = reverse(f"admin:{name}", args=ids)
        return lambda data: client.post(url, posted(tenant, **data))

    found = pages_say(
        at("authconfigs_authconfig_change", config.id), {"method": "bearer"}, ["name", "revision"]
    )
    found |= pages_say(at("integrations_integration_add"), {"headers": "x"}, ["slug"])
    found |= pages_say(
        at("integrations_integration_change", connection.integration_id), {"name": "x"}, ["seen"]
    )
    found |= pages_say(
        at("integrations_connection_change", connection.id), {"name": "x"}, ["revision_number"]
    )
    found |= pages_say(at("integrations_connection_try", connection.id), {"path": "x"}, ["headers"])
    add = reverse("admin:integrations_connection_add")
    found |= pages_say(lambda data: client.get(add, data), asked, ["config"])
    assert found == {}


def test_pages_of_the_tenant(tenant: Tenant, place: Environment) -> None:
    client = browser(tenant)
    person = Membership.objects.get(user=make_member(tenant, Role.VIEWER))

    def at(name: str, *ids: Any) -> Callable[[Typed], Any]:
        url = reverse(f"admin:tenants_{name}", args=ids)
        return lambda data: client.post(url, posted(tenant, **data))

    good = {"login": "viewer", "email": "", "role": "viewer"}
    found = pages_say(at("membership_add"), good, list(good))
    found |= pages_say(
        at("membership_change", person.pk), {**good, "is_active": "on"}, ["email", "role"]
    )
    good = {"slug": place.slug, "name": "x"}
    assert found | pages_say(at("environment_add"), good, list(good)) == {}


def test_pages_of_tenants_logins_and_passwords(tenant: Tenant, settings: Any) -> None:
    settings.AXES_ENABLED = False
    password = "right one 12"
    client = Client()
    typed = {"username": "robin", "password": "x"}
    login = reverse("admin:login")
    found = pages_say(lambda data: client.post(login, data), typed, list(typed))
    operator = make_user("operator", superuser=True, password=password)
    client.get(make_link(make_user("robin")).removeprefix(settings.PUBLIC_BASE_URL))
    link, new = reverse("set_password"), {"new_password1": "abc", "new_password2": "def"}
    found |= pages_say(lambda data: client.post(link, data), new, list(new))
    log_in(client, operator)
    tenants = reverse("admin:tenants_tenant_add")
    row = {"slug": tenant.slug, "name": "x"}
    found |= pages_say(lambda data: client.post(tenants, data), row, list(row))
    own = reverse("admin:password_change")
    for weak in ("12345678", "password", "operator1"):
        typed = {"old_password": password, "new_password1": weak, "new_password2": weak}
        found |= pages_say(
            lambda data: client.post(own, data), typed, ["old_password", "new_password2"]
        )
    assert found == {}
