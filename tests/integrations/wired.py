"""A tenant with one connection of one config, written row by row: what the narrow query of a call reads."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.db import connection

from authconfigs import methods
from authconfigs.models import AllowedOrigin, AuthConfig, Credential, OAuthToken
from authconfigs.outgoing import origin_of
from integrations.demo.provider import Provider, accounts
from integrations.models import Connection, Integration, IntegrationRevision
from integrations.targets import Name
from tenants.models import Environment, Tenant
from tenants.scope import tenant_scope

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
    """The connection acme/crm in staging; without `method`, one without authentication."""
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    with tenant_scope(tenant.id):
        environment = Environment.objects.create(
            slug="staging", name="Staging", protected=protected
        )
        config = None
        if method is not None:
            config = a_config(environment, method, options=options or {}, secrets=secrets or {})
            AllowedOrigin.objects.create(
                config=config, purpose="api", origin=origin_of(base_url), added_by="a test"
            )
        integration = Integration.objects.create(slug="crm", name="CRM")
        revision = IntegrationRevision.objects.create(
            integration=integration,
            number=1,
            headers=headers or {},
            query=query or {},
            content_hash="1",
            created_by="a test",
        )
        Connection.objects.create(
            integration=integration,
            environment=environment,
            base_url=base_url,
            auth_config=config,
            revision=revision,
            timeout=timeout,
        )
    return NAME


def a_config(
    environment: Environment, method: str, *, options: Mapping[str, Any], secrets: Mapping[str, Any]
) -> AuthConfig:
    """A config called crm with the method's defaults under these options."""
    config = AuthConfig.objects.create(environment=environment, name="crm", method=method)
    Credential.objects.create(config=config, options=dict(options), secrets=dict(secrets))
    known = methods.by_code(method)
    if known.uses_token:
        OAuthToken.objects.create(config=config)
        for origin in known.token_origins(options):
            AllowedOrigin.objects.create(
                config=config, purpose="token", origin=origin, added_by="a test"
            )
    return config


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
    known = {
        "token_url": provider.token_url,
        "client_id": accounts.CLIENT.client_id,
        "client_auth": "basic",
        "header": "Authorization",
        "header_prefix": "Bearer",
    }
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


def stored_token() -> OAuthToken:
    """The row of the config's token, as it is now."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        return OAuthToken.objects.get()


def change_token(**values: Any) -> None:
    """Write columns of that row, as time or another process would have."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        OAuthToken.objects.update(**values)


def change_config(**values: Any) -> None:
    """Write columns of the config's row."""
    with tenant_scope(Tenant.objects.get(slug="acme").id):
        AuthConfig.objects.update(**values)


def store_token(**values: Any) -> None:
    """Save columns of that row, sealed ones too, as whoever holds the lease would."""
    row = stored_token()
    for name, value in values.items():
        setattr(row, name, value)
    with tenant_scope(row.tenant_id):
        row.save()


def database_url() -> str:
    """The database of the tests, for another process."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"], safe="")
    return f"postgres://{user}:{password}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"
