"""What a call does about its token, from the row alone: use it, ask for another, or fail without asking.

Pure, so that every rule can be read and tested in one place. Whoever asks does it under the lease (`renewal.py`).
"""

from dataclasses import dataclass
from datetime import datetime

from authconfigs.errors import TokenFailed
from authconfigs.models import OAuthToken
from authconfigs.state import ConfigState, TokenState
from authconfigs.symptoms import Symptom
from authconfigs.tokens.grants import Grant

STOPPED = frozenset({OAuthToken.State.STOPPED, OAuthToken.State.REAUTHORIZATION_REQUIRED})


@dataclass(frozen=True)
class Use:
    """The stored token is good."""


@dataclass(frozen=True)
class Ask:
    """A token has to be asked for; `usable` says that the stored one is good until then."""

    usable: bool


@dataclass(frozen=True)
class Fail:
    """No token, and nobody is asked for one. `is_news`: the row doesn't tell of it yet."""

    failure: TokenFailed
    is_news: bool = False


Verdict = Use | Ask | Fail


def verdict(
    state: ConfigState,
    token: TokenState,
    *,
    grant: Grant,
    now: datetime,
    refused_generation: int | None = None,
    asks_again: bool = False,
) -> Verdict:
    """What to do for a call at `now`.

    refused_generation: the API has just refused the token of that generation. asks_again: a person acts, so a stored
    failure doesn't stand in the way.
    """
    renewable = is_renewable(token, grant=grant)
    refused = refused_generation is not None and token.generation <= refused_generation
    if is_valid(state, token, now=now) and not refused:
        due = token.refresh_after is not None and token.refresh_after <= now
        return Ask(usable=True) if due and renewable and not _resting(token, now) else Use()
    if token.state in STOPPED and not asks_again:
        return Fail(stored_failure(token))
    if token.retry_after_until is not None and now < token.retry_after_until:
        return Fail(_rate_limited(token.retry_after_until))
    if not renewable:
        is_news = token.has_access_token and token.state not in STOPPED
        return Fail(_person_needed(token, refused=refused), is_news=is_news)
    return Ask(usable=False)


def is_renewable(token: TokenState, *, grant: Grant) -> bool:
    """Whether another token comes without a person's consent."""
    return grant.start is not None or token.has_refresh_token


def is_valid(state: ConfigState, token: TokenState, *, now: datetime) -> bool:
    """Whether the stored access token belongs to the config as it is and hasn't expired."""
    return (
        token.has_access_token
        and token.token_revision == state.token_revision
        and (token.expires_at is None or now < token.expires_at)
    )


def stored_failure(token: TokenState) -> TokenFailed:
    """The failure that the row tells of: that of the last exchange."""
    return TokenFailed(
        token.failure_summary or "No token came the last time it was asked for.",
        symptom=Symptom(token.failure_symptom or Symptom.TOKEN_ENDPOINT_CONFIG),
        permanent=token.state in STOPPED,
        error=token.failure_error,
        status=token.failure_status,
    )


def _resting(token: TokenState, now: datetime) -> bool:
    """Whether a token that is still good for a while is left alone: somebody is at it, or it failed lately."""
    waits = (token.lease_expires_at, token.next_attempt_at, token.retry_after_until)
    return token.state in STOPPED or any(until is not None and now < until for until in waits)


def _rate_limited(until: datetime) -> TokenFailed:
    return TokenFailed(
        f"The token endpoint asked us to wait: no token is asked for until {until:%H:%M:%S} UTC.",
        symptom=Symptom.PROVIDER_RATE_LIMITED,
        permanent=False,
    )


def _person_needed(token: TokenState, *, refused: bool) -> TokenFailed:
    if token.generation == 0:
        why = "This auth config was never connected"
    elif not token.has_access_token:
        why = "This auth config isn't connected any more"
    elif refused:
        why = "The API refused the token, and there is no refresh token to renew it with"
    else:
        why = "The token has expired, and there is no refresh token to renew it with"
    return TokenFailed(
        f"{why}: a person has to connect it.",
        symptom=Symptom.REAUTHORIZATION_REQUIRED,
        permanent=True,
        status=401 if refused else None,
    )
