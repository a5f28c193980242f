"""Withdrawing tokens at the provider (RFC 7009): those of a config that is disconnected, and those that come too late for it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authconfigs import oauth
from authconfigs.database import released_connection
from authconfigs.errors import OutboundError
from authconfigs.fields import Sealed, Typed
from authconfigs.models import OAuthToken, TokenEvent
from authconfigs.state import ConfigState, UnknownName, load_config
from authconfigs.tokens.events import write_event
from authconfigs.tokens.exchange import check_origins, client_of
from authconfigs.tokens.outcomes import Obtained, Outcome
from authconfigs.tokens.values import opened
from authconfigs.transport import Deadline, default_door
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)

# How long the provider has for it, in seconds: somebody, or a thread, waits.
LATE_WAIT = 5.0
BY_HAND = "Withdraw the access at the provider by hand."


@dataclass(frozen=True)
class Withdrawn:
    """`revoked`: the provider said so, of all of them. `told` is what to say about it."""

    revoked: bool
    told: str


def held_by(refresh_token: Sealed | None, access_token: Sealed | None) -> Mapping[str, Sealed]:
    """Those that there are, by their kind. The refresh token first: with it the provider withdraws the whole grant (§2.1)."""
    kinds = {"refresh_token": refresh_token, "access_token": access_token}
    return {kind: sealed for kind, sealed in kinds.items() if sealed is not None}


def withdraw(state: ConfigState, held: Mapping[str, Sealed], *, deadline: Deadline) -> Withdrawn:
    """Have the provider withdraw each of them, whatever becomes of the others. `state` is the config that they belong to."""
    try:
        client = client_of(state, stored=opened(*held.values()))
        check_origins(state)
    except OutboundError as error:
        return _told(held, dict.fromkeys(held, error.summary))
    if not client.revocation_url:
        return Withdrawn(False, f"The auth config has no revocation URL. {BY_HAND}")
    door = default_door().for_environment(protected=state.protected)
    refused = {}
    for kind, sealed in held.items():
        try:
            oauth.revoke(client, sealed.reveal(), hint=kind, door=door, deadline=deadline)
        except OutboundError as error:
            refused[kind] = error.summary
    return _told(held, refused)


def withdraw_late(outcome: Outcome, *, deadline: Deadline) -> None:
    """Withdraw a token that was discarded because its config was disconnected while it was asked for.

    Best effort: the history tells what came of it, and no exception leaves. What an edit outdated isn't withdrawn: the
    provider may take that for the grant which the config has now.
    """
    state = outcome.lease.state
    held = _came_with(outcome)
    if not held:
        return
    try:
        now = load_config(state.config_id)
        if now.token is None or not _is_disconnected(now, since=state):
            return
        told = withdraw(now, held, deadline=deadline).told
        with tenant_scope(state.tenant_id), released_connection():
            write_event(
                state.config_id,
                TokenEvent.Kind.DISCARDED,
                state=OAuthToken.State(now.token.state),
                summary=f"Tokens came after the auth config was disconnected. {told}",
            )
    except UnknownName:
        return
    except Exception as error:
        logger.error("A late token of %s may still be good: %s", state, type(error).__name__)


def _came_with(outcome: Outcome) -> Mapping[str, Sealed]:
    """The tokens of an outcome; a refresh token may have come without an access token."""
    result = outcome.result
    access_token = Typed(result.answer.access_token) if isinstance(result, Obtained) else None
    return held_by(Typed(result.refresh_token) if result.refresh_token else None, access_token)


def _is_disconnected(now: ConfigState, *, since: ConfigState) -> bool:
    """Whether the config was disconnected since then, and is nothing but that.

    Its fields are those that the token was got with, but for what a disconnect drops with the tokens.
    """
    row = now.token
    return (
        row is not None
        and not (row.has_access_token or row.has_refresh_token)
        and now.token_revision != since.token_revision
        and _lasting(now) == _lasting(since)
    )


def _lasting(state: ConfigState) -> dict[str, Any]:
    seeds = state.method.seed_names
    return {name: value for name, value in state.fields.items() if name not in seeds}


def _told(held: Mapping[str, Sealed], refused: Mapping[str, str]) -> Withdrawn:
    if not refused:
        return Withdrawn(True, "The provider withdrew them.")
    if len(refused) == len(held) and len(set(refused.values())) == 1:
        (reason,) = set(refused.values())
        return Withdrawn(False, f"The provider didn't withdraw them: {reason} {BY_HAND}")
    told = []
    for kind in held:
        name = kind.replace("_", " ")
        if kind in refused:
            told.append(f"The provider didn't withdraw the {name}: {refused[kind]}")
        else:
            told.append(f"The provider withdrew the {name}.")
    if "refresh_token" not in refused:
        told.append("The access token may work until it expires.")
    return Withdrawn(False, " ".join([*told, BY_HAND]))
