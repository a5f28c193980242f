"""Renewing tokens before anybody calls: which are due, and one of them by name."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from authconfigs.database import database_now
from authconfigs.errors import OutboundError
from authconfigs.models import OAuthToken
from authconfigs.state import ConfigEdited, ConfigState
from authconfigs.symptoms import Symptom
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.usable import usable_token
from authconfigs.tokens.verdict import STOPPED, is_valid, stored_failure
from authconfigs.transport import Deadline
from tenants.scope import tenant_scope, unscoped


@dataclass(frozen=True)
class Renewal:
    """What came of one token: renewed here (`asked` and `ok`), failed (`asked`), or left alone."""

    ok: bool
    asked: bool
    symptom: Symptom | None
    summary: str


def due_configs(within: timedelta, *, force: bool) -> list[UUID]:
    """The configs of all tenants whose token is due within that time, the longest overdue first; force: all with a token.

    What is switched off or waits for a person isn't due.
    """
    with unscoped("the sweep renews the tokens of all tenants"):
        rows = OAuthToken.objects.filter(tenant__disabled_at=None, config__disabled_at=None)
        if force:
            rows = rows.exclude(access_token=None, refresh_token=None)
        else:
            rows = rows.filter(refresh_after__lte=database_now() + within).exclude(
                state__in=STOPPED
            )
        return list(rows.order_by("refresh_after", "id").values_list("config_id", flat=True))


def is_due(state: ConfigState, within: timedelta) -> bool:
    """Whether a call of this config would ask for a token now, or will within that time."""
    row = state.token
    if row is None or not is_valid(state, row, now=state.read_at):
        return True
    return row.refresh_after is not None and row.refresh_after <= state.read_at + within


def rests(state: ConfigState) -> Renewal | None:
    """Why the sweep leaves a config alone for now; None when it doesn't."""
    row = state.token
    if row is None:
        return None
    if row.next_attempt_at is not None and state.read_at < row.next_attempt_at:
        failure = stored_failure(row)
        summary = f"Not asked again before {row.next_attempt_at:%H:%M:%S} UTC. {failure.summary}"
        return Renewal(ok=False, asked=False, symptom=failure.symptom, summary=summary)
    if row.lease_expires_at is not None and state.read_at < row.lease_expires_at:
        return Renewal(ok=True, asked=False, symptom=None, summary="Another process is at it.")
    return None


def renew_now(state: ConfigState, *, force: bool) -> Renewal:
    """Ask for a token although the stored one may still be good. `force`: also where a failure stopped the config."""
    try:
        token = usable_token(
            state,
            deadline=Deadline.after(2 * settings.OUTBOUND_TIMEOUT),
            refused_generation=state.token.generation if state.token else None,
            asks_again=force,
        )
    except ConfigEdited as edited:
        return Renewal(ok=True, asked=False, symptom=None, summary=edited.summary)
    except OutboundError as error:
        return Renewal(ok=False, asked=True, symptom=error.symptom, summary=error.summary)
    summary = f"{token.detail[:1].upper()}{token.detail[1:]}."
    return Renewal(ok=True, asked=token.refreshed, symptom=None, summary=summary)


def nothing_to_expire(method_code: str) -> str:
    """The end of the sentence that no token is stored, so that none can expire: how one comes."""
    grant = GRANTS[method_code]
    return "Somebody has to connect it first." if grant.start is None else "A call gets one."


def expire_now(state: ConfigState) -> bool:
    """Make the stored token look expired, and due; False when there is none."""
    now = database_now()
    with tenant_scope(state.tenant_id):
        rows = OAuthToken.objects.filter(
            Q(access_token__isnull=False),
            config_id=state.config_id,
            token_revision=state.token_revision,
        )
        return bool(rows.update(expires_at=now, refresh_after=now))
