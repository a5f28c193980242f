"""One conversation with a token endpoint: refresh with what there is, or start anew where the method can."""

from collections.abc import Iterable

from django.conf import settings

from authconfigs import oauth
from authconfigs.database import database_now
from authconfigs.errors import PolicyRefused, TokenFailed
from authconfigs.oauth import OAuthClient, TokenAnswer
from authconfigs.state import ConfigState
from authconfigs.symptoms import Symptom
from authconfigs.tokens.grants import Grant
from authconfigs.tokens.lease import Lease
from authconfigs.transport import Deadline, Door

INVALID_GRANT = "invalid_grant"


class LeaseLost(Exception):
    """Somebody else has the lease: nothing more may be sent."""


def check_origins(state: ConfigState) -> None:
    """Raises TokenFailed when a secret would go to an endpoint that it wasn't entered for."""
    for origin in sorted(state.method.token_origins(state.fields) - state.token_origins):
        refused = PolicyRefused(
            f"The secrets of this auth config weren't entered for the token endpoint {origin}."
        )
        raise TokenFailed.from_error(refused)


def client_of(state: ConfigState, *, stored: Iterable[str] = ()) -> OAuthClient:
    """The client that a config describes. None of its answers repeats a secret of the config, or one of the `stored` tokens."""
    secrets = state.method.secret_values(state.fields, None)
    return OAuthClient.from_fields(state.fields, hidden=(*secrets, *stored))


def exchange(
    lease: Lease,
    *,
    grant: Grant,
    refresh_token: str | None,
    stored: Iterable[str],
    door: Door,
    deadline: Deadline,
) -> tuple[TokenAnswer, bool]:
    """The endpoint's answer, and whether it is the refresh token's. Raises TokenFailed, or LeaseLost before a second exchange.

    RFC 6749 §6 for a refresh; §4.3 and §4.4 to start anew. A dead refresh token is dropped and, where the method can start
    anew, that is tried once. No answer repeats one of the `stored` tokens.
    """
    client = client_of(lease.state, stored=stored)
    if refresh_token and grant.keeps_refresh_token:
        try:
            within = one_exchange(deadline)
            return oauth.refresh(client, refresh_token, door=door, deadline=within), True
        except TokenFailed as failure:
            if failure.error != INVALID_GRANT:
                raise
            if grant.start is None:
                raise _consent_needed(failure) from None
        if not lease.renew(database_now(), without_refresh_token=True):
            raise LeaseLost
    if grant.start is None:
        raise _consent_needed()
    return grant.start(client, lease.state.fields, door, one_exchange(deadline)), False


def one_exchange(deadline: Deadline) -> Deadline:
    """The end of one exchange within the time that the whole has left."""
    return Deadline.after(min(settings.OUTBOUND_TIMEOUT, deadline.remaining()))


def _consent_needed(failure: TokenFailed | None = None) -> TokenFailed:
    return TokenFailed(
        "The provider doesn't take the refresh token any more: a person has to connect this auth config again.",
        symptom=Symptom.REAUTHORIZATION_REQUIRED,
        permanent=True,
        error=failure.error if failure else "",
        status=failure.status if failure else None,
    )
