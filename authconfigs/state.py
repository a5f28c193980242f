"""Everything that using one auth config needs, read by one narrow query; unsealed values come from the process's cache.

The query says which revision of a config and which generation of its token are current. The cache is keyed by those
numbers, so a change is seen by the next call in every process, and nobody has to tell the others of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from authconfigs import methods
from authconfigs.cache import VersionedCache
from authconfigs.database import as_time, as_uuid, fetch_one, released_connection
from authconfigs.errors import ConfigInvalid, OutboundError, PolicyRefused
from authconfigs.methods.base import AuthMethod
from authconfigs.methods.unknown import UnknownMethod
from authconfigs.models import AllowedOrigin, Credential
from authconfigs.paths import UNSENDABLE
from authconfigs.symptoms import Stage, Symptom
from tenants.scope import tenant_scope

CACHED_CONFIGS = 10_000


class UnknownName(LookupError):
    """There is nothing of that name, or no more; the message says what."""


class ConfigEdited(OutboundError):
    """The config was edited between the query and what came of it: read it again and repeat."""

    def __init__(self, *, stage: Stage = Stage.CONFIG) -> None:
        super().__init__(
            "The auth config was edited while it was being used.",
            symptom=Symptom.CONFIG_INVALID,
            stage=stage,
            permanent=False,
        )


class PlainFields(dict[str, Any]):
    """Options and secrets in plain text; the repr has their names alone. Raises ConfigInvalid for one that is missing."""

    def __missing__(self, name: str) -> Any:
        raise ConfigInvalid(f"The auth config has no {name}: edit it and fill that in.")

    def __repr__(self) -> str:
        return f"PlainFields({', '.join(self)})"


@dataclass(frozen=True)
class TokenState:
    """The row of a config's token, without the token."""

    state: str
    generation: int
    attempt: int
    token_revision: int
    has_access_token: bool
    has_refresh_token: bool
    expires_at: datetime | None
    refresh_after: datetime | None
    lease_expires_at: datetime | None
    next_attempt_at: datetime | None
    retry_after_until: datetime | None
    failures: int
    failure_symptom: str
    failure_summary: str
    failure_error: str
    failure_status: int | None


@dataclass(frozen=True)
class ConfigState:
    """One auth config as it was at `read_at`, which is the database's time; `token` is None for methods without one."""

    tenant_id: UUID
    tenant_slug: str
    tenant_off: bool
    environment_id: UUID
    environment: str
    protected: bool
    config_id: UUID
    name: str
    method: AuthMethod
    revision: int
    token_revision: int
    config_off: bool
    api_origins: frozenset[str]
    token_origins: frozenset[str]
    token: TokenState | None
    read_at: datetime = field(compare=False)

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """Options and secrets, in plain text.

        Raises SecretUnreadable, or ConfigEdited when the config isn't at this revision any more.
        """
        known = _fields.get(self.config_id, self.revision)
        if known is None:
            revision, known = _unsealed(self)
            _fields.put(self.config_id, revision, value=known)
            if revision != self.revision:
                raise ConfigEdited
        return known

    def refuse_if_off(self) -> None:
        """Raises PolicyRefused at stage config when the tenant, the config or its method is switched off, ConfigInvalid when there is no such method."""
        if self.tenant_off:
            raise PolicyRefused(
                f"The tenant {self.tenant_slug} is switched off.", stage=Stage.CONFIG
            )
        if self.config_off:
            raise PolicyRefused(f"The auth config {self.name} is switched off.", stage=Stage.CONFIG)
        if isinstance(self.method, UnknownMethod):
            raise ConfigInvalid(self.method.problem)
        if not self.method.available():
            raise PolicyRefused(
                f"The operator of this console has switched off the method {self.method.label}.",
                stage=Stage.CONFIG,
            )

    def __str__(self) -> str:
        return f"{self.tenant_slug}/{self.name}"


_fields: VersionedCache[Mapping[str, Any]] = VersionedCache(CACHED_CONFIGS)


def _unsealed(state: ConfigState) -> tuple[int, Mapping[str, Any]]:
    # One statement, so that the values and the revision that they are kept under belong together.
    with tenant_scope(state.tenant_id), released_connection():
        credential = (
            Credential.objects.select_related("config")
            .only("tenant_id", "config_id", "options", "secrets", "config__revision")
            .filter(config_id=state.config_id, slot=Credential.Slot.CURRENT)
            .first()
        )
    if credential is None:
        raise ConfigEdited
    secrets = credential.secrets.reveal() if credential.secrets is not None else {}
    return credential.config.revision, PlainFields({**credential.options, **secrets})


