"""What an edit of a config does to the row of its token. Statements only: a machine may write the row at the same time."""

from typing import Any

from django.db.models import Case, DateTimeField, Q, Value, When
from django.db.models.functions import Now

from authconfigs.methods.base import Change
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.tokens.grants import GRANTS

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
    "access_token": None,
    "token_type": "",
    "granted_scope": "",
    "expires_at": None,
}
_NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_expires_at": None}
_STATE_OF_TOKENS = Case(
    When(access_token__isnull=False, then=Value(State.VALID)), default=Value(State.EMPTY)
)
# A refresh token that was kept alive stays so.
_AT_ONCE_IF_SCHEDULED = Case(
    When(refresh_token__isnull=False, refresh_after__isnull=False, then=Now()),
    default=Value(None, output_field=DateTimeField()),
)


def needs_consent(method_code: str) -> bool:
    """Whether only a person's consent starts a token of this method."""
    grant = GRANTS.get(method_code)
    return grant is not None and grant.start is None


def make_row(config: AuthConfig) -> None:
    """Give a config whose method uses a token the row for it."""
    OAuthToken.objects.create(config=config, token_revision=config.token_revision)


def follow_edit(config: AuthConfig, *, uses_token: bool, change: Change) -> None:
    """Do to the token what the edit's change says, after the config itself was written.

    Whatever was edited, the config may try again: what stopped it, its failures and a running Retry-After are forgotten. A
    token that stays belongs to the config's new token revision; one in flight doesn't, and is discarded when it comes.
    """
    rows = OAuthToken.objects.filter(config=config)
    if not uses_token:
        rows.delete()
    elif change is Change.NOTHING:
        rows.update(**_FORGIVEN, state=_STATE_OF_TOKENS)
    elif change is Change.NEW_GRANT:
        gone = {"refresh_token": None, "refresh_after": None}
        if not rows.update(**_moved(config), **_NO_ACCESS_TOKEN, **gone):
            make_row(config)
    else:
        # Without a refresh token nobody but a person could get another one.
        stays = Q(refresh_token__isnull=True) if needs_consent(config.method) else Q(pk__in=[])
        rows.filter(stays).update(**_moved(config), state=_STATE_OF_TOKENS)
        rows.exclude(stays).update(
            **_moved(config), **_NO_ACCESS_TOKEN, refresh_after=_AT_ONCE_IF_SCHEDULED
        )


def _moved(config: AuthConfig) -> dict[str, Any]:
    return {**_FORGIVEN, **_NO_LEASE, "token_revision": config.token_revision}
