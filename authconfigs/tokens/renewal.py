"""One exchange for all processes that want a token: whoever gets the lease asks, the others see what comes of it."""

import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import OperationalError, connection
from django.dispatch import Signal

from authconfigs.database import database_now, released_connection
from authconfigs.datakeys import Keychain
from authconfigs.errors import OutboundError, SecretUnreadable, TokenFailed
from authconfigs.fields import Sealed
from authconfigs.oauth import TokenAnswer
from authconfigs.state import ConfigEdited, ConfigState, TokenState, UnknownName, load_config
from authconfigs.symptoms import Stage, Symptom
from authconfigs.tokens.exchange import LeaseLost, check_origins, exchange
from authconfigs.tokens.grants import Grant
from authconfigs.tokens.lease import Lease
from authconfigs.tokens.outcomes import Obtained, Outcome, discard, settle
from authconfigs.tokens.schedule import Schedule, schedule
from authconfigs.tokens.values import Token, expiry, keep, opened, stored_value
from authconfigs.tokens.verdict import stored_failure
from authconfigs.tokens.withdrawal import LATE_WAIT, withdraw_late
from authconfigs.transport import Deadline, Door
from tenants.scope import tenant_scope

_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)

# Sent after every exchange, with `state` and `symptom`, which is None when a token came.
token_asked = Signal()

FIRST_LOOK, LONGEST_PAUSE = 0.02, 0.25
STORE_PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0, 3.0)


def renewed(
    state: ConfigState, seen: TokenState, *, grant: Grant, door: Door, deadline: Deadline
) -> Token:
    """The token that follows the one that was `seen`, obtained here or by whoever has the lease.

    Raises TokenFailed (the holder's, too), `timeout` after OUTBOUND_TIMEOUT of waiting, and ConfigEdited when an edit of the
    config outdates what came or would come.
    """
    lease = Lease(state, seen, owner=uuid4())
    waiting = Deadline.after(min(settings.OUTBOUND_TIMEOUT, deadline.remaining()))
    pause = FIRST_LOOK
    while True:
        with tenant_scope(state.tenant_id):
            with released_connection():
                taken = lease.take(database_now())
            token = _asked(lease, grant, door=door, deadline=deadline) if taken else None
        if token is not None:
            return token
        fresh, row = reloaded(state)
        if row.generation > lease.seen.generation:
            value = stored_value(fresh, row)
            if value is not None:
                detail = f"obtained by another call, {expiry(row.expires_at, now=fresh.read_at)}"
                return Token(value, row.generation, False, row.expires_at, detail)
        elif row.attempt > lease.seen.attempt:
            raise stored_failure(row)
        elif (row.generation, row.attempt) != (lease.seen.generation, lease.seen.attempt):
            check_origins(fresh)
            lease = Lease(fresh, row, owner=lease.owner)
        if waiting.expired:
            raise waited_too_long()
        time.sleep(min(pause, waiting.remaining()))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def reloaded(state: ConfigState) -> tuple[ConfigState, TokenState]:
    """The config and its token's row as they are now. Raises ConfigEdited when that outdates what `state` would lead to."""
    try:
        fresh = load_config(state.config_id)
    except UnknownName:
        raise ConfigEdited(stage=Stage.TOKEN) from None
    if fresh.token is None or fresh.token_revision != state.token_revision:
        raise ConfigEdited(stage=Stage.TOKEN)
    return fresh, fresh.token


def waited_too_long() -> TokenFailed:
    return TokenFailed(
        "Another call is asking for the token and hasn't got an answer in time.",
        symptom=Symptom.TIMEOUT,
        permanent=False,
    )


