"""What a failed exchange counts for: how many there were in a row, and whether it stops the config. Pure.

An OAuth error stops it at once. A refusal without one, say a firewall's web page, may pass, where there was a token before.
"""

from dataclasses import dataclass
from datetime import datetime

from authconfigs.errors import TokenFailed
from authconfigs.state import TokenState

# So many in a row are taken for the endpoint's own.
MOST_NAMELESS = 3


@dataclass(frozen=True)
class Attempt:
    """failures: in a row, with this one. is_final: asking again is of no use. rests_until: the end of a rest that goes on."""

    failures: int
    is_final: bool
    rests_until: datetime | None = None


def counted(failure: TokenFailed, seen: TokenState, *, now: datetime, had_one: bool) -> Attempt:
    """The attempt that failed at `now`, after what was `seen` before it; `had_one`: the config had a token already.

    Of refusals without an OAuth error, only those in a row count, and none while the config rests from the last: calls go on
    then, and three of them are made in no time.
    """
    if not (failure.is_nameless and had_one):
        return Attempt(seen.failures + 1, is_final=failure.permanent)
    if seen.failure_symptom != failure.symptom:
        return Attempt(1, is_final=False)
    if seen.next_attempt_at is not None and now < seen.next_attempt_at:
        return Attempt(seen.failures, is_final=False, rests_until=seen.next_attempt_at)
    failures = seen.failures + 1
    return Attempt(failures, is_final=failures >= MOST_NAMELESS)
