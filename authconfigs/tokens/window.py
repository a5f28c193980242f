"""A window of the bulk refresh: leases for some configs by one UPDATE, and all that their exchanges need by one query."""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from authconfigs.database import database_now, fetch_all
from authconfigs.datakeys import Keychain
from authconfigs.errors import OutboundError, SecretUnreadable, TokenFailed
from authconfigs.fields import SealedField, Stored
from authconfigs.models import Credential, OAuthToken
from authconfigs.state import (
    CONFIG_COLUMNS,
    PLACE_COLUMNS,
    ConfigState,
    TokenState,
    config_from,
    with_fields,
)
from authconfigs.symptoms import Symptom
from authconfigs.tokens.due import may_be_asked
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.lease import Lease, length
from authconfigs.tokens.outcomes import Outcome
from authconfigs.tokens.renewal import RefreshToken
from authconfigs.tokens.verdict import Fail, verdict

logger = logging.getLogger(__name__)

_PLAIN_COLUMNS = 4
_LEASED = f"""
    SELECT {PLACE_COLUMNS}, {CONFIG_COLUMNS}, c.options, c.secrets, k.refresh_token, k.access_token
    FROM authconfigs_oauthtoken k
    JOIN authconfigs_authconfig a ON a.id = k.config_id
    JOIN tenants_tenant t ON t.id = a.tenant_id
    JOIN tenants_environment e ON e.id = a.environment_id
    JOIN authconfigs_credential c ON c.config_id = a.id AND c.slot = %s
    WHERE k.lease_owner = %s AND k.config_id IN """  # noqa: S608 - constants


@dataclass(frozen=True)
class Work:
    """One exchange that is ours to make."""

    lease: Lease
    asked_at: datetime
    refresh_token: RefreshToken | None
    stored: tuple[str, ...] = field(repr=False)


def take_window(config_ids: Sequence[UUID]) -> tuple[list[Work], list[Outcome]]:
    """Take the leases of those that are still due and free: what is to be asked, and what fails without asking.

    Needs a scope that sees all tenants.
    """
    now, owner = database_now(), uuid4()
    # Nothing but the row's own columns: PostgreSQL judges again those that another process has just changed.
    rows = OAuthToken.objects.filter(may_be_asked(now), config_id__in=config_ids)
    if not rows.update(lease_owner=owner, lease_expires_at=now + length()):
        return [], []
    keys, works, failed = Keychain(), [], []
    places = ", ".join(["%s"] * len(config_ids))
    for row in fetch_all(f"{_LEASED} ({places})", [Credential.Slot.CURRENT, owner, *config_ids]):
        columns, plain = row[:-_PLAIN_COLUMNS], row[-_PLAIN_COLUMNS:]
        try:
            state = config_from(columns[:6], columns[6:])
        except Exception as error:
            # Its lease runs out by itself; the others of the window go on.
            logger.error("The config %s can't be read: %s", columns[6], type(error).__name__)
            continue
        lease = Lease(state, cast("TokenState", state.token), owner=owner)
        try:
            state.refuse_if_off()
        except OutboundError:
            lease.release()
            continue
        try:
            works.append(Work(lease, now, *_opened(lease, plain, keys=keys)))
        except Exception as error:
            failed.append(Outcome(lease, now, failure_from(error)))
    return works, failed


def failure_from(error: Exception) -> TokenFailed:
    """What to store for a config whose exchange, or what leads to it, ended with this exception."""
    if isinstance(error, TokenFailed):
        return error
    if isinstance(error, OutboundError):
        return TokenFailed.from_error(error)
    broken = f"The refresh broke off inside of the console ({type(error).__name__})."
    return TokenFailed(broken, symptom=Symptom.PROVIDER_ERROR, permanent=False)


def _opened(
    lease: Lease, plain: Sequence[Any], *, keys: Keychain
) -> tuple[RefreshToken | None, tuple[str, ...]]:
    """Unseal the fields and the tokens: the refresh token, and both as texts.

    Raises SecretUnreadable, and TokenFailed where only a person can renew it.
    """
    options, secrets, refresh_token, access_token = plain
    state = lease.state
    with_fields(
        state,
        json.loads(options) if isinstance(options, str) else options,
        _revealed(Credential, "secrets", secrets, state=state, keys=keys) if secrets else {},
    )
    known, stored = None, list[str]()
    if refresh_token is not None:
        value = _revealed(OAuthToken, "refresh_token", refresh_token, state=state, keys=keys)
        place = _place(OAuthToken, "refresh_token", state)
        known = RefreshToken(Stored(bytes(refresh_token), place), value)
        stored.append(value)
    if access_token is not None:
        # One that no key opens is replaced by this very exchange.
        with suppress(SecretUnreadable):
            stored.append(
                _revealed(OAuthToken, "access_token", access_token, state=state, keys=keys)
            )
    found = verdict(state, lease.seen, grant=GRANTS[state.method.code], now=state.read_at)
    if isinstance(found, Fail):
        raise found.failure
    return known, tuple(stored)


def _revealed(
    model: type[Credential | OAuthToken],
    name: str,
    ciphertext: bytes,
    *,
    state: ConfigState,
    keys: Keychain,
) -> Any:
    return keys.reveal(bytes(ciphertext), _place(model, name, state))


def _place(model: type[Credential | OAuthToken], name: str, state: ConfigState) -> Any:
    column = cast("SealedField", model._meta.get_field(name))
    return column.place(tenant_id=state.tenant_id, row_id=state.config_id)
