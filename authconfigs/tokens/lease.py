"""The lease: who of all processes talks to a config's token endpoint. One conditional UPDATE each, never a lock.

Every function takes `now`, the database's time. How an exchange ended is written by compare-and-swap: only while the lease
is still the owner's and neither the token nor the config has moved on. So a late result never overwrites a newer one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from authconfigs.database import execute_each
from authconfigs.fields import Sealed, Stored
from authconfigs.models import OAuthToken
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

    def row(self) -> OAuthToken | None:
        """The token's row while it is ours and as it was seen, so that what is sent belongs to `state`; else None."""
        row: OAuthToken | None = self._seen.filter(self._ours).first()
        return row

    def release(self) -> None:
        """Give it back without a result, also when the config has moved on meanwhile."""
        OAuthToken.objects.filter(self._ours, config_id=self.state.config_id).update(**FREE)

    def hand_on(self, *, used: Sealed, refresh_token: Sealed) -> None:
        """Put a refresh token that came too late in the place of the one that was used up for it, if that is still stored.

        An edit that outdates the access token alone would else leave the config with a refresh token that is dead. Such an
        edit keeps the lease, by which the token is known also where it was sealed anew meanwhile.
        """
        same = Q(refresh_token=used) | (self._ours & Q(refresh_token__isnull=False))
        OAuthToken.objects.filter(same, config_id=self.state.config_id).update(
            refresh_token=refresh_token
        )

    @property
    def _ours(self) -> Q:
        return Q(lease_owner=self.owner)

    @property
    def _seen(self) -> QuerySet[OAuthToken]:
        return OAuthToken.objects.filter(
            config_id=self.state.config_id,
            generation=self.seen.generation,
            attempt=self.seen.attempt,
            token_revision=self.seen.token_revision,
        )

    def _update(self, condition: Q, **values: Any) -> bool:
        return bool(self._seen.filter(condition).update(**values))


@dataclass(frozen=True)
class End:
    """What an exchange leaves in the row. `state_since` is written where `state` changes; `not_in`: not in these states."""

    lease: Lease
    values: Mapping[str, Any]
    not_in: tuple[str, ...] = ()

    @property
    def form(self) -> tuple[tuple[str, ...], int]:
        """Ends of one form take one statement."""
        return tuple(self.values), len(self.not_in)

    @property
    def parameters(self) -> list[Any]:
        """Those of the statement."""
        given: list[Any] = []
        for name, value in self.values.items():
            if name == "state_since":
                given.append(str(self.values["state"]))
            # An enumeration's member would be written by its name.
            given.append(str(value) if isinstance(value, str) else value)
        seen, state = self.lease.seen, self.lease.state
        row = (state.config_id, self.lease.owner, seen.generation, seen.attempt)
        revisions = (seen.token_revision, state.token_revision)
        sealed = [one.ciphertext if isinstance(one, Stored) else one for one in given]
        return [*sealed, *row, *revisions, *map(str, self.not_in)]


def end_together(ends: Sequence[End]) -> list[bool]:
    """Write how exchanges ended and give their leases back; for each, False when it came too late or its state isn't allowed.

    By hand: the ORM takes ten times as long for it.
    """
    ended = [False] * len(ends)
    alike: dict[tuple[tuple[str, ...], int], list[int]] = {}
    for place, end in enumerate(ends):
        alike.setdefault(end.form, []).append(place)
    for form, places in alike.items():
        rows = [ends[place].parameters for place in places]
        for place, changed in zip(places, execute_each(_statement(*form), rows), strict=True):
            ended[place] = changed == 1
    return ended


@cache
def _statement(names: tuple[str, ...], states: int) -> str:
    since = "state_since = CASE WHEN state = %s THEN state_since ELSE %s END"
    sets = ", ".join(since if name == "state_since" else f"{name} = %s" for name in names)
    allowed = f"AND state NOT IN ({', '.join(['%s'] * states)})" if states else ""
    # The config's own revision besides, because not every edit of a config has to touch the row.
    return f"""
        UPDATE authconfigs_oauthtoken
        SET {sets}, attempt = attempt + 1, lease_owner = NULL, lease_expires_at = NULL
        WHERE config_id = %s AND lease_owner = %s AND generation = %s AND attempt = %s
            AND token_revision = %s AND EXISTS (SELECT 1 FROM authconfigs_authconfig a
                WHERE a.id = authconfigs_oauthtoken.config_id AND a.token_revision = %s)
            {allowed}"""  # noqa: S608 - columns


def is_free(now: datetime) -> Q:
    """The rows whose lease nobody has."""
    return Q(lease_owner=None) | Q(lease_expires_at__lte=now)


def length() -> timedelta:
    """How long a lease lasts: an exchange, and what unsealing, storing and a busy database may take beyond it."""
    return timedelta(seconds=settings.OUTBOUND_TIMEOUT + settings.LEASE_SPARE_SECONDS)
