"""One exchange for all processes that want a token: whoever gets the lease asks, the others see what comes of it."""

import logging
import random
import time
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.db import OperationalError, connection
from django.dispatch import Signal

from authconfigs.database import database_now, released_connection
from authconfigs.errors import OutboundError, TokenFailed
from authconfigs.models import OAuthToken
from authconfigs.state import ConfigEdited, ConfigState, TokenState, UnknownName, load_config
from authconfigs.symptoms import Stage, Symptom
from authconfigs.tokens.exchange import LeaseLost, exchange
from authconfigs.tokens.grants import Grant
from authconfigs.tokens.lease import Lease
from authconfigs.tokens.schedule import schedule
from authconfigs.tokens.values import Token, expiry, keep, stored_value
from authconfigs.tokens.verdict import stored_failure
from authconfigs.transport import Deadline, Door
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)

# Sent after every exchange, with `state` and `symptom`, which is None when a token came.
token_asked = Signal()

FIRST_LOOK, LONGEST_PAUSE = 0.02, 0.25
STORE_PAUSES = (0.2, 0.5, 1.0, 2.0)


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
    """The token, stored; None when it came too late or the lease was lost: the row tells then."""
    state = lease.state
    try:
        with released_connection():
            row = OAuthToken.objects.get(config_id=state.config_id)
            asked_at = database_now()
        refresh_token = row.refresh_token.reveal() if row.refresh_token is not None else None
        answer = exchange(
            lease, grant=grant, refresh_token=refresh_token, door=door, deadline=deadline
        )
    except LeaseLost:
        return None
    except ConfigEdited:
        lease.release()
        raise
    except OutboundError as error:
        failure = error if isinstance(error, TokenFailed) else TokenFailed.from_error(error)
        _tell(lease, failure)
        return None
    except BaseException:
        lease.release()
        raise
    planned = schedule(asked_at, expires_in=answer.expires_in, jitter=_jitter())
    kept = answer.refresh_token or None if grant.keeps_refresh_token else None
    stored = _insistently(
        lambda: lease.store(answer, schedule=planned, now=asked_at, refresh_token=kept)
    )
    token_asked.send_robust(None, state=state, symptom=None)
    if not stored:
        logger.info("A token of %s came too late and is discarded.", state)
        return None
    generation = lease.seen.generation + 1
    keep(state, generation, value=answer.access_token)
    detail = f"obtained, {expiry(planned.expires_at, now=asked_at)}"
    return Token(answer.access_token, generation, True, planned.expires_at, detail)


def _tell(lease: Lease, failure: TokenFailed) -> None:
    """Write the failure down and raise it, unless it came too late."""
    token_asked.send_robust(None, state=lease.state, symptom=failure.symptom)
    logger.warning("No token for %s: %s", lease.state, failure.summary)
    told = _insistently(lambda: lease.fail(failure, now=database_now(), jitter=_jitter()))
    if told:
        raise failure


def _insistently(write: Callable[[], bool]) -> bool:
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


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads load, guards nothing
