"""A trip to the provider's consent screen: how it begins, and the one time that its answer counts."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.urls import reverse

from authconfigs import oauth
from authconfigs.authorization.bindings import hashed
from authconfigs.database import database_now
from authconfigs.errors import ConfigInvalid, TokenFailed
from authconfigs.fields import seal
from authconfigs.models import AuthorizationRequest
from authconfigs.oauth import OAuthClient
from authconfigs.saving.tokens import needs_consent
from authconfigs.state import ConfigEdited, ConfigState, load_config
from authconfigs.symptoms import Symptom
from tenants.actor import current_actor
from tenants.models import User

# From the moment the browser leaves for the provider.
LIFETIME = timedelta(minutes=10)
KEPT = timedelta(days=1)


def redirect_uri() -> str:
    """Where providers send browsers back to: one address for all tenants and configs."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('oauth_callback')}"


def loaded(config_id: UUID) -> ConfigState:
    """The config as it is now, its secrets opened. Raises UnknownName and SecretUnreadable."""
    state = load_config(config_id)
    try:
        state.fields  # noqa: B018 - opens them
    except ConfigEdited:
        state = load_config(config_id)
    return state


def check_connectable(state: ConfigState) -> None:
    """Raises PolicyRefused for what is switched off, and ConfigInvalid for what nobody can connect."""
    state.refuse_if_off()
    if not needs_consent(state.method.code):
        raise ConfigInvalid(
            f"{state.method.label} needs no consent: the first call or test gets a token."
        )


def check_right(trip: AuthorizationRequest) -> None:
    """Raises TokenFailed when whoever asked for the trip may not connect its config any more; the shell always may.

    In the active tenant's scope. The trip knows the id alone, so that somebody who is deleted isn't taken for the shell.
    """
    if trip.requested_by_id is None:
        return
    asker = User.objects.filter(id=trip.requested_by_id).first()
    if asker is None or not asker.has_perm("authconfigs.connect_authconfig", trip.config):
        raise TokenFailed(
            "Whoever asked for this consent may not connect this auth config any more, so nothing was changed. Ask for a new"
            " link.",
            symptom=Symptom.REAUTHORIZATION_REQUIRED,
            permanent=True,
        )


def begin(state: ConfigState, *, binding: str) -> str:
    """Begin a trip in the active tenant, for the browser that can prove the binding: the address that it goes to.

    Raises what `check_connectable` raises, and SecretUnreadable.
    """
    check_connectable(state)
    row_id, now = uuid4(), database_now()
    url, values = _departure(state, row_id, binding=binding, now=now)
    _forget_old(state.config_id, now)
    AuthorizationRequest.objects.create(
        id=row_id,
        config_id=state.config_id,
        token_revision=state.token_revision,
        requested_by=current_actor().name[:200],
        requested_by_id=current_actor().user_id,
        created_at=now,
        **values,
    )
    return url


def begin_by_link(trip: AuthorizationRequest, state: ConfigState, *, binding: str) -> str | None:
    """Begin the trip of a consent link: the address, or None when it was used or became too old meanwhile."""
    check_connectable(state)
    now = database_now()
    url, values = _departure(state, trip.id, binding=binding, now=now)
    rows = AuthorizationRequest.objects.filter(
        id=trip.id, state_hash="", expires_at__gt=now, token_revision=state.token_revision
    )
    return url if rows.update(**values) else None


def consume(state: str, *, bindings: Collection[str]) -> AuthorizationRequest | None:
    """The trip that this answer ends, for the one who is first to deliver it; None for anybody else.

    One conditional UPDATE, before anything is asked of anybody: of two deliveries at once, one counts. An answer from a
    browser that didn't begin the trip doesn't use it up.
    """
    rows = AuthorizationRequest.objects.filter(
        state_hash=hashed(state),
        binding_hash__in=bindings,
        consumed_at=None,
        expires_at__gt=(now := database_now()),
    )
    if not rows.update(consumed_at=now):
        return None
    found = AuthorizationRequest.objects.filter(state_hash=hashed(state))
    return found.select_related("config__environment", "tenant").first()


def why_not(state: str, *, bindings: Collection[str]) -> str:
    """Why an answer doesn't count, for the browser that began the trip; anybody else learns nothing."""
    known = AuthorizationRequest.objects.filter(
        state_hash=hashed(state), binding_hash__in=bindings
    ).first()
    if known is None:
        return "unknown"
    return "used" if known.consumed_at is not None else "expired"


def end(trip: AuthorizationRequest, *, symptom: str, summary: str) -> None:
    """Write down how the trip ended; its verifier isn't needed any more."""
    AuthorizationRequest.objects.filter(id=trip.id).update(
        symptom=symptom, summary=summary[:1000], code_verifier=None
    )


def _departure(
    state: ConfigState, row_id: UUID, *, binding: str, now: datetime
) -> tuple[str, dict[str, Any]]:
    """The provider's address, and what the trip's row has to remember of it."""
    for name in ("authorization_url", "client_id"):
        state.method.needed(state.fields, name)
    client = OAuthClient.from_fields(state.fields)
    secret, verifier = oauth.new_secret(), oauth.new_secret()
    url = oauth.authorization_url(
        client, redirect_uri=redirect_uri(), state=secret, verifier=verifier
    )
    column = AuthorizationRequest._meta.get_field("code_verifier")
    return url, {
        "state_hash": hashed(secret),
        "binding_hash": binding,
        "requested_scope": client.scope,
        "api_origins": sorted(state.api_origins),
        "code_verifier": seal(column, verifier, tenant_id=state.tenant_id, row_id=row_id),
        "expires_at": now + LIFETIME,
    }


def _forget_old(config_id: UUID, now: datetime) -> None:
    AuthorizationRequest.objects.filter(config_id=config_id, expires_at__lt=now - KEPT).delete()
