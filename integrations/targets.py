"""What a call needs to know of its connection: one narrow query over the connection, its revision, config and token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from authconfigs.cache import VersionedCache
from authconfigs.database import as_uuid, fetch_one, released_connection
from authconfigs.errors import PolicyRefused
from authconfigs.models import Credential
from authconfigs.state import (
    CONFIG_COLUMNS,
    PLACE_COLUMNS,
    ConfigEdited,
    ConfigState,
    UnknownName,
    config_from,
    read_time,
    refuse_bytes,
)
from authconfigs.symptoms import Stage
from integrations.diagnosis import facts_of_options, without_query
from integrations.models import Integration, IntegrationRevision
from tenants.models import Environment, Tenant
from tenants.scope import tenant_scope

_Result = TypeVar("_Result")

DEFAULT_CONNECTION = "default"
CACHED_REVISIONS = 10_000


@dataclass(frozen=True)
class Name:
    """What a connection is called: by its tenant, integration, environment and own name."""

    tenant: str
    integration: str
    environment: str
    connection: str = DEFAULT_CONNECTION

    def __str__(self) -> str:
        shown = "" if self.connection == DEFAULT_CONNECTION else f":{self.connection}"
        return f"{self.tenant}/{self.integration}{shown}"


@dataclass(frozen=True)
class Target:
    """One connection as it was at `read_at`; `config` is None for one without authentication.

    `config_elsewhere`: its config is another environment's, so it can't be used.
    """

    name: Name
    tenant_id: UUID
    tenant_off: bool
    environment_id: UUID
    protected: bool
    connection_id: UUID
    revision_number: int
    base_url: str
    timeout: float | None
    revision_id: UUID
    config: ConfigState | None
    config_elsewhere: bool
    read_at: datetime

    @property
    def standing(self) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        """The headers and the query that go out always: those of the integration's revision."""
        # A revision never changes, so its id is its version.
        known = _standing.get(self.revision_id, None)
        if known is None:
            with tenant_scope(self.tenant_id), released_connection():
                revision = IntegrationRevision.objects.get(id=self.revision_id)
            known = (revision.headers, revision.query)
            _standing.put(self.revision_id, None, value=known)
        return known

    @property
    def facts(self) -> dict[str, str]:
        """What a diagnosis may name; nothing secret. Reads the database, so it is for when something went wrong."""
        facts = {
            "connection": str(self.name),
            "environment": self.name.environment,
            "base_url": without_query(self.base_url),
        }
        return facts if self.config is None else facts | facts_of(self.config)

    def refuse_if_off(self) -> None:
        """Raises OutboundError at stage config when the tenant or the config is switched off, or the config can't be used."""
        if self.config_elsewhere:
            raise PolicyRefused(
                "The connection's auth config belongs to another environment.", stage=Stage.CONFIG
            )
        if self.tenant_off:
            raise PolicyRefused(
                f"The tenant {self.name.tenant} is switched off.", stage=Stage.CONFIG
            )
        if self.config is not None:
            self.config.refuse_if_off()


def facts_of(config: ConfigState) -> dict[str, str]:
    """What a diagnosis may name of a config: its name, method and options, also where its secrets can't be read."""
    with tenant_scope(config.tenant_id), released_connection():
        options = (
            Credential.objects.filter(config_id=config.config_id, slot=Credential.Slot.CURRENT)
            .values_list("options", flat=True)
            .first()
        )
    return {
        "auth_config": config.name,
        "environment": config.environment,
        "method": config.method.label,
        **facts_of_options(config.method, options or {}),
    }


_standing: VersionedCache[tuple[Mapping[str, str], Mapping[str, Any]]] = VersionedCache(
    CACHED_REVISIONS
)

# i integration, c connection; the others are those of the config's columns.
_QUERY = f"""
    SELECT {PLACE_COLUMNS},
        c.id, c.revision_number, c.base_url, c.timeout, c.revision_id, c.auth_config_id IS NOT NULL,
        {CONFIG_COLUMNS}
    FROM tenants_tenant t
    JOIN integrations_integration i ON i.tenant_id = t.id AND i.slug = %s
    JOIN tenants_environment e ON e.tenant_id = t.id AND e.slug = %s
    JOIN integrations_connection c
        ON c.integration_id = i.id AND c.environment_id = e.id AND c.name = %s
    LEFT JOIN authconfigs_authconfig a
        ON a.id = c.auth_config_id AND a.tenant_id = t.id AND a.environment_id = e.id
    LEFT JOIN authconfigs_oauthtoken k ON k.config_id = a.id
    WHERE t.slug = %s
"""  # noqa: S608 - made of constants


def load_target(name: Name) -> Target:
    """The connection as it is now.

    Raises UnknownName, which says what.
    """
    typed = [name.integration, name.environment, name.connection, name.tenant]
    refuse_bytes(typed)
    row = fetch_one(_QUERY, typed)
    if row is None:
        raise UnknownName(_unknown(name))
    place = row[:6]
    connection_id, revision_number, base_url, timeout, revision_id, authenticated = row[6:12]
    config = config_from(place, row[12:]) if row[12] is not None else None
    return Target(
        name=name,
        tenant_id=as_uuid(place[0]),
        tenant_off=bool(place[2]),
        environment_id=as_uuid(place[3]),
        protected=bool(place[5]),
        connection_id=as_uuid(connection_id),
        revision_number=revision_number,
        base_url=base_url,
        timeout=timeout,
        revision_id=as_uuid(revision_id),
        config=config,
        config_elsewhere=config is None and bool(authenticated),
        read_at=read_time(row),
    )


def unless_edited(target: Target, use: Callable[[Target], _Result]) -> _Result:
    """What `use` gives; when the config is edited meanwhile, once more with the connection as it is then."""
    try:
        return use(target)
    except ConfigEdited:
        return use(load_target(target.name))


def _unknown(name: Name) -> str:
    with released_connection():
        tenant = Tenant.objects.filter(slug=name.tenant).first()
        if tenant is None:
            return f"There is no tenant {name.tenant}. Check how its slug is spelt."
        with tenant_scope(tenant.id):
            if not Environment.objects.filter(slug=name.environment).exists():
                return f"{name.tenant} has no environment {name.environment}. Check how its slug is spelt."
            if not Integration.objects.filter(slug=name.integration).exists():
                return f"{name.tenant} has no integration {name.integration}. Check how its slug is spelt."
    return (
        f"{name.tenant}/{name.integration} has no connection {name.connection} in environment"
        f" {name.environment}. Name one that it has, or add it."
    )
