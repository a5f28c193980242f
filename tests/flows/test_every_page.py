"""What holds on every page of the console, whichever model it is of: walked, so that pages to come are held to it as well."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse, reverse_lazy
from django.utils.text import capfirst

from authconfigs.models import AuthConfig
from integrations.admin.integrations import SHOWN
from integrations.models import Connection, Integration
from tenants.models import Environment, Membership, Tenant
from tenants.roles import Role
from tenants.site import site
from tests.authconfigs.consoles import browser, html
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
from tests.tenants.crawler import address, routes

PASSWORD = "correct horse battery"


def filled(tenant: Tenant) -> list[Environment]:
    """Something in every list, and more connections than a cell shows."""
    integration = make_integration(tenant)
    environments = [make_environment(tenant, f"env-{number}") for number in range(SHOWN + 2)]
    for environment in environments:
        make_connection(integration, environment, make_config(environment))
    return environments


def platform_operator(tenant: Tenant) -> Client:
    client = Client()
    log_in(client, make_user(f"op-{uuid4().hex[:8]}", superuser=True), tenant=tenant)
    return client


def test_lists_say_what_they_are_and_show_no_markup_as_text(tenant: Tenant) -> None:
    filled(tenant)
    for model in site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        client = platform_operator(tenant) if model is Tenant else browser(tenant)
        page = client.get(reverse(name))
        assert page.status_code == 200
        assert not re.search(r"&lt;/?\w+", html(page)), name
        assert f"<title> {capfirst(model._meta.verbose_name_plural)} |" in " ".join(
            html(page).split()
        )
        assert re.search(r"\b\d+ rows?\s*</div>", html(page)), name
    assert "and 2 more" in html(
        browser(tenant).get(reverse("admin:integrations_integration_changelist"))
    )


def addresses(tenant: Tenant) -> list[str]:
    """Every address of this console, with the id of a row that it is about."""
    environment = make_environment(tenant)
    config = make_config(environment)
    connection = make_connection(make_integration(tenant), environment, config)
    person = make_member(tenant)
    rows = {
        AuthConfig: config,
        Connection: connection,
        Integration: connection.integration,
        Membership: Membership.objects.get(user=person),
        Tenant: tenant,
    }
    found = []
    for route in routes():
        ids = [str(row.pk) for model, row in rows.items() if f"/{model._meta.model_name}/" in route]
        wanted = str(config.pk) if "/of-config/" in route else next(iter(ids), "")
        found.append(address(route, wanted) if wanted or "<" not in route else "")
    return [each for each in found if each]


@pytest.fixture
def pressed(tenant: Tenant) -> list[str]:
    """The addresses of buttons: they take POST alone, and send a GET one up."""
    client = platform_operator(tenant)
    found = []
    for each in addresses(tenant):
        answer = client.get(each)
        if answer.status_code == 302 and answer["Location"] == "../":
            found.append(each)
    return found


def test_after_a_login_a_button_leads_to_the_page_that_it_stands_on(
    tenant: Tenant, pressed: list[str]
) -> None:
    operator = make_user("operator", superuser=True, password=PASSWORD)
    assert len(pressed) >= 12, pressed
    for each in pressed:
        client = Client()
        client.post(each)
        login = reverse("admin:login")
        typed = {"username": operator.username, "password": PASSWORD, "next": each}
        assert client.post(login, typed)["Location"] == each
        session = client.session
        session["tenant"] = str(tenant.id)
        session.save()
        page = client.get(each, follow=True)
        assert page.status_code == 200, each
        assert "Nothing was done yet" in html(page), each


@pytest.mark.parametrize(
    ("role", "protected", "says"),
    [
        (Role.ADMIN, False, reverse_lazy("admin:tenants_environment_add")),
        (Role.EDITOR, False, "Ask an admin of this tenant to make one"),
        (Role.EDITOR, True, "Every environment here is protected"),
    ],
)
def test_new_tenant_is_told_that_it_needs_an_environment(
    tenant: Tenant, role: Role, protected: bool, says: str
) -> None:
    make_integration(tenant)
    if protected:
        make_environment(tenant, "production", protected=True)
    client = browser(tenant, role)
    pages = (
        reverse("admin:index"),
        reverse("admin:authconfigs_authconfig_add") + "?method=bearer",
        reverse("admin:integrations_connection_add"),
    )
    # The sidebar leads to the list, not to the form.
    assert [str(says) in html(client.get(page)) for page in pages] == [True] * 3
    make_environment(tenant)
    assert [str(says) in html(client.get(page)) for page in pages] == [False] * 3


def test_id_that_cant_be_one_is_answered_as_one_that_isnt_there(tenant: Tenant) -> None:
    environment = make_environment(tenant)
    make_integration(tenant)
    add = reverse("admin:authconfigs_authconfig_add")
    place = reverse("admin:integrations_connection_add")
    client = browser(tenant)
    for wanted in ("nope", str(uuid4())):
        data = {"method": "bearer", "name": "x", "owner": wanted, "environment": wanted}
        page = html(client.post(add, posted(tenant, **data)))
        assert page.count("Choose one of the list.") == 2
        page += html(client.get(place, {"integration": wanted, "environment": str(environment.id)}))
        assert page.count("Choose one of the list.") == 3
        assert "UUID" not in page