def _asked(lease: Lease, grant: Grant, *, door: Door, deadline: Deadline) -> Token | None:
    """The token, stored; None when it came too late or the lease was lost: the row tells then. Raises TokenFailed."""
    try:
        with released_connection():
            row = lease.row()
            asked_at = database_now()
        if row is None:
            raise LeaseLost
        try:
            known = row.refresh_token and RefreshToken(
                row.refresh_token, row.refresh_token.reveal()
            )
        except SecretUnreadable as error:
            outcome = Outcome(lease, asked_at, TokenFailed.from_error(error))
        else:
            outcome = outcome_of(
                lease,
                known,
                grant=grant,
                stored=opened(row.access_token, row.refresh_token),
                asked_at=asked_at,
                door=door,
                deadline=deadline,
            )
    except LeaseLost:
        # An edit that keeps the refresh token keeps the lease, too.
        lease.release()
        return None
    except BaseException:
        lease.release()
        raise
    stored = settled_alone(outcome, deadline=deadline)
    if stored is None:
        return None
    result = stored.result
    if isinstance(result, TokenFailed):
        raise result
    value, expires_at = result.answer.access_token, result.schedule.expires_at
    generation = lease.seen.generation + 1
    keep(lease.state, generation, value=value)
    detail = f"obtained, {expiry(expires_at, now=asked_at)}"
    return Token(value, generation, True, expires_at, detail)


@dataclass(frozen=True)
class RefreshToken:
    """The stored refresh token, sealed and plain."""

    sealed: Sealed
    plain: str = field(repr=False)


def outcome_of(
    lease: Lease,
    known: RefreshToken | None,
    *,
    grant: Grant,
    stored: Iterable[str],
    asked_at: datetime,
    door: Door,
    deadline: Deadline,
) -> Outcome:
    """What the endpoint says, without a word of the `stored` tokens; nothing is stored yet. Raises LeaseLost, and ConfigEdited."""
    try:
        answer, refreshed = exchange(
            lease,
            grant=grant,
            refresh_token=known.plain if known else None,
            stored=stored,
            door=door,
            deadline=deadline,
        )
    except ConfigEdited:
        raise
    except OutboundError as error:
        failure = error if isinstance(error, TokenFailed) else TokenFailed.from_error(error)
        if not grant.keeps_refresh_token:
            failure.refresh_token = None
        return Outcome(lease, asked_at, failure, used=known.sealed if known else None)
    kept = answer.refresh_token or None if grant.keeps_refresh_token else None
    planned = plan(
        lease.state,
        answer,
        asked_at=asked_at,
        has_refresh_token=kept is not None or known is not None,
    )
    used = known.sealed if known and refreshed else None
    return Outcome(lease, asked_at, Obtained(answer, planned, kept, used))


def plan(
    state: ConfigState, answer: TokenAnswer, *, asked_at: datetime, has_refresh_token: bool
) -> Schedule:
    """When a token that was asked for at `asked_at` is renewed."""
    days = state.fields.get("keepalive_days")
    return schedule(
        asked_at,
        expires_in=answer.expires_in,
        beat=timedelta(seconds=settings.BEAT_SECONDS),
        keep_alive=timedelta(days=days) if days and has_refresh_token else None,
        jitter=_random_share(),
    )


def settled(outcomes: Sequence[Outcome]) -> list[Outcome | None]:
    """The outcomes as they were stored, None for one that came too late; told to the log and to whoever counts them."""
    keys = Keychain()
    stored = _insistently(
        lambda: settle(outcomes, now=database_now(), keys=keys, jitter=_random_share)
    )
    for outcome, one in zip(outcomes, stored, strict=True):
        if one is None:
            _insistently(partial(discard, outcome, keys))
        _tell(outcome, discarded=one is None)
    return stored


def settled_alone(outcome: Outcome, *, deadline: Deadline) -> Outcome | None:
    """The same for one. A late token of a config that was disconnected is withdrawn at once, not after the deadline."""
    (stored,) = settled([outcome])
    if stored is None:
        withdraw_late(outcome, deadline=Deadline.after(min(LATE_WAIT, deadline.remaining())))
    return stored


def _tell(outcome: Outcome, *, discarded: bool) -> None:
    state, result = outcome.lease.state, outcome.result
    symptom = None
    if isinstance(result, TokenFailed):
        symptom = result.symptom
        logger.warning("No token for %s: %s", state, result.summary)
    elif discarded:
        logger.info("A token of %s came too late and is discarded.", state)
    token_asked.send_robust(None, state=state, symptom=symptom)


def _insistently(write: Callable[[], _Result]) -> _Result:
    """Try again over a database that is busy or was restarted: a rotated refresh token would be lost."""
    for pause in STORE_PAUSES:
        try:
            with released_connection():
                return write()
        except OperationalError:
            if connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(pause)
    return write()


def _random_share() -> float:
    """A number from 0 to 1."""
    return random.random()  # noqa: S311 - spreads load, guards nothing
