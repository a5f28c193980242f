"""Renewing tokens before anybody calls: which are due, and one of them by name."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from authconfigs.database import database_now
from authconfigs.errors import OutboundError
from authconfigs.models import OAuthToken, TokenEvent
from authconfigs.state import ConfigEdited, ConfigState, TokenState
from authconfigs.symptoms import Symptom
from authconfigs.tokens.due import is_used_to_its_end
from authconfigs.tokens.events import write_event
from authconfigs.tokens.grants import GRANTS
from authconfigs.tokens.usable import usable_token
from authconfigs.tokens.verdict import STOPPED, is_renewable, is_valid, stored_failure
from authconfigs.transport import Deadline
from tenants.scope import tenant_scope, unscoped

# What follows when a token has expired and nothing stands in the way.
RENEWS = "the next call renews it"

_State = OAuthToken.State


@dataclass(frozen=True)
class Renewal:
    """What came of one token: renewed here (`asked` and `ok`), failed (`asked`), or left alone."""

    ok: bool
    asked: bool
    symptom: Symptom | None
    summary: str


def due_configs(within: timedelta, *, force: bool) -> list[tuple[UUID, int]]:
    """The configs of all tenants whose token is due within that time, the longest overdue first, each with the generation of its token.

    force: all with a token. What is switched off or waits for a person isn't due.
    """
    with unscoped("the sweep renews the tokens of all tenants"):
        now = database_now()
        rows = OAuthToken.objects.filter(tenant__disabled_at=None, config__disabled_at=None)
        if force:
            rows = rows.exclude(access_token=None, refresh_token=None)
        else:
            rows = rows.filter(refresh_after__lte=now + within).exclude(state__in=STOPPED)
            rows = rows.exclude(is_used_to_its_end(now))
        rows = rows.order_by("refresh_after", "id")
        return list(rows.values_list("config_id", "generation"))


def is_due(state: ConfigState, within: timedelta) -> bool:
    """Whether a call of this config would ask for a token now, or will within that time."""
    row = state.token
    if row is None or not is_valid(state, row, now=state.read_at):
        return True
    return _is_scheduled(row, by=state.read_at + within) and _can_renew(state, row)


def left_alone(state: ConfigState, within: timedelta, *, listed: int) -> Renewal | None:
    """Why a config isn't renewed that was due within that time when it was `listed` with its token of that generation.

    None when it is.
    """
    row = state.token
    if row is None or row.generation != listed or not _is_scheduled(row, by=state.read_at + within):
        summary = "It isn't due any more: another process renewed it, or somebody edited it."
        return Renewal(ok=True, asked=False, symptom=None, summary=summary)
    if row.next_attempt_at is not None and state.read_at < row.next_attempt_at:
        failure = stored_failure(row)
        summary = f"Not asked again before {row.next_attempt_at:%H:%M:%S} UTC. {failure.summary}"
        return Renewal(ok=False, asked=False, symptom=failure.symptom, summary=summary)
    if row.lease_expires_at is not None and state.read_at < row.lease_expires_at:
        return Renewal(ok=True, asked=False, symptom=None, summary="Another process is at it.")
    return None


def renew_now(state: ConfigState, *, force: bool) -> Renewal:
    """Ask for a token although the stored one may still be good. `force`: also where a failure stopped the config."""
    row = state.token
    try:
        state.refuse_if_off()
        renewable = row is not None and _can_renew(state, row)
        if row is not None and not renewable and is_valid(state, row, now=state.read_at):
            return _kept(row)
        token = usable_token(
            state,
            deadline=Deadline.after(2 * settings.OUTBOUND_TIMEOUT),
            refused_generation=row.generation if row is not None and renewable else None,
            asks_again=force,
        )
    except ConfigEdited as edited:
        return Renewal(ok=True, asked=False, symptom=None, summary=edited.summary)
    except OutboundError as error:
        return Renewal(ok=False, asked=True, symptom=error.symptom, summary=error.summary)
    summary = f"{token.detail[:1].upper()}{token.detail[1:]}."
    return Renewal(ok=True, asked=token.refreshed, symptom=None, summary=summary)


def _kept(row: TokenState) -> Renewal:
    """Why a good token isn't renewed that only a person can renew."""
    if row.state in STOPPED:
        failure = stored_failure(row)
        return Renewal(ok=False, asked=True, symptom=failure.symptom, summary=failure.summary)
    return Renewal(
        ok=False,
        asked=True,
        symptom=Symptom.REAUTHORIZATION_REQUIRED,
        summary="There is no refresh token to get another one with: the stored token stays in use, and a person has to connect it for a new one.",
    )


def _is_scheduled(row: TokenState, *, by: datetime) -> bool:
    return row.refresh_after is not None and row.refresh_after <= by


def _can_renew(state: ConfigState, row: TokenState) -> bool:
    return is_renewable(row, grant=GRANTS[state.method.code])


def after_expiry(state: ConfigState) -> str:
    """How another token comes when the stored one has expired."""
    row = state.token
    if row is None or row.state == _State.REAUTHORIZATION_REQUIRED or not _can_renew(state, row):
        return "only a person can renew it, so somebody has to connect it again"
    if row.state == _State.STOPPED:
        return "calls fail until somebody edits it, or refreshes it by hand"
    return RENEWS


def nothing_to_expire(method_code: str) -> str:
    """The end of the sentence that no token is stored, so that none can expire: how one comes."""
    grant = GRANTS[method_code]
    return "Somebody has to connect it first." if grant.start is None else "A call gets one."


def expire_now(state: ConfigState) -> bool:
    """Make the stored token look expired, and due; False when there is none."""
    now = database_now()
    with tenant_scope(state.tenant_id), transaction.atomic():
        rows = OAuthToken.objects.filter(
            Q(access_token__isnull=False),
            config_id=state.config_id,
            token_revision=state.token_revision,
        )
        if not rows.update(expires_at=now, refresh_after=now):
            return False
        became = _State(rows.values_list("state", flat=True).get())
        write_event(state.config_id, TokenEvent.Kind.EXPIRY_SIMULATED, state=became)
        return True
