import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from integrations.models import Connection
from tenants.composite_keys import composite_keys
from tenants.scope import unscoped
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
)

pytestmark = pytest.mark.django_db

on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite adds no constraints to a table that exists"
)


def refused_by_the_database(**values: object) -> bool:
    """Whether an UPDATE of every connection is refused, at the latest when it would be committed."""
    try:
        with unscoped("a test"), transaction.atomic():
            Connection._base_manager.update(**values)
            connection.check_constraints()
    except IntegrityError:
        return True
    return False


@on_postgresql
def test_a_connections_config_is_of_its_environment() -> None:
    acme = make_tenant("acme")
    staging, production = make_environment(acme, "staging"), make_environment(acme, "production")
    make_connection(make_integration(acme), staging)
    assert refused_by_the_database(auth_config=make_config(production))
    assert not refused_by_the_database(auth_config=make_config(staging))


@on_postgresql
def test_a_rows_parent_is_of_its_tenant() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_connection(make_integration(acme), make_environment(acme))
    theirs = make_environment(globex)
    assert refused_by_the_database(environment=theirs)
    assert refused_by_the_database(tenant=globex)
    assert refused_by_the_database(integration=make_integration(globex))


@on_postgresql
def test_every_key_is_installed_and_migrating_again_changes_nothing() -> None:
    def there() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT conname FROM pg_constraint WHERE conname LIKE '%_tenant_fk'")
            return {name for (name,) in cursor.fetchall()}

    wanted = {key.name for key in composite_keys()}
    assert there() == wanted
    call_command("migrate", verbosity=0)
    assert there() == wanted


def test_every_parent_of_a_tenants_row_has_a_key() -> None:
    keys = {(key.table, key.columns) for key in composite_keys()}
    pair = ("tenant_id", "environment_id", "auth_config_id")
    assert ("integrations_connection", pair) in keys
    assert ("authconfigs_credential", ("tenant_id", "config_id")) in keys
    assert ("integrations_connectiontest", ("tenant_id", "connection_id")) in keys
    assert len({key.name for key in composite_keys()}) == len(composite_keys())
