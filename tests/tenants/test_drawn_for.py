import re

import pytest
from django import forms
from django.test import Client, RequestFactory

from tenants.drawn_for import typed_values
from tenants.models import AuditEvent, Environment, Tenant
from tenants.scope import tenant_scope
from tests.factories import (
    log_in,
    make_environment,
    make_member,
    make_membership,
    make_tenant,
    posted,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.pages")]

ADD = "/admin/tenants/environment/add/"


def two_tabs(client: Client) -> tuple[Tenant, Tenant]:
    """An admin of both tenants, who drew a form in acme and then switched to globex."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_member(acme)
    make_membership(user, globex)
    log_in(client, user, tenant=acme)
    client.get(ADD)
    client.post("/switch-tenant/", {"tenant": str(globex.id)})
    return acme, globex


def names(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant.id):
        return list(Environment.objects.values_list("slug", flat=True))


def test_every_form_that_posts_says_its_tenant(client: Client) -> None:
    acme = make_tenant("acme")
    environment = make_environment(acme)
    log_in(client, make_member(acme))
    for address in (
        ADD,
        f"/admin/tenants/environment/{environment.id}/change/",
        f"/admin/tenants/environment/{environment.id}/delete/",
        "/admin/tenants/environment/",
        "/admin/password_change/",
    ):
        page = client.get(address).content.decode()
        posting = re.findall(r"<form[^>]*method=\"post\".*?</form>", page, re.DOTALL)
        assert posting
        for form in posting:
            assert f'name="_tenant" value="{acme.id}"' in form, address


def test_a_form_posted_for_its_own_tenant_is_saved(client: Client) -> None:
    acme, _ = two_tabs(client)
    client.post("/switch-tenant/", {"tenant": str(acme.id)})
    assert client.post(ADD, posted(acme, slug="staging", name="Staging")).status_code == 302
    assert names(acme) == ["staging"]


def test_a_form_of_one_tenant_saves_nothing_in_another(client: Client) -> None:
    acme, globex = two_tabs(client)
    answer = client.post(ADD, posted(acme, slug="staging", name="Typed name"))
    assert answer.status_code == 409
    assert names(acme) == names(globex) == []


def test_the_refusal_says_so_and_keeps_what_was_typed(client: Client) -> None:
    acme, _ = two_tabs(client)
    answer = client.post(ADD, posted(acme, slug="staging", name="Typed <name>"))
    page = answer.content.decode()
    assert "Nothing was saved" in page
    assert "Acme" in page
    assert "Globex" in page
    assert "Typed &lt;name&gt;" in page


def test_a_change_and_a_deletion_are_refused_too(client: Client) -> None:
    acme, globex = two_tabs(client)
    environment = make_environment(globex)
    address = f"/admin/tenants/environment/{environment.id}/"
    assert client.post(f"{address}change/", posted(acme, name="X")).status_code == 409
    assert client.post(f"{address}delete/", posted(acme, post="yes")).status_code == 409
    assert names(globex) == ["staging"]


def test_a_post_that_names_no_tenant_is_refused(client: Client) -> None:
    _, globex = two_tabs(client)
    assert client.post(ADD, {"slug": "staging", "name": "Staging"}).status_code == 409
    assert client.post(ADD, {"_tenant": "x", "slug": "staging"}).status_code == 409
    assert names(globex) == []


def test_a_tenant_that_the_user_doesnt_know_isnt_named(client: Client) -> None:
    two_tabs(client)
    foreign = make_tenant("initech")
    page = client.post(ADD, posted(foreign, slug="staging")).content.decode()
    assert "Initech" not in page


def test_the_refusal_is_recorded(client: Client) -> None:
    acme, globex = two_tabs(client)
    client.post(ADD, posted(acme, slug="staging"))
    with tenant_scope(globex.id):
        assert AuditEvent.objects.get(action="refused").outcome == "form of another tenant"


def test_secrets_are_not_shown_again() -> None:
    class Method(forms.Form):
        header = forms.CharField()
        password = forms.CharField(widget=forms.PasswordInput)
        token = forms.CharField()

    fields = dict(Method().fields)
    fields["token"].secret = True  # type: ignore[attr-defined]
    typed = {"header": "X-Key", "password": "planted", "token": "planted", "other": "planted"}
    shown = typed_values(RequestFactory().post("/", typed), fields)
    assert shown == [("Header", "X-Key")]
