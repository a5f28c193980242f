"""The lease: who of all processes talks to a config's token endpoint. One conditional UPDATE each, never a lock.

Every function takes `now`, the database's time. How an exchange ended is written by compare-and-swap: only while the lease
is still the owner's and neither the token nor the config has moved on. So a late result never overwrites a newer one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from authconfigs.fields import Sealed
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.state import ConfigState, TokenState

FREE: dict[str, Any] = {"lease_owner": None, "lease_expires_at": None}


@dataclass(frozen=True)
class Lease:
    """The right to one exchange for a config, as long as nothing else happens to its token: `seen` is what was read."""

    state: ConfigState
    seen: TokenState
    owner: UUID

    def take(self, now: datetime) -> bool:
        """Whether it is ours now: nobody else had it, and the row is as it was seen."""
        return self._update(is_free(now), lease_owner=self.owner, lease_expires_at=now + length())

    def renew(self, now: datetime, *, without_refresh_token: bool = False) -> bool:
        """Whether it is still ours, for a second exchange; counted from `now`. A dead refresh token is dropped with it."""
        values: dict[str, Any] = {"refresh_token": None} if without_refresh_token else {}
        return self._update(self._ours, lease_expires_at=now + length(), **values)

    def end(self, values: dict[str, Any], *, condition: Q | None = None) -> bool:
        """Write how the exchange ended and give the lease back; False when that came too late, or the condition isn't met."""
        met = self._ours & self._config_unmoved
        return self._update(
            met & condition if condition else met,
            **values,
            **FREE,
            attempt=self.seen.attempt + 1,
        )

    def release(self) -> None:
        """Give it back without a result, also when the config has moved on meanwhile."""
        OAuthToken.objects.filter(self._ours, config_id=self.state.config_id).update(**FREE)

    def hand_on(self, *, used: Sealed, refresh_token: Sealed) -> None:
        """Put a refresh token that came too late in the place of the one that was used up for it, if that is still stored.

        An edit that outdates the access token alone would else leave the config with a refresh token that is dead.
        """
        OAuthToken.objects.filter(config_id=self.state.config_id, refresh_token=used).update(
            refresh_token=refresh_token
        )

    @property
    def _ours(self) -> Q:
        return Q(lease_owner=self.owner)

    @property
    def _config_unmoved(self) -> Q:
        # Beside the row's own columns, because not every edit of a config has to touch the row.
        config = AuthConfig.objects.filter(
            id=OuterRef("config_id"), token_revision=self.state.token_revision
        )
        return Q(Exists(config))

    def _update(self, condition: Q, **values: Any) -> bool:
        rows = OAuthToken.objects.filter(
            condition,
            config_id=self.state.config_id,
            generation=self.seen.generation,
            attempt=self.seen.attempt,
            token_revision=self.seen.token_revision,
        )
        return bool(rows.update(**values))


def is_free(now: datetime) -> Q:
    """The rows whose lease nobody has."""
    return Q(lease_owner=None) | Q(lease_expires_at__lte=now)


def length() -> timedelta:
    """How long a lease lasts: an exchange, and what unsealing, storing and a busy database may take beyond it."""
    return timedelta(seconds=settings.OUTBOUND_TIMEOUT + settings.LEASE_SPARE_SECONDS)
