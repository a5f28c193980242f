from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from tenants.models import AuditEvent, Tenant, User
from tenants.password_links import make_link
from tenants.scope import tenant_scope
from tests.factories import log_in, make_member, make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.pages")]

GOOD = "correct horse battery"
FORM = "/set-password/"


def path_of(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def opened(client: Client, link: str) -> int:
    """Follow the link; the status of the page that it leads to."""
    return client.get(path_of(link), follow=True).status_code


def set_to(client: Client, password: str) -> int:
    return client.post(FORM, {"new_password1": password, "new_password2": password}).status_code


def person() -> User:
    return make_member(make_tenant())


def test_a_link_begins_with_the_public_address() -> None:
    assert make_link(person()).startswith("http://127.0.0.1:8000/password-link/?")


def test_a_person_sets_their_first_password_and_logs_in(client: Client) -> None:
    user = person()
    assert opened(client, make_link(user)) == 200
    assert set_to(client, GOOD) == 302
    login = {"username": user.username, "password": GOOD, "next": "/admin/"}
    assert client.post("/admin/login/", login).status_code == 302


def test_a_link_works_once(client: Client) -> None:
    link = make_link(person())
    opened(client, link)
    set_to(client, GOOD)
    assert opened(client, link) == 400
    assert set_to(client, "another horse battery") == 400
    assert User.objects.get().check_password(GOOD)


def test_the_token_leaves_the_address_at_once(client: Client) -> None:
    answer = client.get(path_of(make_link(person())))
    assert answer.status_code == 302
    assert answer["Location"] == FORM
    assert answer["Cache-Control"].startswith("max-age=0")


def test_a_newer_link_replaces_an_older_one_and_the_password(client: Client) -> None:
    user = make_member(make_tenant(), password=GOOD)
    old = make_link(user)
    new = make_link(user)
    user.refresh_from_db()
    assert not user.check_password(GOOD)
    assert opened(client, old) == 400
    assert opened(client, new) == 200


def test_a_link_doesnt_work_for_ever(client: Client) -> None:
    with time_machine.travel("2030-01-01 12:00Z"):
        link = make_link(person())
    with time_machine.travel("2030-01-05 12:00Z"):
        assert opened(client, link) == 400


def test_a_link_is_for_one_person(client: Client) -> None:
    acme = make_tenant()
    robin, kim = make_member(acme, username="robin"), make_member(acme, username="kim")
    swapped = make_link(robin).replace(str(robin.pk), str(kim.pk))
    assert opened(client, swapped) == 400


@pytest.mark.parametrize("query", ["", "user=x&token=y", "user=&token=", "token=y"])
def test_an_incomplete_link_says_so(client: Client, query: str) -> None:
    assert opened(client, f"http://x/password-link/?{query}") == 400


def test_a_link_of_a_deactivated_person_or_tenant_doesnt_work(client: Client) -> None:
    user = person()
    link = make_link(user)
    User.objects.update(is_active=False)
    assert opened(client, link) == 400
    User.objects.update(is_active=True)
    Tenant.objects.update(disabled_at=timezone.now())
    assert opened(client, link) == 400
    Tenant.objects.update(disabled_at=None)
    assert opened(client, link) == 200


@pytest.mark.parametrize("bad", ["short", "password1234", "123456789012", "admin@acme"])
def test_a_weak_password_is_refused(client: Client, bad: str) -> None:
    opened(client, make_link(person()))
    assert set_to(client, bad) == 200
    assert not User.objects.get().has_usable_password()


def test_the_form_needs_an_opened_link(client: Client) -> None:
    assert client.get(FORM).status_code == 400


def test_setting_a_password_is_recorded_without_it(client: Client) -> None:
    user = person()
    opened(client, make_link(user))
    set_to(client, GOOD)
    with tenant_scope(user.home_tenant_id):  # type: ignore[arg-type]
        line = AuditEvent.objects.get(action="set_password")
    assert (line.actor_id, line.object_id) == (user.id, str(user.id))
    assert GOOD not in str(vars(line))


def test_sessions_of_the_old_password_end(client: Client) -> None:
    user = make_member(make_tenant(), password=GOOD)
    log_in(client, user)
    assert client.get("/admin/password_change/").status_code == 200
    make_link(user)
    assert client.get("/admin/password_change/").status_code == 302
