"""Undoing a connection: forgotten here in any case, and withdrawn at the provider where it says how (RFC 7009)."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F

from authconfigs import oauth
from authconfigs.errors import OutboundError
from authconfigs.fields import Sealed
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.oauth import OAuthClient
from authconfigs.saving.tokens import forget_grant
from authconfigs.state import ConfigState, load_config
from authconfigs.tokens.exchange import check_origins
from authconfigs.transport import Deadline, default_door
from authconfigs.transport.transactions import refuse_open_transaction
from tenants import audit

# The person waits for it.
LONGEST_WAIT = 10.0


@dataclass(frozen=True)
class Disconnected:
    """`revoked`: the provider said so. `told` is a sentence about it."""

    revoked: bool
    told: str


def disconnect(config: AuthConfig) -> Disconnected:
    """Forget the tokens of a config, then withdraw them at the provider. What is in flight comes too late.

    Forgetting comes first: no call uses them any more, whatever the provider says. A consent that was asked for before
    doesn't count any more either.
    """
    refuse_open_transaction()
    state = load_config(config.id)
    with transaction.atomic():
        # The revisions move as with an edit, so that whoever holds the old ones reads again.
        AuthConfig.objects.filter(id=config.id).update(
            revision=F("revision") + 1,
            token_revision=F("token_revision") + 1,
            credential_revision=F("revision") + 1,
        )
        row = OAuthToken.objects.filter(config=config).first()
        config.refresh_from_db(fields=["revision", "token_revision"])
        held = _held(row)
        forget_grant(config)
        audit.record("disconnect", config)
    if not held:
        return Disconnected(False, "Nothing was stored, so there was nothing to withdraw.")
    try:
        told = _withdraw(state, held)
    except OutboundError as error:
        reason = f"{error.summary} Withdraw the access at the provider by hand."
        return Disconnected(False, f"The provider didn't withdraw them: {reason}")
    return told


def _held(row: OAuthToken | None) -> list[tuple[str, Sealed]]:
    if row is None:
        return []
    # The refresh token first: with it the provider withdraws the whole grant.
    kept = (("refresh_token", row.refresh_token), ("access_token", row.access_token))
    return [(hint, sealed) for hint, sealed in kept if sealed is not None]


def _withdraw(state: ConfigState, held: list[tuple[str, Sealed]]) -> Disconnected:
    client = OAuthClient.from_fields(state.fields)
    if not client.revocation_url:
        return Disconnected(
            False,
            "The auth config has no revocation URL: withdraw the access at the provider by hand.",
        )
    check_origins(state)
    door = default_door().for_environment(protected=state.protected)
    deadline = Deadline.after(min(LONGEST_WAIT, settings.OUTBOUND_TIMEOUT))
    for hint, sealed in held:
        oauth.revoke(client, sealed.reveal(), hint=hint, door=door, deadline=deadline)
    return Disconnected(True, "The provider withdrew them.")
