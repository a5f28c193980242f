import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants.models import AuditEvent, Environment, Membership, Tenant, User
from tenants.roles import Role
from tenants.scope import active_tenant_id_or_none, tenant_scope, unscoped
from tests.factories import (
    log_in,
    make_environment,
    make_member,
    make_membership,
    make_tenant,
    make_user,
    posted,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.pages")]

ENVIRONMENTS = "/admin/tenants/environment/"
TENANTS = "/admin/tenants/tenant/"


def lines(action: str) -> list[AuditEvent]:
    with unscoped("a test"):
        return list(AuditEvent.objects.filter(action=action).order_by("at"))


def member_of_two(client: Client) -> tuple[Tenant, Tenant, User]:
    """Admin at home in globex, viewer in acme; logged in."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_member(globex)
    make_membership(user, acme, Role.VIEWER)
    make_environment(acme, "here", name="Of Acme")
    make_environment(globex, "there", name="Of Globex")
    log_in(client, user)
    return acme, globex, user


def switch(client: Client, tenant: Tenant) -> int:
    return client.post("/switch-tenant/", {"tenant": str(tenant.id)}).status_code


def test_whoever_isnt_logged_in_is_led_to_the_login(client: Client) -> None:
    answer = client.get(ENVIRONMENTS)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_a_cookie_with_a_nul_names_no_session(client: Client) -> None:
    answer = client.get(ENVIRONMENTS, headers={"cookie": r'sessionid="a-session-key\000"'})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_a_member_works_in_their_home_tenant_at_first(client: Client) -> None:
    member_of_two(client)
    page = client.get(ENVIRONMENTS).content.decode()
    assert "Of Globex" in page
    assert "Of Acme" not in page


def test_the_scope_ends_with_the_request(client: Client) -> None:
    member_of_two(client)
    client.get(ENVIRONMENTS)
    assert active_tenant_id_or_none() is None


def test_a_member_of_two_tenants_switches_and_has_the_role_there(client: Client) -> None:
    acme, globex, _ = member_of_two(client)
    assert client.get(f"{ENVIRONMENTS}add/").status_code == 200
    assert switch(client, acme) == 302
    page = client.get(ENVIRONMENTS).content.decode()
    assert "Of Acme" in page
    assert "Of Globex" not in page
    assert client.get(f"{ENVIRONMENTS}add/").status_code == 403
    assert switch(client, globex) == 302
    assert client.get(f"{ENVIRONMENTS}add/").status_code == 200
    assert [line.tenant_id for line in lines("enter")] == [acme.id, globex.id]


def test_switching_is_a_post(client: Client) -> None:
    acme, _, _ = member_of_two(client)
    assert client.get("/switch-tenant/", {"tenant": str(acme.id)})["Location"] == "../"


def test_another_tenant_gets_the_same_answer_as_a_missing_one(client: Client) -> None:
    member_of_two(client)
    foreign = make_tenant("initech")
    off = make_tenant("umbrella", disabled=True)
    gone = make_tenant("hooli")
    gone_id = gone.id
    gone.delete()
    answers = [
        client.post("/switch-tenant/", {"tenant": str(wanted)})
        for wanted in (gone_id, foreign.id, off.id, "no-uuid")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert "Of Globex" in client.get(ENVIRONMENTS).content.decode()


def test_a_removed_member_gets_nothing_at_once(client: Client) -> None:
    acme = make_tenant("acme")
    log_in(client, make_member(acme))
    assert client.get(ENVIRONMENTS).status_code == 200
    with tenant_scope(acme.id):
        Membership.objects.all().delete()
    answer = client.get(ENVIRONMENTS)
    assert answer.status_code == 403
    assert "no access to any tenant" in answer.content.decode()
    assert client.post(f"{ENVIRONMENTS}add/", posted(acme, slug="x")).status_code == 403


def test_a_tenant_that_is_switched_off_gives_nothing_at_once(client: Client) -> None:
    acme = make_tenant("acme")
    log_in(client, make_member(acme))
    assert client.get(ENVIRONMENTS).status_code == 200
    Tenant.objects.update(disabled_at=timezone.now())
    assert client.get(ENVIRONMENTS).status_code == 403


def test_nobody_is_moved_to_another_tenant_without_asking(client: Client) -> None:
    acme, globex, user = member_of_two(client)
    client.get(ENVIRONMENTS)
    with tenant_scope(globex.id):
        Membership.objects.filter(user=user).delete()
    answer = client.get(ENVIRONMENTS)
    assert answer.status_code == 403
    assert "Switch to Acme" in answer.content.decode()
    switch(client, acme)
    assert "Of Acme" in client.get(ENVIRONMENTS).content.decode()


def test_a_user_without_any_tenant_gets_nothing(client: Client) -> None:
    log_in(client, make_user())
    for address in ("/admin/", ENVIRONMENTS, TENANTS, "/admin/search/?s=a"):
        assert client.get(address).status_code == 403


def test_a_deactivated_user_is_logged_out_at_once(client: Client) -> None:
    log_in(client, make_member(make_tenant()))
    assert client.get(ENVIRONMENTS).status_code == 200
    User.objects.update(is_active=False)
    assert client.get(ENVIRONMENTS).status_code == 302


def test_a_platform_operator_is_led_to_the_tenants_until_they_enter_one(client: Client) -> None:
    acme = make_tenant("acme")
    make_environment(acme, name="Of Acme")
    log_in(client, make_user("operator", superuser=True))
    for address in ("/admin/", ENVIRONMENTS, "/admin/search/?s=a"):
        answer = client.get(address)
        assert (answer.status_code, answer["Location"]) == (302, TENANTS)
    assert client.get(TENANTS).status_code == 200
    switch(client, acme)
    assert "Of Acme" in client.get(ENVIRONMENTS).content.decode()
    client.post("/switch-tenant/", {"tenant": ""})
    assert client.get(ENVIRONMENTS).status_code == 302


def test_a_member_never_sees_the_list_of_tenants(client: Client) -> None:
    log_in(client, make_member(make_tenant()))
    assert client.get(TENANTS).status_code == 403


def test_a_refused_access_is_recorded(client: Client) -> None:
    acme = make_tenant("acme")
    log_in(client, make_member(acme, Role.VIEWER))
    client.get(f"{ENVIRONMENTS}add/", REMOTE_ADDR="192.0.2.7")
    (line,) = lines("refused")
    assert (line.tenant_id, line.actor, line.source_address) == (
        acme.id,
        "viewer@acme",
        "192.0.2.7",
    )
    assert (line.object_name, line.outcome) == ("admin:tenants_environment_add", "403")


def test_asking_for_a_foreign_thing_is_recorded_where_it_was_asked(client: Client) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    theirs = make_environment(globex)
    log_in(client, make_member(acme))
    assert client.get(f"{ENVIRONMENTS}{theirs.id}/change/").status_code == 404
    (line,) = lines("refused")
    assert line.tenant_id == acme.id
    assert str(theirs.id) in line.object_name


def test_a_removed_member_who_tries_is_recorded_in_that_tenant(client: Client) -> None:
    acme = make_tenant("acme")
    log_in(client, make_member(acme))
    client.get(ENVIRONMENTS)
    with tenant_scope(acme.id):
        Membership.objects.all().delete()
    client.get(ENVIRONMENTS)
    assert [line.tenant_id for line in lines("refused")] == [acme.id]


def test_a_change_is_recorded_with_who_made_it_and_from_where(client: Client) -> None:
    acme = make_tenant("acme")
    admin = make_member(acme)
    log_in(client, admin)
    form = posted(acme, slug="staging", name="Staging")
    assert client.post(f"{ENVIRONMENTS}add/", form, REMOTE_ADDR="192.0.2.7").status_code == 302
    (line,) = lines("create")
    assert (line.actor_id, line.via, line.source_address) == (admin.id, "web", "192.0.2.7")
    assert (line.object_type, line.fields) == ("environment", ["name", "slug"])


def test_an_error_in_a_page_ends_the_scope_too(client: Client) -> None:
    log_in(client, make_member(make_tenant()))
    client.raise_request_exception = False
    assert client.get("/broken/").status_code == 500
    assert active_tenant_id_or_none() is None


def test_tenancy_costs_a_page_four_queries(client: Client) -> None:
    log_in(client, make_member(make_tenant()))
    client.get("/admin/")
    with CaptureQueriesContext(connection) as captured:
        client.get("/admin/")
    tables = re.compile('FROM "tenants_(user|tenant|membership)"')
    ours = [query["sql"] for query in captured if tables.search(query["sql"].partition("WHERE")[0])]
    # The user, their tenant, their role there, and the tenants to switch to.
    assert len(ours) == 4


def test_environments_of_another_tenant_are_no_choice(client: Client) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_environment(globex, name="Of Globex")
    log_in(client, make_member(acme))
    assert "Of Globex" not in client.get("/admin/authconfigs/authconfig/add/").content.decode()
    with tenant_scope(acme.id):
        assert not Environment.objects.exists()
