"""Consent links: for the person who owns the account at the provider and has no login here.

Signed, so that nobody makes one up; what it is for, how long it works and whether it was used stands in its trip's row. It is
as good as the right of whoever made it, at every step. It is a secret of its own kind, so it travels in the query, which
access logs leave out.
"""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import F
from django.urls import reverse

from authconfigs.database import database_now
from authconfigs.models import AuthorizationRequest
from authconfigs.state import ConfigState
from tenants.actor import current_actor
from tenants.scope import unscoped

LIFETIME = timedelta(minutes=30)
PARAMETER = "link"

_signer = Signer(salt="authconfigs.authorization.links")


def make_link(state: ConfigState) -> tuple[AuthorizationRequest, str]:
    """A trip that hasn't begun, in the active tenant, and the link that begins it."""
    now = database_now()
    trip = AuthorizationRequest.objects.create(
        config_id=state.config_id,
        token_revision=state.token_revision,
        requested_by=current_actor().name[:200],
        requested_by_id=current_actor().user_id,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    query = urlencode({PARAMETER: _signer.sign(str(trip.id))})
    return trip, f"{settings.PUBLIC_BASE_URL}{reverse('consent_link')}?{query}"


def trip_of(link: str) -> AuthorizationRequest | None:
    """The trip that a link begins, while it may: it wasn't used, it isn't too old, and its config is as it was."""
    trip = _named(link)
    if trip is None or trip.state_hash or trip.expires_at <= database_now():
        return None
    return trip


def was_used(link: str) -> bool:
    """Whether somebody went to the provider by this link, and what it is for is as it was."""
    trip = _named(link)
    return trip is not None and trip.state_hash != ""


def _named(link: str) -> AuthorizationRequest | None:
    try:
        wanted = UUID(_signer.unsign(link))
    except (BadSignature, ValueError):
        return None
    with unscoped("a signed link names its tenant by its trip alone"):
        return (
            AuthorizationRequest.objects.filter(
                id=wanted, token_revision=F("config__token_revision")
            )
            .select_related("config__environment", "tenant")
            .first()
        )
