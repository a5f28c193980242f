"""What the person reads at the end of a trip. Its address names the trip, signed and for a short time; no code, no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from authconfigs.database import database_now
from authconfigs.models import AuthorizationRequest, OAuthToken
from authconfigs.symptoms import Symptom
from tenants.middleware import tenant_of
from tenants.models import User
from tenants.scope import unscoped

PARAMETER = "trip"
_LIFETIME = timedelta(minutes=10)
_SALT = "authconfigs.authorization.answers"

# Not ours to mend: the provider, or the way to it.
_PROVIDER_FAILED = frozenset(
    {
        Symptom.NETWORK,
        Symptom.TIMEOUT,
        Symptom.TLS,
        Symptom.PROVIDER_ERROR,
        Symptom.PROVIDER_RATE_LIMITED,
    }
)
_AGAIN = "Begin again from the auth config's page, or ask for a new consent link."
_NO_TRIP = {
    "unknown": f"This answer of a provider belongs to nothing that was begun here, in this browser and login. Nothing was changed. {_AGAIN}",
    "used": (
        "This answer of the provider was delivered before, and counts once. If you gave your consent then, there is nothing more"
        f" to do. Otherwise: {_AGAIN[0].lower()}{_AGAIN[1:]}"
    ),
    "expired": f"The consent took longer than ten minutes, so its answer isn't taken any more. Nothing was changed. {_AGAIN}",
}
LINK_USED = (
    "This link was used already; if you gave your consent then, there is nothing more to do. If you didn't, ask whoever sent it"
    " for a new one."
)
NO_LINK = (
    "This consent link doesn't work: it was used already, it is too old, it isn't complete, or what it was for has been"
    " changed or deleted. Nothing was changed. Ask whoever sent it for a new one."
)


@dataclass(frozen=True)
class Answer:
    """`symptom` is None when the tokens are stored. `trip`: where it is known. `still_connected`: by a token from before."""

    symptom: Symptom | None
    summary: str
    warnings: Sequence[str] = ()
    trip: AuthorizationRequest | None = None
    still_connected: bool = False

    @property
    def heading(self) -> str:
        if self.symptom is None:
            return "Connected"
        has_lost_nothing = self.trip is None or self.still_connected
        return "Nothing was changed" if has_lost_nothing else "Not connected"

    @property
    def status(self) -> int:
        if self.symptom is None:
            return 200
        return 502 if self.symptom in _PROVIDER_FAILED else 400


def address_of(trip_id: UUID | None, *, why: str = "") -> str:
    """The address of the page that tells how the trip ended, or `why` there was none."""
    query = QueryDict(mutable=True)
    query[PARAMETER] = signing.dumps([why, str(trip_id or "")], salt=_SALT)
    return f"{reverse('oauth_result')}?{query.urlencode()}"


def answer_at(request: HttpRequest) -> Answer:
    """What the page of this address says."""
    try:
        why, trip_id = signing.loads(request.GET.get(PARAMETER, ""), salt=_SALT, max_age=_LIFETIME)
    except signing.BadSignature:
        why, trip_id = "unknown", ""
    trip, still_connected = None, False
    if trip_id:
        with unscoped("a signed address names its tenant by its trip alone"):
            trip = (
                AuthorizationRequest.objects.filter(id=trip_id)
                .select_related("config__environment", "tenant")
                .first()
            )
            still_connected = _good_tokens().filter(config__authorization_requests=trip).exists()
    if trip is None or not trip.summary:
        return Answer(Symptom.REAUTHORIZATION_REQUIRED, _NO_TRIP[why or "unknown"])
    summary, *warnings = trip.summary.splitlines()
    symptom = Symptom(trip.symptom) if trip.symptom else None
    return Answer(symptom, summary, warnings, trip, still_connected=still_connected)


def _good_tokens() -> QuerySet[OAuthToken]:
    """Those that calls use, or that are renewed without anybody's help."""
    lives = Q(expires_at=None) | Q(expires_at__gt=database_now()) | Q(refresh_token__isnull=False)
    states = (OAuthToken.State.VALID, OAuthToken.State.RETRYING)
    return OAuthToken.objects.filter(
        lives, state__in=states, token_revision=F("config__token_revision")
    )


def page(request: HttpRequest, answer: Answer) -> HttpResponse:
    """The answer as a page with the status that belongs to it."""
    trip, tenant, back = answer.trip, tenant_of(request), ""
    at_home = trip is not None and tenant is not None and tenant.id == trip.tenant_id
    if trip is not None and at_home and isinstance(request.user, User):
        back = reverse("admin:authconfigs_authconfig_change", args=[trip.config_id])
    context = {"answer": answer, "trip": trip, "back": back}
    return render(request, "authconfigs/authorization/result.html", context, status=answer.status)
