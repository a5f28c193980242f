"""Access tokens in plain text: what a call gets, and the process's cache of the stored ones."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from authconfigs.cache import VersionedCache
from authconfigs.database import released_connection
from authconfigs.errors import SecretUnreadable
from authconfigs.fields import Sealed
from authconfigs.models import OAuthToken
from authconfigs.state import CACHED_CONFIGS, ConfigState, TokenState
from tenants.scope import tenant_scope


@dataclass(frozen=True)
class Token:
    """An access token for one call. `refreshed`: this call obtained it. `detail` is for the steps of a test."""

    value: str = field(repr=False)
    generation: int
    refreshed: bool
    expires_at: datetime | None
    detail: str


def opened(*sealed: Sealed | None) -> tuple[str, ...]:
    """The texts of stored tokens, without those that aren't there or that no key opens: for what may not repeat them."""
    texts = []
    for one in sealed:
        with suppress(SecretUnreadable):
            texts.append(str(one.reveal()) if one is not None else "")
    return tuple(filter(None, texts))


_values: VersionedCache[str] = VersionedCache(CACHED_CONFIGS)


def keep(state: ConfigState, generation: int, *, value: str) -> None:
    """Remember the value of a token that was just stored for the config as it is in `state`."""
    _values.put(state.config_id, (state.token_revision, generation), value=value)


def stored_value(state: ConfigState, token: TokenState) -> str | None:
    """The access token that the row tells of; None when the row has moved on. Raises SecretUnreadable."""
    version = (token.token_revision, token.generation)
    value = _values.get(state.config_id, version)
    if value is None:
        with tenant_scope(state.tenant_id), released_connection():
            row = OAuthToken.objects.filter(
                config_id=state.config_id,
                generation=token.generation,
                token_revision=token.token_revision,
            ).first()
        if row is None or row.access_token is None:
            return None
        value = str(row.access_token.reveal())
        _values.put(state.config_id, version, value=value)
    return value


def expiry(expires_at: datetime | None, *, now: datetime) -> str:
    """When a token ends, in words: "expires in 41 min"."""
    if expires_at is None:
        return "no expiry known"
    seconds = (expires_at - now).total_seconds()
    if seconds <= 0:
        return "good for this call only"
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"expires in {seconds // size:.0f} {unit}"
    return f"expires in {seconds:.0f} s"
