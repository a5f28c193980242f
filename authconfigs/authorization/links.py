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
    try:
        wanted = UUID(_signer.unsign(link))
    except (BadSignature, ValueError):
        return None
    with unscoped("a signed link names its tenant by its trip alone"):
        trip = (
            AuthorizationRequest.objects.filter(
                id=wanted, state_hash="", expires_at__gt=database_now()
            )
            .select_related("config__environment", "tenant")
            .first()
        )
    if trip is None or trip.token_revision != trip.config.token_revision:
        return None
    return trip
