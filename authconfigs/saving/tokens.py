"""What an edit of a config does to the row of its token. Statements only: a machine may write the row at the same time."""

from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, cast

from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.db.models.functions import Now

from authconfigs.errors import SecretUnreadable
from authconfigs.fields import SealedField, seal
from authconfigs.methods.base import Change
from authconfigs.models import AuthConfig, OAuthToken, TokenEvent
from authconfigs.tokens.events import write_event
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.schedule import KEEP_ALIVE_SHARE
from tenants.actor import current_actor

State = OAuthToken.State

_FORGIVEN: dict[str, Any] = {
    "failures": 0,
    "failure_symptom": "",
    "failure_summary": "",
    "failure_error": "",
    "failure_status": None,
    "failed_at": None,
    "next_attempt_at": None,
    "retry_after_until": None,
}
_NO_ACCESS_TOKEN: dict[str, Any] = {
    "state": State.EMPTY,
    "state_since": Case(When(state=State.EMPTY, then=F("state_since")), default=Now()),
    "access_token": None,
    "token_type": "",
    "granted_scope": "",
    "scope_left_out": 0,
    "requested_scope": "",
    "expires_at": None,
}
_NO_GRANT: dict[str, Any] = {
    "refresh_token": None,
    "seed_digest": None,
    "refresh_after": None,
    "connected_at": None,
    "connected_by": "",
    "obtained_at": None,
}
_NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_expires_at": None}
# Two refreshes with one refresh token look like a theft to the provider: whoever is at it ends first, and hands on the next one.
_LEASE_OF_REFRESH: dict[str, Any] = {
    name: Case(When(refresh_token__isnull=False, then=F(name)), default=None) for name in _NO_LEASE
}
_STATE_OF_TOKENS = Case(
    When(access_token__isnull=False, then=Value(State.VALID)), default=Value(State.EMPTY)
)
_SINCE_OF_TOKENS = Case(When(state=_STATE_OF_TOKENS, then=F("state_since")), default=Now())
# A refresh token that was kept alive stays so.
_AT_ONCE_IF_SCHEDULED = Case(
    When(refresh_token__isnull=False, refresh_after__isnull=False, then=Now()),
    default=Value(None, output_field=DateTimeField()),
)


def needs_consent(method_code: str) -> bool:
    """Whether only a person's consent starts a token of this method."""
    grant = GRANTS.get(method_code)
    return grant is not None and grant.start is None


def grew_from(config: AuthConfig, seed: str) -> bool:
    """Whether what is stored began with this refresh token, which may have been cleared since. What can't be read doesn't tell."""
    row = OAuthToken.objects.filter(config=config).exclude(seed_digest=None).first()
    try:
        return row is not None and compare_digest(row.seed_digest.reveal(), _digest(seed))
    except SecretUnreadable:
        return False


def make_row(config: AuthConfig, *, seed: str | None = None) -> None:
    """Give a config whose method uses a token the row for it; `seed` is the refresh token that was pasted in."""
    OAuthToken.objects.create(config=config, token_revision=config.token_revision)
    if seed is not None:
        _plant(config, seed)


def follow_edit(
    config: AuthConfig, *, uses_token: bool, change: Change, seed: str | None = None
) -> None:
    """Do to the token what the edit's change says, after the config itself was written.

    seed: the refresh token that was pasted in and isn't the one of the last time. It takes the place of whatever is stored.
    The same one again never does, for the stored one may descend from it; nor does clearing the seed touch what grew from it,
    and its digest stays, so that it is known when it is pasted again.

    Whatever was edited, the config may try again: what stopped it, its failures and a running Retry-After are forgotten. A
    token that stays belongs to the config's new token revision; one in flight doesn't, and is discarded when it comes.
    """
    rows = OAuthToken.objects.filter(config=config)
    # Without a refresh token nobody but a person could get another one.
    stays = Q(refresh_token__isnull=True) if needs_consent(config.method) else Q(pk__in=[])
    # What has expired for good doesn't come to life again, and isn't told of again.
    alive = rows.exclude(stays & Q(expires_at__lte=Now()))
    if not uses_token:
        rows.delete()
    elif change is Change.NOTHING:
        alive.update(**_FORGIVEN, state=_STATE_OF_TOKENS, state_since=_SINCE_OF_TOKENS)
    elif change is Change.NEW_GRANT:
        held = rows.exclude(access_token=None, refresh_token=None).exists()
        if not rows.update(**_moved(config), **_NO_ACCESS_TOKEN, **_NO_GRANT):
            make_row(config)
        if held:
            gone = "An edit of the auth config dropped the token."
            write_event(config.id, TokenEvent.Kind.DISCONNECTED, state=State.EMPTY, summary=gone)
        if seed is not None:
            _plant(config, seed)
    else:
        alive.filter(stays).update(
            **_moved(config), state=_STATE_OF_TOKENS, state_since=_SINCE_OF_TOKENS
        )
        waiting = {**_moved(config), **_NO_ACCESS_TOKEN, **_LEASE_OF_REFRESH}
        rows.exclude(stays).update(**waiting, refresh_after=_AT_ONCE_IF_SCHEDULED)


def forget_grant(config: AuthConfig) -> None:
    """Drop all tokens because somebody disconnected the config, after its token revision was moved."""
    OAuthToken.objects.filter(config=config).update(
        **_moved(config), **_NO_ACCESS_TOKEN, **_NO_GRANT
    )
    write_event(config.id, TokenEvent.Kind.DISCONNECTED, state=State.EMPTY)


def keep_alive(config: AuthConfig, days: int) -> None:
    """Renew a stored refresh token as often as an edit says now: what was scheduled before it knows nothing of that."""
    idle_until = F("obtained_at") + timedelta(days=days) * (1 - KEEP_ALIVE_SHARE)
    rows = OAuthToken.objects.filter(
        config=config, refresh_token__isnull=False, obtained_at__isnull=False
    )
    rows.filter(Q(refresh_after=None) | Q(refresh_after__gt=idle_until)).update(
        refresh_after=idle_until
    )


def _plant(config: AuthConfig, seed: str) -> None:
    """Begin with a refresh token: the sweep and the next call use it at once."""
    values = {"refresh_token": seed, "seed_digest": _digest(seed)}
    sealed = {
        name: seal(_column(name), value, tenant_id=config.tenant_id, row_id=config.id)
        for name, value in values.items()
    }
    OAuthToken.objects.filter(config=config).update(
        **sealed,
        refresh_after=Now(),
        connected_at=Now(),
        connected_by=current_actor().name[:200],
    )
    write_event(
        config.id,
        TokenEvent.Kind.CONNECTED,
        state=State.EMPTY,
        summary="A refresh token was pasted in.",
    )


def _column(name: str) -> SealedField:
    return cast("SealedField", OAuthToken._meta.get_field(name))


def _digest(seed: str) -> str:
    return sha256(seed.encode()).hexdigest()


def _moved(config: AuthConfig) -> dict[str, Any]:
    return {**_FORGIVEN, **_NO_LEASE, "token_revision": config.token_revision}
