"""The code becomes tokens: one exchange under the lease, stored by compare-and-swap, so that a refresh that runs can't interleave."""

import time
from uuid import uuid4

from django.conf import settings

from authconfigs import oauth
from authconfigs.authorization.trips import check_right, redirect_uri
from authconfigs.database import database_now
from authconfigs.errors import ConfigInvalid, TokenFailed
from authconfigs.models import AuthorizationRequest, OAuthToken
from authconfigs.oauth import TokenAnswer
from authconfigs.state import ConfigEdited, ConfigState
from authconfigs.symptoms import Symptom
from authconfigs.tokens.exchange import INVALID_GRANT, check_origins, client_of, one_exchange
from authconfigs.tokens.lease import Lease
from authconfigs.tokens.outcomes import Consent, Obtained, Outcome
from authconfigs.tokens.renewal import plan, reloaded, settled_alone, waited_too_long
from authconfigs.tokens.schedule import Schedule
from authconfigs.tokens.values import opened
from authconfigs.transport import Deadline, Door, default_door
from authconfigs.transport.transactions import refuse_open_transaction

PAUSE = 0.1


def connect(
    state: ConfigState, trip: AuthorizationRequest, code: str, *, by: str, door: Door | None = None
) -> TokenAnswer:
    """Exchange the code, and store what it gives for the config as it is in `state`, in the active tenant.

    Raises TokenFailed, or another OutboundError; the stored token stays as it was then. The code is sent to nobody when who
    asked for the trip may not connect the config any more, or when the token would go to an API that they weren't told of.
    """
    refuse_open_transaction()
    check_right(trip)
    check_origins(state)
    deadline = Deadline.after(2 * settings.OUTBOUND_TIMEOUT)
    try:
        lease = _taken(state, deadline=deadline)
        asked_at = database_now()
        try:
            _check_told(lease.state, trip)
            way_out = (door or default_door()).for_environment(protected=state.protected)
            answer = _exchanged(lease.state, trip, code, door=way_out, deadline=deadline)
        except BaseException:
            # Says nothing about the token that is stored.
            lease.release()
            raise
        renewable = answer.refresh_token or None
        planned = plan(
            lease.state, answer, asked_at=asked_at, has_refresh_token=renewable is not None
        )
        if renewable is None:
            # Only a person renews it: the sweep says so when it ends.
            planned = Schedule(planned.expires_at, planned.expires_at)
        consent = Consent(trip.requested_scope, by)
        stored = settled_alone(
            Outcome(lease, asked_at, Obtained(answer, planned, renewable, None, consent)),
            deadline=deadline,
        )
    except ConfigEdited:
        raise edited() from None
    if stored is None:
        raise edited()
    if isinstance(stored.result, TokenFailed):
        raise stored.result
    return answer


def _check_told(state: ConfigState, trip: AuthorizationRequest) -> None:
    """Until a consent is stored, an editor may add the first API: not behind the back of whoever is giving one."""
    added = sorted(state.api_origins.difference(trip.api_origins))
    if added:
        raise TokenFailed(
            f"The access token would go to {', '.join(added)}, too: that was added after this consent was asked for, so"
            " nothing was stored. Connect it again.",
            symptom=Symptom.REAUTHORIZATION_REQUIRED,
            permanent=True,
        )


def edited() -> TokenFailed:
    return TokenFailed(
        "The auth config was edited or disconnected after this consent was asked for, so nothing was stored. Connect it again.",
        symptom=Symptom.REAUTHORIZATION_REQUIRED,
        permanent=True,
    )


def _taken(state: ConfigState, *, deadline: Deadline) -> Lease:
    """The lease, after waiting for whoever has it. Raises TokenFailed after OUTBOUND_TIMEOUT, and ConfigEdited."""
    if state.token is None:
        raise ConfigInvalid("This auth config has no place for a token: save it again.")
    waiting = Deadline.after(min(settings.OUTBOUND_TIMEOUT, deadline.remaining()))
    lease = Lease(state, state.token, owner=uuid4())
    while not lease.take(database_now()):
        if waiting.expired:
            raise waited_too_long()
        time.sleep(min(PAUSE, waiting.remaining()))
        fresh, row = reloaded(state)
        lease = Lease(fresh, row, owner=lease.owner)
    return lease


def _exchanged(
    state: ConfigState,
    trip: AuthorizationRequest,
    code: str,
    *,
    door: Door,
    deadline: Deadline,
) -> TokenAnswer:
    check_origins(state)
    row = OAuthToken.objects.filter(config_id=state.config_id).first()
    stored = opened(row.access_token, row.refresh_token) if row is not None else ()
    client = client_of(state, stored=stored)
    verifier = trip.code_verifier.reveal() if trip.code_verifier is not None else ""
    try:
        return oauth.exchange_code(
            client,
            code,
            redirect_uri=redirect_uri(),
            verifier=verifier,
            door=door,
            deadline=one_exchange(deadline),
        )
    except TokenFailed as error:
        failure = error
    if failure.error == INVALID_GRANT:
        raise TokenFailed(
            f"The provider doesn't take the code: it was used, is too old, or isn't this client's. Connect it again.{_said(failure)}",
            symptom=Symptom.REAUTHORIZATION_REQUIRED,
            permanent=True,
            error=failure.error,
            status=failure.status,
        )
    raise failure


def _said(failure: TokenFailed) -> str:
    _, mark, said = failure.summary.partition(" It says: ")
    return f"{mark}{said}"
