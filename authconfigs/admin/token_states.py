"""The state of an OAuth token as people read it: one function from the row to words, and the same as conditions for lists."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from authconfigs.admin.status import Status
from authconfigs.methods import METHODS
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.saving.tokens import needs_consent

State = OAuthToken.State


class Kind(StrEnum):
    NOT_CONNECTED = "not_connected"
    CONNECTED = "connected"
    REFRESHING = "refreshing"
    RETRYING = "retrying"
    REAUTHORIZE = "reauthorize"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class TokenStatus(Status):
    """`since` where it matters since when; `asks_for`: what a person has to do, or nothing."""

    kind: Kind
    since: datetime | None = None
    asks_for: str = ""

    @property
    def needs_person(self) -> bool:
        return bool(self.asks_for)


_NO_TOKEN_YET = TokenStatus(
    "Not connected",
    "quiet",
    "There is no token yet: the first call or test gets one.",
    kind=Kind.NOT_CONNECTED,
)
_NOT_TRIED = TokenStatus(
    "Not tried yet",
    "quiet",
    "The next call gets an access token with the pasted refresh token.",
    kind=Kind.CONNECTED,
)
_REFRESHING = TokenStatus(
    "Refreshing", "quiet", "A new token is being asked for right now.", kind=Kind.REFRESHING
)


def token_status(
    config: AuthConfig, token: OAuthToken, *, has_refresh_token: bool, now: datetime
) -> TokenStatus:
    """The state at `now`, from what the two rows say; the sealed values aren't touched."""
    only_by_person = needs_consent(config.method) and not has_refresh_token
    expired = token.expires_at is not None and token.expires_at <= now
    if token.lease_owner and token.lease_expires_at is not None and token.lease_expires_at > now:
        return _REFRESHING
    if token.state == State.STOPPED:
        return _stopped(token, now)
    if token.state == State.REAUTHORIZATION_REQUIRED:
        why = token.failure_summary or "The provider doesn't take the stored tokens any more."
        return _reauthorize(why, config, since=token.state_since, good_for_now=_is_good(token, now))
    if token.state == State.EMPTY and not has_refresh_token:
        return _not_connected(token, config) if only_by_person else _NO_TOKEN_YET
    if token.state == State.EMPTY and token.obtained_at is None:
        return _NOT_TRIED
    if only_by_person and expired:
        why = "The token has expired, and there is no refresh token to renew it with."
        return _reauthorize(why, config, since=token.expires_at, good_for_now=False)
    if token.state == State.RETRYING:
        return TokenStatus("Retrying", "warn", _retrying(token, now), kind=Kind.RETRYING)
    return TokenStatus("Connected", "good", _connected(token, expired=expired), kind=Kind.CONNECTED)


def _is_good(token: OAuthToken, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at > now


def _stopped(token: OAuthToken, now: datetime) -> TokenStatus:
    why = token.failure_summary or "The token endpoint gives no token for it."
    calls = (
        "Calls use the stored token until it expires" if _is_good(token, now) else "Calls fail now"
    )
    return TokenStatus(
        "Stopped until edited",
        "bad",
        why,
        kind=Kind.STOPPED,
        since=token.state_since,
        asks_for=f"Edit it, or refresh it by hand once the cause is gone. {calls}.",
    )


def _who(config: AuthConfig) -> str:
    """Who may connect it: what `tenants.roles` says, in words."""
    return "An admin" if config.environment.protected else "An editor or an admin"


def _not_connected(token: OAuthToken, config: AuthConfig) -> TokenStatus:
    why = "Nobody has connected it at the provider yet."
    if token.generation:
        why = (
            "It isn't connected any more: somebody disconnected it, or an edit dropped its tokens."
        )
    return TokenStatus(
        "Not connected",
        "bad",
        why,
        kind=Kind.NOT_CONNECTED,
        asks_for=f"{_who(config)} can connect it. Calls fail until then.",
    )


def _reauthorize(
    why: str, config: AuthConfig, *, since: datetime | None, good_for_now: bool
) -> TokenStatus:
    calls = "Calls use the stored token until it expires" if good_for_now else "Calls fail now"
    return TokenStatus(
        "Needs reauthorization",
        "bad",
        why,
        kind=Kind.REAUTHORIZE,
        since=since,
        asks_for=f"{_who(config)} can connect it again. {calls}.",
    )


def _retrying(token: OAuthToken, now: datetime) -> str:
    why = token.failure_summary or "No token came the last time it was asked for."
    calls = "use the stored token" if _is_good(token, now) else "ask for one, too"
    return f"{why} Meanwhile calls {calls}."


def _connected(token: OAuthToken, *, expired: bool) -> str:
    if token.state == State.EMPTY:
        return "The next call gets an access token with the stored refresh token."
    if expired:
        return "The token has expired: the next call renews it."
    if token.expires_at is None:
        return "The provider didn't say when the token expires: it is renewed when an API refuses it (401)."
    return ""


_BY_PERSON = Q(method__in=[method.code for method in METHODS if needs_consent(method.code)])
_NO_REFRESH_TOKEN = Q(oauth_token__refresh_token__isnull=True)


def _lapsed(now: datetime) -> Q:
    """Expired, and nobody but a person can get another one."""
    held = Q(oauth_token__state__in=[State.VALID, State.RETRYING])
    return held & _BY_PERSON & _NO_REFRESH_TOKEN & Q(oauth_token__expires_at__lte=now)


def configs_that_are(kind: Kind, *, now: datetime) -> Q:
    """The configs whose token is in that state; one that is being refreshed counts as what it was before."""
    return {
        Kind.NOT_CONNECTED: Q(oauth_token__state=State.EMPTY) & _NO_REFRESH_TOKEN,
        Kind.RETRYING: Q(oauth_token__state=State.RETRYING) & ~_lapsed(now),
        Kind.REAUTHORIZE: Q(oauth_token__state=State.REAUTHORIZATION_REQUIRED) | _lapsed(now),
        Kind.STOPPED: Q(oauth_token__state=State.STOPPED),
    }[kind]


def configs_that_need_authorization(now: datetime) -> Q:
    """The configs that a person has to connect: never connected, or not any more."""
    never = configs_that_are(Kind.NOT_CONNECTED, now=now) & _BY_PERSON
    return configs_that_are(Kind.REAUTHORIZE, now=now) | never


def configs_that_need_a_person(now: datetime) -> Q:
    """The configs whose calls fail until somebody does something about the token."""
    return configs_that_need_authorization(now) | configs_that_are(Kind.STOPPED, now=now)
