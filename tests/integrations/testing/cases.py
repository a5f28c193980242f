"""Connections to test, and their tests."""

from typing import Any

from authconfigs.models import AllowedOrigin, AuthConfig
from authconfigs.outgoing import origin_of
from integrations import testing
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, ConnectionTest
from integrations.targets import Name
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.integrations.wired import NAME, wired

BEARER = {"header": "Authorization", "prefix": "Bearer"}
KEY = {"key": accounts.API_KEY_HEADER, "placement": "header"}
BASIC = {"username": accounts.BASIC_USERNAME}


def bearer(base_url: str, token: str = accounts.BEARER_TOKEN, **more: Any) -> Name:
    return wired(base_url, options=BEARER, secrets={"token": token}, **more)


def api_key(
    provider: Provider, path: str = "/key-header", value: str = accounts.API_KEY, **options: Any
) -> Name:
    return wired(
        provider.base_url + path,
        method="api_key",
        options={**KEY, **options},
        secrets={"value": value},
    )


def basic(
    provider: Provider, path: str = "/basic", password: str = accounts.BASIC_PASSWORD
) -> Name:
    return wired(
        provider.base_url + path, method="basic", options=BASIC, secrets={"password": password}
    )


def change(**values: Any) -> None:
    """Write columns of the connection's row."""
    with tenant_scope(tenant_id()):
        Connection.objects.update(**values)


def connection() -> Connection:
    with tenant_scope(tenant_id()):
        return Connection.objects.get(name="default")


def another_connection(name: str, base_url: str, **values: Any) -> Name:
    """A second connection of the same integration and config."""
    with tenant_scope(tenant_id()):
        row = Connection.objects.get(name="default")
        row.pk, row.name, row.base_url = None, name, base_url
        row._state.adding = True
        for field, value in values.items():
            setattr(row, field, value)
        row.id = Connection._meta.pk.get_default()
        row.save()
        if row.auth_config is not None:
            AllowedOrigin.objects.get_or_create(
                config=row.auth_config, purpose="api", origin=origin_of(base_url)
            )
    return Name(NAME.tenant, NAME.integration, NAME.environment, name)


def run(name: Name = NAME) -> ConnectionTest:
    return testing.test_connection(name)


def verdict_of(row: ConnectionTest) -> tuple[str | None, str]:
    return row.symptom or None, row.stage


def step(row: ConnectionTest, name: str) -> dict[str, Any]:
    """The last step of that name."""
    found: dict[str, Any] = [step for step in row.steps if step["name"] == name][-1]
    return found


def names_of(row: ConnectionTest) -> list[str]:
    return [step["name"] for step in row.steps]


def stored() -> list[ConnectionTest]:
    """All that are stored, newest first."""
    with tenant_scope(tenant_id()):
        return list(ConnectionTest.objects.all())


def config() -> AuthConfig:
    with tenant_scope(tenant_id()):
        return AuthConfig.objects.get()


def tenant_id() -> Any:
    return Tenant.objects.get(slug="acme").id
