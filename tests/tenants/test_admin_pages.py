"""The pages of staff, environments, activity and tenants."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, cast

import pytest
from django.db import connection
from django.db.models import Model
from django.db.models.signals import pre_save
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tenants.models import AuditEvent, Environment, Membership, Tenant, User
from tenants.roles import Role
from tenants.scope import tenant_scope, unscoped
from tests.factories import (
    log_in,
    make_environment,
    make_member,
    make_membership,
    make_tenant,
    make_user,
)

pytestmark = pytest.mark.django_db


def logged_in(user: User) -> Client:
    client = Client()
    log_in(client, user)
    return client


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("acme")


def test_admin_adds_a_person_who_sets_the_password_by_a_link_shown_once(acme: Tenant) -> None:
    client = logged_in(make_member(acme))
    url = reverse("admin:tenants_membership_add")
    page = client.post(
        url,
        {"login": "ann", "email": "ann@acme.example", "role": "editor", "_tenant": str(acme.id)},
    )
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    link = re.search(r"http[^<\"]+password-link/[^<\"]+", page.content.decode())
    assert link is not None
    user = User.objects.get(username="ann@acme")
    assert not user.has_usable_password()
    with tenant_scope(acme.id):
        assert Membership.objects.get(user=user).role == Role.EDITOR
        assert AuditEvent.objects.filter(action="create", object_type="membership").exists()


def test_refused_person_is_told_in_the_form_and_nothing_typed_is_lost(acme: Tenant) -> None:
    client = logged_in(make_member(acme))
    make_user("ann@acme", home=acme)
    page = client.post(
        reverse("admin:tenants_membership_add"),
        {"login": "ann", "email": "ann@acme.example", "role": "viewer", "_tenant": str(acme.id)},
    )
    assert page.status_code == 200
    assert "There is a login ann@acme already" in page.content.decode()
    assert "ann@acme.example" in page.content.decode()


def test_role_email_and_login_are_changed_all_or_none(acme: Tenant) -> None:
    admin = make_member(acme)
    client = logged_in(admin)
    with tenant_scope(acme.id):
        own = Membership.objects.get(user=admin)
    person = make_membership(make_user("bob", home=acme), acme, Role.VIEWER)
    url = reverse("admin:tenants_membership_change", args=(person.pk,))
    data = {"role": "operator", "email": "bob@acme.example", "_tenant": str(acme.id)}
    assert client.post(url, data).status_code == 302
    person.user.refresh_from_db()
    assert (person.user.email, person.user.is_active) == ("bob@acme.example", False)
    own_url = reverse("admin:tenants_membership_change", args=(own.pk,))
    page = client.post(
        own_url, {"role": "viewer", "email": "new@acme.example", "_tenant": str(acme.id)}
    )
    assert "last admin" in page.content.decode()
    admin.refresh_from_db()
    assert admin.email != "new@acme.example"
    with tenant_scope(acme.id):
        assert Membership.objects.get(user=admin).role == Role.ADMIN


def test_person_of_another_home_keeps_email_and_login(acme: Tenant) -> None:
    client = logged_in(make_member(acme))
    guest = make_user("guest", home=make_tenant("globex"))
    person = make_membership(guest, acme, Role.VIEWER)
    url = reverse("admin:tenants_membership_change", args=(person.pk,))
    data = {"role": "editor", "email": "mine@acme.example", "_tenant": str(acme.id)}
    assert client.post(url, data).status_code == 302
    guest.refresh_from_db()
    assert (guest.email, guest.is_active) == ("guest@mail.example", True)
    link = reverse("admin:tenants_membership_password_link", args=(person.pk,))
    assert client.post(link, {"_tenant": str(acme.id)}).status_code == 409


def test_last_admin_is_not_deleted(acme: Tenant) -> None:
    admin = make_member(acme)
    with tenant_scope(acme.id):
        own = Membership.objects.get(user=admin)
    url = reverse("admin:tenants_membership_delete", args=(own.pk,))
    page = logged_in(admin).post(url, {"post": "yes", "_tenant": str(acme.id)})
    assert page.status_code == 409
    with unscoped("a test"):
        assert Membership.objects.filter(pk=own.pk).exists()


@pytest.mark.parametrize("model", ["membership", "auditevent"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.EDITOR])
def test_staff_and_activity_are_for_admins(acme: Tenant, model: str, role: Role) -> None:
    client = logged_in(make_member(acme, role))
    assert client.get(reverse(f"admin:tenants_{model}_changelist")).status_code == 403


def test_activity_shows_the_lines_of_this_tenant_only(acme: Tenant) -> None:
    other = make_tenant("globex")
    for tenant, name in ((acme, "Quality"), (other, "Theirs")):
        client = logged_in(make_member(tenant, username=f"writer@{tenant.slug}"))
        client.post(
            reverse("admin:tenants_environment_add"),
            {"slug": "qa", "name": name, "_tenant": str(tenant.id)},
        )
    client = logged_in(make_member(acme))
    page = client.get(reverse("admin:tenants_auditevent_changelist")).content.decode()
    assert "Quality" in page
    assert "environment in qa" in page
    assert "Theirs" not in page


def test_environment_keeps_its_slug_and_may_be_protected_later(acme: Tenant) -> None:
    client = logged_in(make_member(acme))
    environment = make_environment(acme)
    url = reverse("admin:tenants_environment_change", args=(environment.pk,))
    data = {"slug": "other", "name": "Pre", "protected": "on", "_tenant": str(acme.id)}
    assert client.post(url, data).status_code == 302
    with tenant_scope(acme.id):
        row = Environment.objects.get(pk=environment.pk)
    assert (row.slug, row.name, row.protected) == ("staging", "Pre", True)


def test_operator_makes_enters_and_switches_off_a_tenant() -> None:
    client = logged_in(User.objects.create_superuser("operator"))
    assert client.get("/admin/").url.endswith(reverse("admin:tenants_tenant_changelist"))  # type: ignore[attr-defined]
    client.post(reverse("admin:tenants_tenant_add"), {"slug": "initech", "name": "Initech"})
    tenant = Tenant.objects.get(slug="initech")
    page = client.get(reverse("admin:tenants_tenant_changelist")).content.decode()
    assert str(tenant.id) in page
    assert client.post(reverse("switch_tenant"), {"tenant": str(tenant.id)}).status_code == 302
    assert client.get(reverse("admin:authconfigs_authconfig_changelist")).status_code == 200
    client.post(
        reverse("admin:tenants_tenant_switch_off", args=(tenant.pk,)), {"_tenant": str(tenant.id)}
    )
    tenant.refresh_from_db()
    assert tenant.disabled_at is not None
    assert client.get(reverse("admin:authconfigs_authconfig_changelist")).status_code == 302
    with tenant_scope(tenant.id):
        actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"create", "enter", "switch_off"} <= actions


def test_tenant_admin_sees_no_list_of_tenants(acme: Tenant) -> None:
    client = logged_in(make_member(acme))
    assert client.get(reverse("admin:tenants_tenant_changelist")).status_code == 403
    url = reverse("admin:tenants_tenant_change", args=(acme.pk,))
    missing = url.replace(str(acme.pk), "00000000-0000-4000-8000-000000000000")
    assert client.get(url).status_code == client.get(missing).status_code


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Environment, Tenant])
def test_whoever_adds_the_same_a_moment_later_is_told(acme: Tenant, model: type[Model]) -> None:
    browsers = [Client(), Client()]
    for number, client in enumerate(browsers):
        log_in(client, make_user(f"operator-{number}", superuser=True), tenant=acme)
    both_found_it_free = threading.Barrier(2)

    def wait(**signal: Any) -> None:
        # SQLite lets the second one in when the first is done.
        with suppress(threading.BrokenBarrierError):
            both_found_it_free.wait(timeout=0.3)

    def add(client: Client) -> HttpResponse:
        data = {"slug": "qa", "name": "QA", "_tenant": str(acme.id)}
        try:
            answer: Any = client.post(reverse(f"admin:tenants_{model._meta.model_name}_add"), data)
        finally:
            connection.close()
        return cast("HttpResponse", answer)

    pre_save.connect(wait, sender=model)
    try:
        with ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(add, browsers), key=lambda answer: answer.status_code)
    finally:
        pre_save.disconnect(wait, sender=model)
    assert [answer.status_code for answer in answers] == [200, 302]
    assert "already" in answers[0].content.decode()
