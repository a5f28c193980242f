import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tenants.roles import Role
from tenants.site import site
from tests.factories import (
    log_in,
    make_environment,
    make_member,
    make_membership,
    make_tenant,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.pages")]


def found(client: Client, term: str, **options: str) -> str:
    return client.get("/admin/search/", {"s": term, **options}).content.decode()


def test_the_search_finds_pages_and_objects(client: Client) -> None:
    acme = make_tenant("acme")
    make_environment(acme, name="Staging of Acme")
    log_in(client, make_member(acme))
    assert "Environments" in found(client, "environ")
    assert "Staging of Acme" in found(client, "staging of", extended="1")
    assert found(client, "") == ""


def test_the_search_knows_the_tenant_also_after_a_switch(client: Client) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_environment(acme, name="Staging of Acme")
    make_environment(globex, name="Staging of Globex")
    user = make_member(acme)
    make_membership(user, globex)
    log_in(client, user)
    assert "Staging of Acme" in found(client, "staging of", extended="1")
    client.post("/switch-tenant/", {"tenant": str(globex.id)})
    after = found(client, "staging of", extended="1")
    assert "Staging of Globex" in after
    assert "Staging of Acme" not in after


def test_the_search_finds_only_what_the_role_may_see(client: Client) -> None:
    acme = make_tenant("acme")
    log_in(client, make_member(acme, Role.VIEWER))
    assert "viewer@acme" not in found(client, "viewer", extended="1")
    assert "/admin/tenants/membership/" not in found(client, "staff")


@pytest.mark.parametrize("page", ["x", "-1", "999999", ""])
def test_a_mistyped_page_of_the_search_is_no_error(client: Client, page: str) -> None:
    log_in(client, make_member(make_tenant()))
    assert client.get("/admin/search/", {"s": "environ", "page": page}).status_code == 200


def test_there_is_no_shortcut_to_objects_by_content_type(client: Client) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:view_on_site", args=[1, "x"])
    log_in(client, make_member(make_tenant()))
    assert client.get("/admin/r/1/1/").status_code == 404


def test_objects_are_deleted_one_by_one() -> None:
    assert not list(site.actions)


def test_only_our_own_models_are_shown() -> None:
    apps = {model._meta.app_label for model in site._registry}
    assert apps <= {"tenants", "authconfigs", "integrations"}


def test_a_page_names_the_tenant_and_the_others_to_switch_to(client: Client) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_tenant("initech")
    user = make_member(acme, Role.EDITOR)
    make_membership(user, globex)
    log_in(client, user)
    context = client.get("/admin/").context
    assert context["active_tenant"] == acme
    assert context["active_role"] == Role.EDITOR
    assert context["other_tenants"] == [globex]


@pytest.mark.parametrize("address", ["/set-password/", "/nowhere/"])
def test_pages_outside_of_the_frame_have_the_themes_colours(client: Client, address: str) -> None:
    assert "--color-primary-600" in client.get(address).content.decode()
