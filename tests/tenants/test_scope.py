from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from authconfigs.models import AuthConfig, Credential
from integrations.models import Integration, UsageCount
from tenants.models import AuditEvent, Environment, Tenant
from tenants.scope import (
    ForeignTenant,
    NoActiveTenant,
    active_tenant_id,
    active_tenant_id_or_none,
    tenant_scope,
    unscoped,
)
from tests.factories import make_environment, make_integration, make_tenant

pytestmark = pytest.mark.django_db


def both() -> tuple[Tenant, Tenant]:
    return make_tenant("acme"), make_tenant("globex")


@pytest.mark.parametrize("model", [AuthConfig, Credential, Environment, UsageCount, AuditEvent])
def test_rows_cant_be_read_outside_a_scope(model: type[Environment]) -> None:
    with pytest.raises(NoActiveTenant):
        model.objects.all()
    with pytest.raises(NoActiveTenant):
        model.objects.filter(id=uuid4())


def test_rows_cant_be_written_outside_a_scope() -> None:
    acme, _ = both()
    with pytest.raises(NoActiveTenant):
        Environment(tenant=acme, slug="staging", name="Staging").save()


def test_only_the_active_tenants_rows_are_seen() -> None:
    acme, globex = both()
    mine, _theirs = make_environment(acme), make_environment(globex)
    with tenant_scope(acme.id):
        assert list(Environment.objects.all()) == [mine]


def test_a_row_of_another_tenant_doesnt_exist() -> None:
    acme, globex = both()
    theirs = make_environment(globex)
    with tenant_scope(acme.id), pytest.raises(Environment.DoesNotExist):
        Environment.objects.get(id=theirs.id)


def test_a_new_row_gets_the_active_tenant() -> None:
    acme, _ = both()
    with tenant_scope(acme.id):
        assert Environment.objects.create(slug="staging", name="Staging").tenant_id == acme.id


def bulk_create(row: Environment) -> None:
    Environment.objects.bulk_create([row])


def bulk_update(row: Environment) -> None:
    Environment.objects.bulk_update([row], ["name"])


def save(row: Environment) -> None:
    row.save()


def delete(row: Environment) -> None:
    row.delete()


@pytest.mark.parametrize("write", [save, delete, bulk_create, bulk_update])
def test_a_row_of_another_tenant_cant_be_written(write: Callable[[Environment], None]) -> None:
    acme, globex = both()
    theirs = make_environment(globex)
    with tenant_scope(acme.id), pytest.raises(ForeignTenant):
        write(theirs)


def test_an_update_of_all_rows_reaches_the_active_tenants_only() -> None:
    acme, globex = both()
    mine, theirs = make_environment(acme), make_environment(globex)
    with tenant_scope(acme.id):
        assert Environment.objects.update(name="Changed") == 1
        assert Environment.objects.all().delete()[0] == 1
    assert not Environment._base_manager.filter(id=mine.id).exists()
    assert Environment._base_manager.get(id=theirs.id).name == "Staging"


def test_a_row_never_changes_its_tenant() -> None:
    acme, globex = both()
    mine = make_environment(acme)
    with tenant_scope(acme.id):
        with pytest.raises(ForeignTenant):
            Environment.objects.update(tenant=globex)
        mine.tenant = globex
        with pytest.raises(ForeignTenant):
            mine.save()
    with unscoped("a test"), pytest.raises(IntegrityError), transaction.atomic():
        mine.save()
    assert Environment._base_manager.get(id=mine.id).tenant_id == acme.id


def test_a_row_built_around_a_foreign_id_doesnt_overwrite_it() -> None:
    acme, globex = both()
    theirs = make_environment(globex)
    with tenant_scope(acme.id):
        forged = Environment(id=theirs.id, slug="forged", name="Forged")
        with pytest.raises(IntegrityError), transaction.atomic():
            forged.save()
        with pytest.raises(DatabaseError), transaction.atomic():
            forged.save(force_update=True)
    row = Environment._base_manager.get(id=theirs.id)
    assert (row.name, row.tenant_id) == ("Staging", globex.id)


def test_related_rows_are_scoped_as_well() -> None:
    acme, globex = both()
    theirs = make_integration(globex)
    with tenant_scope(acme.id):
        assert theirs.connections.count() == 0
    with pytest.raises(NoActiveTenant):
        theirs.connections.count()


def test_crossing_tenants_has_to_be_said() -> None:
    for tenant in both():
        make_environment(tenant)
    with unscoped("a test"):
        assert Environment.objects.count() == 2
        assert active_tenant_id_or_none() is None
        with pytest.raises(NoActiveTenant):
            active_tenant_id()


def test_the_scope_ends_with_its_block_also_after_an_error() -> None:
    acme, globex = both()
    with tenant_scope(acme.id):
        with pytest.raises(RuntimeError), tenant_scope(globex.id):
            raise RuntimeError
        assert active_tenant_id() == acme.id
    assert active_tenant_id_or_none() is None


def test_a_thread_starts_without_a_scope() -> None:
    acme, _ = both()
    with tenant_scope(acme.id), ThreadPoolExecutor(1) as pool:
        assert pool.submit(active_tenant_id_or_none).result() is None


def test_names_are_unique_per_tenant_and_not_beyond() -> None:
    acme, globex = both()
    for tenant in (acme, globex):
        make_environment(tenant, "staging")
        make_integration(tenant, "billing")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_environment(acme, "staging")
    with tenant_scope(acme.id), pytest.raises(IntegrityError), transaction.atomic():
        Integration.objects.create(slug="billing", name="Billing")
