"""What came back from the provider, judged and made the most of: tokens that are stored, or the reason why not."""

from dataclasses import dataclass, field
from typing import Self

from django.http import QueryDict

from authconfigs.authorization import trips
from authconfigs.authorization.connecting import connect, edited
from authconfigs.errors import OutboundError, TokenFailed
from authconfigs.models import AuthorizationRequest, OAuthToken, TokenEvent
from authconfigs.oauth import refusal_at_consent
from authconfigs.state import ConfigState, UnknownName
from authconfigs.symptoms import Symptom
from authconfigs.tokens.events import write_event
from authconfigs.tokens.exchange import client_of
from authconfigs.tokens.granted import scope_warnings
from authconfigs.tokens.values import opened
from tenants import audit
from tenants.actor import current_actor
from tenants.models import User

_NAMES = ("state", "code", "error", "error_description", "iss")


@dataclass(frozen=True)
class Delivered:
    """The answer of an authorization server, as a browser delivers it (RFC 6749 §4.1.2, RFC 9207)."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    error: str
    error_description: str = field(repr=False)
    iss: str | None

    @classmethod
    def from_query(cls, query: QueryDict) -> Self | None:
        """The answer in a query; None where it has no state, or one of its parameters twice (RFC 6749 §3.1)."""
        if not query.get("state") or any(len(query.getlist(name)) > 1 for name in _NAMES):
            return None
        state, code, error, description = (query.get(name, "") for name in _NAMES[:4])
        return cls(state, code, error, description, query.get("iss"))


def finish(trip: AuthorizationRequest, delivered: Delivered, *, user: User | None) -> None:
    """End a trip that was just consumed, in its tenant's scope: its row tells how.

    user: who began it while logged in, and has to be allowed to still; None for a consent link.
    """
    config = trip.config
    failure: OutboundError | None = None
    try:
        state = _current(trip, user=user)
        _check_issuer(state, delivered)
        if delivered.error or not delivered.code:
            _refuse(state, trip, delivered)
        answer = connect(state, trip, delivered.code, by=current_actor().name)
    except OutboundError as error:
        failure = error
    if failure is None:
        told = [f"{config.name} is connected: calls use the new token from now on."]
        if not answer.refresh_token:
            told.append(
                "The provider gave no refresh token, so somebody has to connect it again when the access token has expired."
            )
        told += scope_warnings(trip.tenant_id, config.id)
        summary = "\n".join(told)
    else:
        summary = failure.summary
        _tell(trip, failure)
    symptom = failure.symptom if failure is not None else ""
    audit.record("connect", config, outcome=symptom or "ok")
    trips.end(trip, symptom=symptom, summary=summary)


def _current(trip: AuthorizationRequest, *, user: User | None) -> ConfigState:
    if user is not None and not user.has_perm("authconfigs.connect_authconfig", trip.config):
        raise TokenFailed(
            "You may not connect this auth config any more: ask an admin of the tenant.",
            symptom=Symptom.BLOCKED_BY_POLICY,
            permanent=True,
        )
    try:
        state = trips.loaded(trip.config_id)
    except UnknownName:
        raise edited() from None
    if state.token_revision != trip.token_revision:
        raise edited()
    trips.check_connectable(state)
    return state


def _check_issuer(state: ConfigState, delivered: Delivered) -> None:
    """Refuse the answer of another server than the one that was asked (RFC 9207 §2.4).

    Without `iss` it is taken: whether the server promises one stands in its metadata, which aren't kept. An empty one is
    another one.
    """
    issuer = state.fields.get("issuer")
    if issuer and delivered.iss is not None and delivered.iss != issuer:
        raise TokenFailed(
            "The answer comes from another issuer than the one in the auth config, so its code was sent to nobody."
            " Check the issuer; if it is right, somebody may have tried to mix up two providers.",
            symptom=Symptom.BLOCKED_BY_POLICY,
            permanent=True,
        )


def _refuse(state: ConfigState, trip: AuthorizationRequest, delivered: Delivered) -> None:
    if delivered.error:
        row = OAuthToken.objects.filter(config_id=trip.config_id).first()
        tokens = (row.access_token, row.refresh_token) if row is not None else ()
        stored = opened(*tokens, trip.code_verifier)
        secrets = [delivered.state, delivered.code, *client_of(state, stored=stored).secrets]
        raise refusal_at_consent(delivered.error, delivered.error_description, secrets=secrets)
    raise TokenFailed(
        "The provider sent the browser back without a code, so there is nothing to get a token with. Connect it again.",
        symptom=Symptom.REAUTHORIZATION_REQUIRED,
        permanent=True,
    )


def _tell(trip: AuthorizationRequest, failure: OutboundError) -> None:
    """Write the failure into the history of the token, which is as it was."""
    row = OAuthToken.objects.filter(config_id=trip.config_id).only("state").first()
    if row is not None:
        write_event(
            trip.config_id,
            TokenEvent.Kind.FAILED,
            state=OAuthToken.State(row.state),
            symptom=failure.symptom,
            summary=failure.summary,
        )
