"""What the person reads at the end of a trip. Its address names the trip, signed and for a short time; no code, no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from authconfigs.models import AuthorizationRequest
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
    "used": f"This answer of the provider was delivered before, and counts once. Nothing was changed now. {_AGAIN}",
    "expired": f"The consent took longer than ten minutes, so its answer isn't taken any more. Nothing was changed. {_AGAIN}",
}
NO_LINK = (
    "This consent link doesn't work: it was used already, it is too old, it isn't complete, or what it was for has been"
    " changed or deleted. Nothing was changed. Ask whoever sent it for a new one."
)


@dataclass(frozen=True)
class Answer:
    """`symptom` is None when the tokens are stored. `trip`: where it is known."""

    symptom: Symptom | None
    summary: str
    warnings: Sequence[str] = ()
    trip: AuthorizationRequest | None = None

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
    trip = None
    if trip_id:
        with unscoped("a signed address names its tenant by its trip alone"):
            trip = (
                AuthorizationRequest.objects.filter(id=trip_id)
                .select_related("config__environment", "tenant")
                .first()
            )
    if trip is None or not trip.summary:
        return Answer(Symptom.REAUTHORIZATION_REQUIRED, _NO_TRIP[why or "unknown"])
    summary, *warnings = trip.summary.splitlines()
    return Answer(Symptom(trip.symptom) if trip.symptom else None, summary, warnings, trip)


def page(request: HttpRequest, answer: Answer) -> HttpResponse:
    """The answer as a page with the status that belongs to it."""
    trip, tenant, back = answer.trip, tenant_of(request), ""
    at_home = trip is not None and tenant is not None and tenant.id == trip.tenant_id
    if trip is not None and at_home and isinstance(request.user, User):
        back = reverse("admin:authconfigs_authconfig_change", args=[trip.config_id])
    context = {"answer": answer, "trip": trip, "back": back}
    return render(request, "authconfigs/authorization/result.html", context, status=answer.status)