# The query's table aliases: t tenant, e environment, a auth config, k its token.
PLACE_COLUMNS = "t.id, t.slug, t.disabled_at IS NOT NULL, e.id, e.slug, e.protected"
CONFIG_COLUMNS = """
    a.id, a.name, a.method, a.revision, a.token_revision, a.disabled_at IS NOT NULL,
    (SELECT {join_texts}(o.purpose || ' ' || o.origin, ' ')
        FROM authconfigs_allowedorigin o WHERE o.config_id = a.id),
    k.state, k.generation, k.attempt, k.token_revision,
    k.access_token IS NOT NULL, k.refresh_token IS NOT NULL,
    k.expires_at, k.refresh_after, CASE WHEN k.lease_owner IS NULL THEN NULL ELSE k.lease_expires_at END,
    k.next_attempt_at, k.retry_after_until, k.failures,
    k.failure_symptom, k.failure_summary, k.failure_error, k.failure_status,
    {now}"""
_FROM = """
    FROM authconfigs_authconfig a
    JOIN tenants_tenant t ON t.id = a.tenant_id
    JOIN tenants_environment e ON e.id = a.environment_id
    LEFT JOIN authconfigs_oauthtoken k ON k.config_id = a.id"""
_BY_ID = f"SELECT {PLACE_COLUMNS}, {CONFIG_COLUMNS} {_FROM} WHERE a.id = %s"
_BY_NAME = f"SELECT {PLACE_COLUMNS}, {CONFIG_COLUMNS} {_FROM} WHERE t.slug = %s AND e.slug = %s AND a.name = %s"


def load_config(config_id: UUID) -> ConfigState:
    """The config as it is now. Raises UnknownName when it is gone."""
    return _loaded(fetch_one(_BY_ID, [config_id]), "The auth config isn't there any more.")


def load_named_config(tenant: str, name: str, *, environment: str) -> ConfigState:
    """As `load_config`, by its names."""
    refuse_bytes((tenant, environment, name))
    row = fetch_one(_BY_NAME, [tenant, environment, name])
    return _loaded(row, f"There is no auth config {tenant}/{name} in environment {environment}.")


def refuse_bytes(names: Iterable[str]) -> None:
    """Raises UnknownName for a name with bytes of the command line that aren't UTF-8: no database takes it."""
    if any(UNSENDABLE.search(name) for name in names):
        raise UnknownName("A name holds what isn't text: slugs have letters, digits and hyphens.")


def _loaded(row: Sequence[Any] | None, missing: str) -> ConfigState:
    if row is None:
        raise UnknownName(missing)
    return config_from(row[:6], row[6:])


def read_time(row: Sequence[Any]) -> datetime:
    """When the database answered, from a row that ends with CONFIG_COLUMNS."""
    return as_time(row[-1]) or timezone.now()


def config_from(place: Sequence[Any], columns: Sequence[Any]) -> ConfigState:
    """The state that PLACE_COLUMNS and CONFIG_COLUMNS tell of."""
    tenant_id, tenant_slug, tenant_off, environment_id, environment, protected = place
    config_id, name, code, revision, token_revision, config_off, origins, *token, _ = columns
    words = (origins or "").split()
    listed = set(zip(words[::2], words[1::2], strict=True))
    return ConfigState(
        tenant_id=as_uuid(tenant_id),
        tenant_slug=tenant_slug,
        tenant_off=bool(tenant_off),
        environment_id=as_uuid(environment_id),
        environment=environment,
        protected=bool(protected),
        config_id=as_uuid(config_id),
        name=name,
        method=methods.stored(code),
        revision=revision,
        token_revision=token_revision,
        config_off=bool(config_off),
        api_origins=_for(AllowedOrigin.Purpose.API, listed),
        token_origins=_for(AllowedOrigin.Purpose.TOKEN, listed),
        token=_token_from(token) if token[0] is not None else None,
        read_at=read_time(columns),
    )


def with_fields(
    state: ConfigState, options: Mapping[str, Any], secrets: Mapping[str, Any]
) -> ConfigState:
    """The state with its fields, where they were read in the same statement: nothing is looked up for them."""
    state.__dict__["fields"] = PlainFields({**options, **secrets})
    return state


def _for(purpose: str, listed: set[tuple[str, str]]) -> frozenset[str]:
    return frozenset(origin for of, origin in listed if of == purpose)


def _token_from(columns: Sequence[Any]) -> TokenState:
    state, generation, attempt, token_revision, access, refresh, *rest = columns
    expires_at, refresh_after, lease, next_attempt, retry_after, failures, *failure = rest
    symptom, summary, error, status = failure
    return TokenState(
        state=state,
        generation=generation,
        attempt=attempt,
        token_revision=token_revision,
        has_access_token=bool(access),
        has_refresh_token=bool(refresh),
        expires_at=as_time(expires_at),
        refresh_after=as_time(refresh_after),
        lease_expires_at=as_time(lease),
        next_attempt_at=as_time(next_attempt),
        retry_after_until=as_time(retry_after),
        failures=failures,
        failure_symptom=symptom,
        failure_summary=summary,
        failure_error=error,
        failure_status=status,
    )
