"""When a token is renewed, and how long a config that fails rests. Arithmetic only: no clock, no database.

`jitter` is a number from 0 to 1 that spreads what would otherwise come due at the same moment.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LONGEST_LIFETIME = timedelta(days=3650)
MARGIN_SHARE = 0.2
# Above the 150 s within which a crash is recovered from, so that a long-lived token outlives one.
LARGEST_MARGIN = timedelta(minutes=5)
# At least, and before jitter takes a quarter of it: else a token would lapse before the clock's next look at it.
MARGIN_BEATS = 2
# More of its life no token is given away for that.
LARGEST_SHARE = 0.5
# How much earlier than its days a refresh token is kept alive.
KEEP_ALIVE_SHARE = 0.1
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)
LONGEST_RETRY_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Schedule:
    """When a token expires and from when on it is renewed; None where nothing says so."""

    expires_at: datetime | None
    refresh_after: datetime | None


def schedule(
    asked_at: datetime,
    *,
    expires_in: float | None,
    beat: timedelta,
    keep_alive: timedelta | None = None,
    jitter: float = 0.0,
) -> Schedule:
    """The schedule of a token that was asked for at `asked_at` (RFC 6749 §5.1 `expires_in`, in seconds).

    Without a known lifetime it has no expiry and is renewed when it is refused. A lifetime of 0 or less is good for the call
    at hand and gives the sweep nothing to do. beat: how long the sweep may not look. keep_alive: renewed at the latest after this time all the same, because its
    refresh token dies of idleness.
    """
    planned = _by_lifetime(asked_at, expires_in, beat=beat, jitter=jitter)
    if keep_alive is None:
        return planned
    idle_until = asked_at + keep_alive * (1 - KEEP_ALIVE_SHARE * (0.5 + 0.5 * jitter))
    return replace(planned, refresh_after=min(idle_until, planned.refresh_after or idle_until))


def _by_lifetime(
    asked_at: datetime, expires_in: float | None, *, beat: timedelta, jitter: float
) -> Schedule:
    seconds = _known(expires_in)
    if seconds is None:
        return Schedule(None, None)
    lifetime = timedelta(seconds=min(max(seconds, 0.0), LONGEST_LIFETIME.total_seconds()))
    expires_at = asked_at + lifetime
    if not lifetime:
        return Schedule(expires_at, None)
    wanted = max(min(lifetime * MARGIN_SHARE, LARGEST_MARGIN), beat * MARGIN_BEATS)
    margin = min(wanted * (0.75 + 0.25 * jitter), lifetime * LARGEST_SHARE)
    return Schedule(expires_at, expires_at - margin)


def rest(failures: int, *, jitter: float = 0.0) -> timedelta:
    """How long the sweep leaves a config alone after so many failures in a row: it doubles, up to a cap."""
    doubled: timedelta = FIRST_REST * 2 ** min(max(failures - 1, 0), 10)
    return min(doubled, LONGEST_REST) * (0.5 + 0.5 * jitter)


def retry_after(seconds: float | None) -> timedelta | None:
    """How long an answered `Retry-After` (RFC 9110 §10.2.3) is honoured, or None where there is none to honour."""
    known = _known(seconds)
    if known is None or known <= 0:
        return None
    return timedelta(seconds=min(known, LONGEST_RETRY_AFTER.total_seconds()))


def _known(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) else None
