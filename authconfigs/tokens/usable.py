"""The one way to a token for a call: the stored one while it is good, else one exchange for all who want it."""

from dataclasses import replace
from functools import partial
from uuid import uuid4

from django.conf import settings

from authconfigs.database import database_now
from authconfigs.errors import ConfigInvalid, TokenFailed
from authconfigs.state import ConfigState, TokenState
from authconfigs.tokens.exchange import check_origins
from authconfigs.tokens.flights import Flights
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.lease import Lease
from authconfigs.tokens.outcomes import Outcome
from authconfigs.tokens.renewal import reloaded, renewed, settled, waited_too_long
from authconfigs.tokens.values import Token, expiry, stored_value
from authconfigs.tokens.verdict import Fail, Use, verdict
from authconfigs.transport import Deadline, Door, default_door
from authconfigs.transport.transactions import refuse_open_transaction
from tenants.scope import tenant_scope

_flights: Flights[Token] = Flights()


def usable_token(
    state: ConfigState,
    *,
    deadline: Deadline,
    refused_generation: int | None = None,
    asks_again: bool = False,
    door: Door | None = None,
) -> Token:
    """A token that the API should take, for the config as it is in `state`.

    refused_generation: the API has just refused the token of that generation, so another one is needed. asks_again: a person
    acts (a test, a refresh by hand), so a failure that stopped the config doesn't stand in the way.

    Raises TokenFailed, PolicyRefused and SecretUnreadable as they are; ConfigEdited when the config was edited meanwhile, so
    that the caller reads it again and repeats, once; TransactionManagementError when it would ask inside a transaction.
    """
    state.refuse_if_off()
    grant = GRANTS[state.method.code]
    key = (state.config_id, state.token_revision)
    while True:
        row = _row_of(state)
        found = verdict(
            state,
            row,
            grant=grant,
            now=state.read_at,
            refused_generation=refused_generation,
            asks_again=asks_again,
        )
        if isinstance(found, Fail):
            if found.is_news:
                _write_down(state, row, found.failure)
            raise found.failure
        if isinstance(found, Use) or (found.usable and _flights.running(key)):
            value = stored_value(state, row)
            if value is not None:
                return _reused(state, row, value)
            state, _ = reloaded(state)
            continue
        check_origins(state)
        refuse_open_transaction()
        way_out = (door or default_door()).for_environment(protected=state.protected)
        work = partial(renewed, state, row, grant=grant, door=way_out, deadline=deadline)
        patience = min(settings.OUTBOUND_TIMEOUT, deadline.remaining())
        try:
            token, done_here = _flights.share(key, work, timeout=patience)
        except TimeoutError:
            raise waited_too_long() from None
        except TokenFailed:
            value = stored_value(state, row) if found.usable else None
            if value is None:
                raise
            return _reused(state, row, value)
        if refused_generation is not None and token.generation <= refused_generation:
            state, _ = reloaded(state)
            continue
        return token if done_here else replace(token, refreshed=False)


def _row_of(state: ConfigState) -> TokenState:
    if state.token is None:
        raise TokenFailed.from_error(
            ConfigInvalid("This auth config has no place for a token: save it again.")
        )
    return state.token


def _write_down(state: ConfigState, row: TokenState, failure: TokenFailed) -> None:
    """Tell of what only a person can help; not where the row has moved on, because somebody has connected it anew."""
    now = database_now()
    lease = Lease(state, row, owner=uuid4())
    with tenant_scope(state.tenant_id):
        if lease.take(now):
            settled([Outcome(lease, now, failure)])


def _reused(state: ConfigState, row: TokenState, value: str) -> Token:
    detail = f"reused, {expiry(row.expires_at, now=state.read_at)}"
    return Token(value, row.generation, False, row.expires_at, detail)
