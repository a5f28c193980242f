"""The database as a file that makes the same again. Secrets are placeholders that name a variable each."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from authconfigs.models import AuthConfig
from authconfigs.saving import current_credential
from integrations.models import Connection, Integration
from tenants.models import Environment, Membership, Tenant, User
from tenants.scope import tenant_scope

_NOT_IN_A_VARIABLE = re.compile(r"[^A-Z0-9_]")


class Placeholders:
    """Hands out variable names; what would collide gets a number. One secret always has one name."""

    def __init__(self) -> None:
        self._owners: dict[str, Any] = {}

    def name(self, owner: object, *parts: str) -> str:
        """`${env:OAC_...}` for the secret of this owner."""
        base = "OAC_" + "__".join(_NOT_IN_A_VARIABLE.sub("_", part.upper()) for part in parts)
        name, number = base, 1
        while self._owners.setdefault(name, owner) != owner:
            number += 1
            name = f"{base}_{number}"
        return f"${{env:{name}}}"


def export(tenants: Iterable[Tenant]) -> dict[str, Any]:
    """What `apply` would make these tenants of, in a stable order."""
    placeholders = Placeholders()
    return {"version": 1, "tenants": [_tenant(tenant, placeholders) for tenant in tenants]}


def _tenant(tenant: Tenant, placeholders: Placeholders) -> dict[str, Any]:
    with tenant_scope(tenant.id):
        return {
            "slug": tenant.slug,
            "name": tenant.name,
            **_only(disabled=tenant.disabled_at is not None),
            "environments": [
                {"slug": row.slug, "name": row.name, **_only(protected=row.protected)}
                for row in Environment.objects.order_by("slug")
            ],
            "staff": [_person(row, placeholders) for row in _staff()],
            "auth_configs": [_config(row, tenant, placeholders) for row in _configs()],
            "integrations": _integrations(),
        }


def _only(**values: Any) -> dict[str, Any]:
    """What isn't at its default."""
    return {name: value for name, value in values.items() if value}


def _staff() -> Iterable[Membership]:
    rows = Membership.objects.select_related("user__home_tenant")
    # Platform operators are nobody's staff: a file couldn't make one.
    return rows.filter(user__is_superuser=False).order_by("user__username")


def _person(row: Membership, placeholders: Placeholders) -> dict[str, Any]:
    user: User = row.user
    home = user.home_tenant
    password = {}
    if user.has_usable_password():
        password = {"password": placeholders.name(user.id, user.username, "password")}
    return {
        "username": user.username,
        **_only(email=user.email),
        "role": row.role,
        **_only(home=home.slug if home is not None and home.id != row.tenant_id else None),
        **password,
    }


def _configs() -> Iterable[AuthConfig]:
    rows = AuthConfig.objects.select_related("environment", "owner")
    return rows.prefetch_related("credentials").order_by("environment__slug", "name")


def _config(row: AuthConfig, tenant: Tenant, placeholders: Placeholders) -> dict[str, Any]:
    credential = current_credential(row)
    place = (tenant.slug, row.environment.slug, row.name)
    secrets = {
        name: _secret(placeholders, (row.id, name), (*place, name), state=state)
        for name, state in sorted(credential.secret_state.items())
    }
    return {
        "name": row.name,
        "environment": row.environment.slug,
        **_only(
            description=row.description,
            owner=row.owner.username if row.owner is not None else None,
            rotate_by=row.rotate_by.isoformat() if row.rotate_by is not None else None,
            disabled=row.disabled_at is not None,
        ),
        "method": row.method,
        "options": credential.options,
        **_only(secrets=secrets),
    }


def _secret(
    placeholders: Placeholders,
    owner: tuple[Any, ...],
    place: tuple[str, ...],
    *,
    state: Mapping[str, Any],
) -> Any:
    """A placeholder, or those of a mapping's values, or of a list's items."""
    if "keys" in state:
        return {
            key: _secret(placeholders, (*owner, key), (*place, key), state=known)
            for key, known in sorted(state["keys"].items())
        }
    if "values" in state:
        return [placeholders.name((*owner, index), *place) for index in range(state["values"])]
    return placeholders.name(owner, *place)


def _integrations() -> list[dict[str, Any]]:
    connections: dict[Any, list[dict[str, Any]]] = {}
    rows = Connection.objects.select_related(
        "environment", "auth_config", "revision", "integration"
    )
    for row in rows.order_by("environment__slug", "name"):
        connections.setdefault(row.integration_id, []).append(_connection(row))
    return [
        {
            "slug": row.slug,
            "name": row.name,
            "headers": row.head.headers if row.head is not None else {},
            "query": row.head.query if row.head is not None else {},
            "connections": connections.get(row.id, []),
        }
        for row in Integration.objects.select_related("head").order_by("slug")
    ]


def _connection(row: Connection) -> dict[str, Any]:
    own = {}
    if row.revision_id != row.integration.head_id:
        own = {"headers": row.revision.headers, "query": row.revision.query}
    return {
        "environment": row.environment.slug,
        "name": row.name,
        "base_url": row.base_url,
        "auth_config": row.auth_config.name if row.auth_config is not None else None,
        **_only(timeout=row.timeout),
        **own,
        "test": {
            "method": row.test_method,
            "path": row.test_path,
            "headers": row.test_headers,
            "body": row.test_body,
            "expect": row.test_expect,
            "negative_control": row.negative_control,
        },
    }
