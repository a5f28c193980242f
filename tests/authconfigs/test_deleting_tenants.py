"""Deleting a tenant takes all of it away, its data keys too; its activity stays."""

import pytest

from authconfigs.models import AuthConfig, DataKey
from integrations.models import Connection
from tenants.models import AuditEvent
from tenants.scope import unscoped
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
)

pytestmark = pytest.mark.django_db


def test_deleted_tenant_leaves_nothing_but_its_activity() -> None:
    tenant = make_tenant()
    environment = make_environment(tenant)
    make_connection(make_integration(tenant), environment, make_config(environment))
    tenant_id = tenant.id
    assert DataKey.objects.filter(tenant=tenant).exists()
    with unscoped("a test"):
        tenant.delete()
        assert not AuthConfig.objects.exists()
        assert not Connection.objects.exists()
        assert AuditEvent.objects.filter(tenant_id=tenant_id).exists()
    assert not DataKey.objects.filter(tenant_id=tenant_id).exists()
