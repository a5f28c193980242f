"""Every field says what it is, in the provider's words, and shows an example: read from the pages as they are drawn."""

import re
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.test import Client
from django.urls import reverse

from authconfigs.admin.forms import ConfigForms
from authconfigs.methods import METHODS
from tenants.models import Membership, Tenant
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.authconfigs.consoles import browser
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

APPS = ("tenants", "authconfigs", "integrations")
# One's own login and password, asked for before there is a console or beside it.
BEFORE_THE_CONSOLE = {"LoginForm", "OwnPasswordForm", "WordedPasswords", "_PasswordForm"}
# What no example may look like: a run of letters and digits as only machines make it.
LIKE_A_SECRET = re.compile(r"\.\.\.|…|\b(?=\w*\d)(?=\w*[A-Za-z])\w{9,}")


def pages(tenant: Tenant) -> Iterator[Any]:
    """The answers of every page of the console that has a form."""
    environment, integration = make_environment(tenant), make_integration(tenant)
    config = make_config(environment)
    connection = make_connection(integration, environment, config)
    make_member(tenant, Role.VIEWER, username="colleague")
    with tenant_scope(tenant.id):
        person = Membership.objects.get(user__username="colleague")
    admin, operator = browser(tenant), Client()
    log_in(operator, make_user(f"op-{uuid4().hex[:8]}", superuser=True), tenant=tenant)

    def at(name: str, *ids: Any, **asked: Any) -> Any:
        return admin.get(reverse(f"admin:{name}", args=ids), asked)

    for method in METHODS:
        yield at("authconfigs_authconfig_add", method=method.code)
    yield at("authconfigs_authconfig_change", config.id)
    yield at("integrations_integration_add")
    yield at("integrations_integration_change", integration.id)
    yield at("integrations_connection_add")
    place = {"integration": integration.id, "environment": environment.id}
    yield at("integrations_connection_add", **place)
    yield at("integrations_connection_change", connection.id)
    yield at("integrations_connection_try", connection.id)
    yield at("tenants_membership_add")
    yield at("tenants_membership_change", person.pk)
    yield at("tenants_environment_add")
    yield at("tenants_environment_change", environment.id)
    yield operator.get(reverse("admin:tenants_tenant_add"))
    # Another address asks for the secrets again, in fields of their own.
    moved = {"base_url": "https://other.example.com", "auth_config": str(config.id)}
    typed = {"name": "default", "test_method": "GET", **moved}
    yield admin.post(
        reverse("admin:integrations_connection_change", args=[connection.id]),
        posted(tenant, **typed),
    )


def forms_of(page: Any) -> Iterator[forms.BaseForm]:
    """The forms that a page was drawn from."""
    for drawn in page.context:
        for layer in drawn.dicts if hasattr(drawn, "dicts") else [drawn]:
            for value in layer.values():
                if isinstance(value, ConfigForms):
                    yield value.details
                    yield value.fields
                elif isinstance(value, AdminForm):
                    yield value.form
                elif isinstance(value, forms.BaseForm) and _is_ours(type(value)):
                    yield value


def _is_ours(form: type[forms.BaseForm]) -> bool:
    return any(base.__module__.split(".")[0] in APPS for base in form.__mro__)


def declared(form: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    """The form classes of our modules; those that are made for a request aren't among them."""
    for each in form.__subclasses__():
        module = sys.modules[each.__module__]
        if each.__module__.split(".")[0] in APPS and getattr(module, each.__name__, 0) is each:
            yield each
        yield from declared(each)


def lacks(bound: forms.BoundField) -> str:
    """What the help of a field doesn't say, or nothing."""
    field, text = bound.field, str(bound.help_text)
    if isinstance(field, forms.BooleanField) or bound.is_hidden:
        return ""
    if text.count(" ") < 3 or not text.endswith("."):
        return "a sentence"
    if LIKE_A_SECRET.search(text):
        return "an example that can't be taken for a secret"
    if getattr(field, "secret", False) or isinstance(field.widget, forms.PasswordInput):
        return "" if "provider" in text and "e.g." not in text else "where a secret is found"
    # What can be chosen is its own example.
    if isinstance(field, forms.ChoiceField) or "e.g. " in text:
        return ""
    return "an example"


def test_every_field_says_what_it_is_and_shows_an_example(tenant: Tenant) -> None:
    met: set[type] = set()
    seen: set[str] = set()
    missing = {}
    for page in pages(tenant):
        assert page.status_code == 200
        text = page.content.decode()
        for form in forms_of(page):
            met.update(type(form).__mro__)
            for bound in form:
                name = f"{type(form).__name__}.{bound.name}"
                seen.add(name)
                if lack := lacks(bound):
                    missing[name] = f"{lack}: {bound.help_text}"
                if bound.help_text and not bound.is_hidden:
                    tied = f'id="{bound.id_for_label}_helptext"'
                    assert text.count(tied) == 1, f"{name} isn't tied to its help"
    assert missing == {}
    assert "ConnectionForm.secret-token" in seen
    assert {form.__name__ for form in set(declared()) - met} == BEFORE_THE_CONSOLE
