"""Rows with sealed values, written one by one, and ways to damage them that no code of ours has."""

import base64
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models

from authconfigs import datakeys
from authconfigs.models import AuthConfig, Credential, DataKey, OAuthToken
from tenants.models import Environment, Tenant
from tenants.scope import tenant_scope, unscoped

Row = TypeVar("Row", bound=models.Model)

SECRETS: dict[str, Any] = {"token": "planted-token", "extra": {"audience": "planted-extra"}}


def keys_setting(**keys: str) -> str:
    """FIELD_ENCRYPTION_KEYS of ids and single characters: k1="a" is a key of 32 times "a"."""
    return ",".join(
        f"{name}:{base64.urlsafe_b64encode(letter.encode() * 32).decode()}"
        for name, letter in keys.items()
    )


def a_tenant(slug: str = "acme") -> Tenant:
    tenant = Tenant.objects.create(slug=slug, name=slug.title())
    with tenant_scope(tenant.id):
        Environment.objects.create(slug="staging", name="Staging")
    return tenant


def a_credential(
    tenant: Tenant, name: str = "crm", *, secrets: Mapping[str, Any] = SECRETS
) -> Credential:
    """A config's current credential as it was read back, with the fingerprints of its secrets."""
    with tenant_scope(tenant.id):
        config = AuthConfig.objects.create(
            environment=Environment.objects.get(), name=name, method="bearer"
        )
        key = datakeys.current(tenant.id)
        state = {
            secret: {"set_at": "2030-01-01", "by": "", "fingerprint": key.fingerprint(value)}
            for secret, value in secrets.items()
        }
        row = Credential.objects.create(config=config, secrets=secrets, secret_state=state)
    return read(row)


def a_token(tenant: Tenant, name: str = "crm", **values: str | None) -> OAuthToken:
    """The token row of a config, as it was read back."""
    with tenant_scope(tenant.id):
        config = AuthConfig.objects.create(
            environment=Environment.objects.get(), name=name, method="oauth2_client_credentials"
        )
        row = OAuthToken.objects.create(config=config, **values)
    return read(row)


def read(row: Row) -> Row:
    """The row as the database has it now."""
    with unscoped("a test looks"):
        fresh: Row = type(row)._default_manager.get(pk=row.pk)
    return fresh


def raw(row: models.Model, column: str) -> bytes | None:
    """The bytes in a column."""
    query = f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [spelled(row.pk)])
        value = cursor.fetchone()[0]
    return None if value is None else bytes(value)


def overwrite(row: models.Model, column: str, value: bytes) -> None:
    """Put bytes into a column, as somebody who can write rows would."""
    query = f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [value, spelled(row.pk)])


def spelled(key: UUID) -> UUID | str:
    """An id as the database spells it."""
    return key if connection.features.has_native_uuid_field else key.hex


def data_keys(tenant: Tenant | None) -> list[DataKey]:
    """A tenant's data keys, the oldest first."""
    return list(DataKey.objects.filter(tenant=tenant).order_by("number"))
