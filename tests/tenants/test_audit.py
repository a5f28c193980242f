import pytest
from django.db import transaction

from tenants.actor import Actor, acting_as, current_actor
from tenants.audit import record
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope, unscoped
from tests.factories import make_config, make_environment, make_tenant, make_user

pytestmark = pytest.mark.django_db


def test_a_line_says_who_did_what_to_which_object(tenant: Tenant) -> None:
    robin = make_user()
    production = make_environment(tenant, "production", protected=True)
    config = make_config(production, "billing")
    with acting_as(Actor(robin.id, robin.username, "192.0.2.7", "web")):
        record("change", config, fields=["prefix", "header"], outcome="ok")
    line = AuditEvent.objects.filter(action="change").get()
    assert (line.tenant_id, line.actor_id, line.actor) == (tenant.id, robin.id, "robin")
    assert (line.via, line.source_address) == ("web", "192.0.2.7")
    assert (line.object_type, line.object_id) == ("authconfig", str(config.id))
    assert (line.object_name, line.environment) == ("billing", "production")
    assert (line.fields, line.outcome) == (["header", "prefix"], "ok")


def test_nobody_in_particular_is_the_system(tenant: Tenant) -> None:
    assert record("refresh").actor == "system"


def test_what_no_database_holds_is_left_out_of_a_line(tenant: Tenant) -> None:
    with acting_as(Actor(None, "r\0oot\udcff", None, "shell")):
        line = record("refused", name="bil\0ling\ud800", outcome="4\x0004")
    line.refresh_from_db()
    assert (line.actor, line.object_name, line.outcome) == ("root", "billing", "404")


def test_the_actor_ends_with_its_block() -> None:
    with acting_as(Actor(None, "root", None, "shell")):
        assert current_actor().name == "root"
    assert current_actor().via == "system"


def test_a_line_belongs_to_the_tenant_of_its_object_and_outlives_both() -> None:
    acme = make_tenant("acme")
    environment = make_environment(acme)
    with unscoped("a test"):
        line = record("change", environment)
    with tenant_scope(acme.id):
        environment.delete()
    tenant_id = acme.id
    acme.delete()
    with tenant_scope(tenant_id):
        assert AuditEvent.objects.get(object_type="environment").id == line.id


def test_a_tenant_sees_its_own_lines_only() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    record("change", acme)
    record("rotate", tenant_id=None)
    with tenant_scope(globex.id):
        assert not AuditEvent.objects.exists()


def test_what_is_rolled_back_isnt_recorded(tenant: Tenant) -> None:
    with transaction.atomic():
        record("change")
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_long_names_are_cut(tenant: Tenant) -> None:
    with acting_as(Actor(None, "n" * 500, None, "web")):
        line = record("refused", name="x" * 500, outcome="y" * 500)
    line.refresh_from_db()
    assert (len(line.actor), len(line.object_name), len(line.outcome)) == (200, 300, 100)


def test_no_foreign_key_leaves_the_audit_trail() -> None:
    assert not [column.name for column in AuditEvent._meta.get_fields() if column.is_relation]
