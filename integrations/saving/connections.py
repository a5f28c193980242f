"""The one save path of connections, and with it the only way for an API's origin onto an auth config's list."""

from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from authconfigs import origins
from authconfigs.methods.base import Change
from authconfigs.models import AuthConfig
from authconfigs.outgoing import origin_of
from authconfigs.saving import (
    InvalidDraft,
    SavedConfig,
    conflict,
    current_credential,
    delete,
    draft_of,
    save_config,
    typed_secrets,
)
from integrations.models import Connection, Integration
from integrations.saving.drafts import ConnectionDraft, SavedConnection
from integrations.saving.judging import connection_errors
from tenants import audit
from tenants.models import Environment

_API = origins.Purpose.API


def save_connection(
    draft: ConnectionDraft,
    *,
    integration: Integration,
    environment: Environment,
    connection: Connection | None = None,
    as_admin: bool = False,
    widen_origins: bool = False,
    seen_revision: int | None = None,
) -> SavedConnection:
    """Make or change a connection of the integration in the environment.

    as_admin: whoever acts is an admin of the tenant. widen_origins: the operator describes origins by file, so nothing is
    asked for new ones. seen_revision: the revision number that the form was drawn from, if it isn't that of `connection`.

    Nothing is written when nothing changes. Raises InvalidDraft, also where the auth config's credential would go to an
    origin that it wasn't entered for, and EditConflict when somebody else was faster.
    """
    row = connection or Connection(integration=integration, environment=environment)
    values = _values(draft, connection, integration)
    errors = connection_errors(values, draft.auth_config, connection=row)
    if errors:
        raise InvalidDraft(errors)
    config, origin = draft.auth_config, origin_of(draft.base_url)
    demand = origins.NOTHING
    if config is not None and not widen_origins:
        demand = origins.demand(config, current_credential(config), origin=origin, purpose=_API)
        typed = typed_secrets(config, draft.secrets)
        unmet = demand.unmet(typed, as_admin=as_admin, field="base_url")
        if unmet:
            raise InvalidDraft(unmet)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if not (changed or draft.secrets or _is_unlisted(config, origin)):
        return SavedConnection(row, False, (), Change.NOTHING, (), ())
    try:
        with transaction.atomic():
            retyped = _retype(config, draft, for_origin=bool(demand.secrets))
            left = _write(row, values, changed=changed, seen=seen_revision)
            added = _list_origin(config, origin)
            if left is not None:
                _unlist_unused(left)
    except IntegrityError:
        raise conflict(row) from None
    return SavedConnection(
        connection=row,
        created=connection is None,
        fields=tuple(name.removesuffix("_id") for name in changed),
        change=retyped.change if retyped is not None else Change.NOTHING,
        notes=retyped.notes if retyped is not None else (),
        added_origins=added,
    )


def delete_connection(connection: Connection) -> None:
    """Delete a connection; its auth config's credential no longer goes to where it led, unless another one leads there."""
    config = connection.auth_config
    with transaction.atomic():
        delete(connection)
        if config is not None:
            _unlist_unused(config)


def _values(
    draft: ConnectionDraft, connection: Connection | None, integration: Integration
) -> dict[str, Any]:
    """The columns as they are to be."""
    kept = connection.revision_id if connection is not None else integration.head_id
    return {
        "name": draft.name,
        "base_url": draft.base_url,
        "auth_config_id": draft.auth_config.id if draft.auth_config is not None else None,
        "revision_id": draft.revision.id if draft.revision is not None else kept,
        "timeout": draft.timeout,
        "test_method": draft.test_method.upper(),
        "test_path": draft.test_path,
        "test_headers": dict(draft.test_headers),
        "test_body": draft.test_body,
        "test_expect": list(draft.test_expect),
        "negative_control": draft.negative_control,
    }


def _write(
    row: Connection, values: dict[str, Any], *, changed: list[str], seen: int | None
) -> AuthConfig | None:
    """Store the columns; the config whose credential may lead to less since then."""
    if not changed:
        return None
    is_new = row._state.adding
    left = row.auth_config if {"base_url", "auth_config_id"} & set(changed) else None
    values = {**values, "host": urlsplit(values["base_url"]).hostname or ""}
    for name, value in values.items():
        setattr(row, name, value)
    if is_new:
        row.save(force_insert=True)
    else:
        seen = seen or row.revision_number
        row.revision_number = seen + 1
        rows = Connection.objects.filter(id=row.id, revision_number=seen)
        if not rows.update(**values, revision_number=row.revision_number):
            raise conflict(row)
    fields = [name.removesuffix("_id") for name in changed]
    audit.record("create" if is_new else "change", row, fields=fields)
    return left


def _retype(
    config: AuthConfig | None, draft: ConnectionDraft, *, for_origin: bool
) -> SavedConfig | None:
    if config is None or not draft.secrets:
        return None
    return save_config(
        draft_of(config, secrets=draft.secrets),
        environment=config.environment,
        config=config,
        retyped_for_origin=for_origin,
    )


def _is_unlisted(config: AuthConfig | None, origin: str) -> bool:
    return config is not None and origin not in origins.listed(config, _API)


def _list_origin(config: AuthConfig | None, origin: str) -> tuple[str, ...]:
    """Let the config's credential go to the origin."""
    if config is None:
        return ()
    added = origins.add(config, [origin], purpose=_API)
    if added and not origins.refresh_hosts(config):
        # Its secrets may be others by now, set by somebody who knew nothing of this origin.
        raise conflict(config)
    return added


def _unlist_unused(config: AuthConfig) -> None:
    urls = Connection.objects.filter(auth_config=config).values_list("base_url", flat=True)
    if origins.keep_only(config, map(origin_of, urls), purpose=_API):
        origins.refresh_hosts(config)
