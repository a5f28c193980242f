"""Rows for tests. Each factory opens the tenant's scope itself and takes defaults for what a test doesn't care about."""

from collections.abc import Mapping
from typing import Any, cast

from django.test import Client
from django.utils import timezone

from authconfigs import origins
from authconfigs.models import AuthConfig
from authconfigs.outgoing import origin_of
from authconfigs.saving import ConfigDraft, save_config
from integrations.models import Connection, Integration, IntegrationRevision
from integrations.saving.revisions import revision_of
from tenants import sessions
from tenants.models import Environment, Membership, Tenant, User
from tenants.roles import Role
from tenants.scope import tenant_scope

BACKEND = "tenants.backend.RoleBackend"


def make_tenant(slug: str = "acme", *, name: str | None = None, disabled: bool = False) -> Tenant:
    return Tenant.objects.create(
        slug=slug,
        name=slug.title() if name is None else name,
        disabled_at=timezone.now() if disabled else None,
    )


def make_user(
    username: str = "robin",
    *,
    home: Tenant | None = None,
    password: str | None = None,
    superuser: bool = False,
    active: bool = True,
) -> User:
    """A person without any membership."""
    return User.objects.create_user(
        username,
        f"{username.partition('@')[0]}@mail.example",
        password,
        home_tenant=home,
        is_superuser=superuser,
        is_active=active,
    )


def make_membership(user: User, tenant: Tenant, role: Role = Role.ADMIN) -> Membership:
    with tenant_scope(tenant.id):
        return Membership.objects.create(user=user, role=role)


def make_member(
    tenant: Tenant, role: Role = Role.ADMIN, *, username: str | None = None, **fields: Any
) -> User:
    """A person at home in the tenant, with a role there. The login is the role unless given."""
    user = make_user(username or f"{role.value}@{tenant.slug}", home=tenant, **fields)
    make_membership(user, tenant, role)
    return user


def make_environment(
    tenant: Tenant, slug: str = "staging", *, protected: bool = False, name: str | None = None
) -> Environment:
    with tenant_scope(tenant.id):
        return Environment.objects.create(
            slug=slug, name=slug.title() if name is None else name, protected=protected
        )


def make_config(
    environment: Environment,
    name: str = "billing",
    *,
    method: str = "bearer",
    options: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    **draft: Any,
) -> AuthConfig:
    """A config with sealed secrets, saved as pages and files save it; a bearer token `planted-token` unless told."""
    if secrets is None:
        secrets = {"token": "planted-token"} if method == "bearer" else {}
    wanted = ConfigDraft(
        name=name, method=method, options=options or {}, secrets=dict(secrets), **draft
    )
    with tenant_scope(environment.tenant_id):
        return save_config(wanted, environment=environment, widen_origins=True).config


def make_integration(
    tenant: Tenant,
    slug: str = "billing",
    *,
    name: str | None = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Integration:
    with tenant_scope(tenant.id):
        integration = Integration(slug=slug, name=slug.title() if name is None else name)
        integration.save()
        integration.head = revision_of(integration, headers or {}, query or {})
        integration.save()
        return integration


def make_connection(
    integration: Integration,
    environment: Environment,
    config: AuthConfig | None = None,
    *,
    base_url: str = "https://api.example.com/v1",
    name: str = "default",
    **columns: Any,
) -> Connection:
    """A connection that runs the integration's head; its origin is allowed for the config.

    A last test that the columns tell of was of what is saved now.
    """
    if "last_test_ok" in columns:
        seen = config.revision if config is not None else 0
        known = {"last_test_revision": 1, "last_test_config_revision": seen}
        columns = {"last_test_at": timezone.now(), **known, **columns}
    with tenant_scope(integration.tenant_id):
        if config is not None:
            origins.add(config, [origin_of(base_url)], purpose=origins.Purpose.API)
        return Connection.objects.create(
            integration=integration,
            environment=environment,
            auth_config=config,
            revision=cast("IntegrationRevision", integration.head),
            base_url=base_url,
            name=name,
            **columns,
        )


def log_in(client: Client, user: User, *, tenant: Tenant | None = None) -> None:
    """Log the user in, and into the tenant; left out, the session picks its own at the first page."""
    client.force_login(user, backend=BACKEND)
    if tenant is not None:
        session = client.session
        session[sessions.KEY] = str(tenant.id)
        session.save()


def posted(tenant: Tenant, **data: Any) -> dict[str, Any]:
    """The data of a form that was drawn in the tenant."""
    return {**data, "_tenant": str(tenant.id)}
