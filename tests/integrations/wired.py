"""The connection acme/crm in staging, ready to be called, and its token's row as time and other processes change it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.db import connection

from authconfigs.models import AuthConfig, OAuthToken
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection
from integrations.targets import Name
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_tenant,
)

NAME = Name("acme", "crm", "staging")


def wired(
    base_url: str,
    *,
    method: str | None = "bearer",
    options: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    protected: bool = False,
    timeout: int | None = None,
) -> Name:
    """The connection, with a config called crm; without `method`, one without authentication."""
    tenant = make_tenant("acme")
    environment = make_environment(tenant, protected=protected)
    config = None
    if method is not None:
        config = make_config(environment, "crm", method=method, options=options, secrets=secrets)
    integration = make_integration(tenant, "crm", headers=headers, query=query)
    make_connection(integration, environment, config, base_url=base_url, timeout=timeout)
    return NAME


def wired_oauth(
    provider: Provider,
    *,
    grant: str = "client_credentials",
    options: Mapping[str, Any] | None = None,
    path: str = "/bearer",
    protected: bool = False,
    timeout: int | None = None,
) -> Name:
    """The same with an OAuth config of the demo provider."""
    secrets = {"client_secret": accounts.CLIENT.secret}
    known = {"token_url": provider.token_url, "client_id": accounts.CLIENT.client_id}
    if grant == "password":
        known["username"] = accounts.OAUTH_USERNAME
        secrets["password"] = accounts.OAUTH_PASSWORD
    if grant == "authorization_code":
        known["authorization_url"] = f"{provider.base_url}/authorize"
    return wired(
        provider.base_url + path,
        method=f"oauth2_{grant}",
        options={**known, **(options or {})},
        secrets=secrets,
        protected=protected,
        timeout=timeout,
    )


def the_config() -> AuthConfig:
    """The config, as it is now."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        config: AuthConfig = AuthConfig.objects.select_related("environment").get()
    return config


def stored_token() -> OAuthToken:
    """The row of the config's token, as it is now."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        row: OAuthToken = OAuthToken.objects.get()
    return row


def store_token(**values: Any) -> None:
    """Save columns of that row, sealed ones too, as whoever holds the lease would."""
    row = stored_token()
    for name, value in values.items():
        setattr(row, name, value)
    with tenant_scope(row.tenant_id):
        row.save()


def change_token(**values: Any) -> None:
    """Write columns of that row, as time or another process would have."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        OAuthToken.objects.update(**values)


def change_config(**values: Any) -> None:
    """Write columns of the config's row."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        AuthConfig.objects.update(**values)


def change_connection(**values: Any) -> None:
    """Write columns of the connection's row."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        Connection.objects.update(**values)


def database_url() -> str:
    """The database of the tests, for another process."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"], safe="")
    return f"postgres://{user}:{password}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"
