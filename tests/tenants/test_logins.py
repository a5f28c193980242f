import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.models import AuditEvent, Tenant
from tenants.scope import unscoped
from tests.factories import make_member, make_tenant, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.pages")]

PASSWORD = "correct horse battery"


def lines() -> list[AuditEvent]:
    with unscoped("a test"):
        return list(AuditEvent.objects.order_by("at"))


def log_in(client: Client, username: str, password: str = PASSWORD) -> None:
    form = {"username": username, "password": password, "next": "/admin/"}
    client.post("/admin/login/", form, REMOTE_ADDR="192.0.2.7")


def acme_with_robin() -> Tenant:
    acme = make_tenant()
    make_member(acme, username="robin", password=PASSWORD)
    return acme


def test_a_login_is_recorded_in_the_home_tenant(client: Client) -> None:
    acme = acme_with_robin()
    log_in(client, "robin")
    (line,) = lines()
    assert (line.action, line.outcome, line.tenant_id) == ("login", "ok", acme.id)
    assert (line.actor, line.source_address, line.via) == ("robin", "192.0.2.7", "web")


def test_a_failed_login_is_recorded_without_what_was_typed(client: Client) -> None:
    acme = acme_with_robin()
    log_in(client, "robin", "planted-password")
    (line,) = lines()
    assert (line.action, line.outcome, line.tenant_id) == ("login", "failed", acme.id)
    assert (line.actor, line.object_name) == ("anonymous", "robin")
    assert "planted" not in str(vars(line))


def test_a_password_typed_as_the_user_name_isnt_recorded(client: Client) -> None:
    acme_with_robin()
    log_in(client, "planted-password")
    (line,) = lines()
    assert (line.outcome, line.tenant_id) == ("failed", None)
    assert "planted" not in str(vars(line))


def test_a_password_typed_as_the_user_name_is_counted_but_not_kept(client: Client) -> None:
    acme_with_robin()
    for _ in range(5):
        log_in(client, "planted-password")
    (kept,) = AccessAttempt.objects.all()
    assert kept.failures_since_start == 5
    assert "planted" not in str(vars(kept))
    log_in(client, "robin", "wrong")
    assert AccessAttempt.objects.filter(username="robin").exists()


def test_a_locked_login_is_recorded_as_failed(client: Client) -> None:
    acme_with_robin()
    for _ in range(6):
        log_in(client, "robin", "wrong")
    log_in(client, "robin")
    assert {line.outcome for line in lines()} == {"failed"}


def test_a_logout_is_recorded(client: Client) -> None:
    acme = acme_with_robin()
    log_in(client, "robin")
    client.post("/admin/logout/")
    assert [(line.action, line.tenant_id) for line in lines()][1] == ("logout", acme.id)


def test_a_platform_operators_login_belongs_to_the_platform(client: Client) -> None:
    make_user("operator", superuser=True, password=PASSWORD)
    log_in(client, "operator")
    assert [line.tenant_id for line in lines()] == [None]


def test_changing_ones_own_password_is_recorded(client: Client) -> None:
    acme_with_robin()
    log_in(client, "robin")
    new = "another horse battery"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", form).status_code == 302
    assert lines()[-1].action == "set_password"


def test_a_login_takes_20_queries_at_most(client: Client) -> None:
    acme_with_robin()
    for password in ("wrong", PASSWORD):
        with CaptureQueriesContext(connection) as captured:
            log_in(client, "robin", password)
        assert len(captured) <= 20, [query["sql"] for query in captured]
