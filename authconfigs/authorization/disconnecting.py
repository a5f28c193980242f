"""Undoing a connection: forgotten here in any case, and withdrawn at the provider where it says how (RFC 7009)."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from authconfigs.errors import OutboundError
from authconfigs.fields import Sealed
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.saving import EditConflict
from authconfigs.saving.credentials import forget_seeds
from authconfigs.saving.tokens import forget_grant
from authconfigs.state import ConfigState, load_config
from authconfigs.tokens.lease import FREE
from authconfigs.tokens.withdrawal import Withdrawn, held_by, withdraw
from authconfigs.transport import Deadline
from authconfigs.transport.transactions import refuse_open_transaction
from tenants import audit

# The person waits for it.
LONGEST_WAIT = 10.0
# How often it begins anew because of an edit.
TRIES = 5


def disconnect(config: AuthConfig) -> Withdrawn:
    """Forget the tokens of a config, then withdraw them at the provider. What is in flight comes too late.

    Forgetting comes first: no call uses them any more, whatever the provider says. A consent that was asked for before
    doesn't count any more either. Raises UnknownName when the config is gone, and EditConflict when it is edited again and
    again meanwhile.
    """
    refuse_open_transaction()
    for _ in range(TRIES):
        state = _opened(config.id)
        held = _forgotten(config, state)
        if held is not None:
            break
    else:
        raise EditConflict(
            "The auth config was edited again and again just now, so it isn't disconnected. Try it once more."
        )
    if not held:
        return Withdrawn(False, "Nothing was stored, so there was nothing to withdraw.")
    deadline = Deadline.after(min(LONGEST_WAIT, settings.OUTBOUND_TIMEOUT))
    return withdraw(state, held, deadline=deadline)


def _opened(config_id: UUID) -> ConfigState:
    """The config with its fields, which can't be read at this revision later."""
    state = load_config(config_id)
    # Unreadable ones are no reason to keep the tokens.
    with suppress(OutboundError):
        state.fields  # noqa: B018 - opens them
    return state


def _forgotten(config: AuthConfig, state: ConfigState) -> Mapping[str, Sealed] | None:
    """Forget the tokens, and what was pasted in for them: the tokens that there were; None when the config isn't as in `state` any more.

    They go to the provider that `state` names, so they have to be those of this revision.
    """
    with transaction.atomic():
        # The revisions move as with an edit, so that whoever holds the old ones reads again.
        moved = AuthConfig.objects.filter(id=config.id, revision=state.revision).update(
            revision=F("revision") + 1,
            token_revision=F("token_revision") + 1,
            credential_revision=F("revision") + 1,
        )
        if not moved:
            return None
        rows = OAuthToken.objects.filter(config=config)
        # Written before it is read: what a refresh stores at this moment is among them, or comes too late.
        rows.update(**FREE)
        row = rows.first()
        config.refresh_from_db(fields=["revision", "token_revision"])
        forget_grant(config)
        audit.record("disconnect", config, fields=forget_seeds(config, state.method))
    return held_by(row.refresh_token, row.access_token) if row is not None else {}
