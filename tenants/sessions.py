"""Which tenant a session is in. It is looked up again for every request, so that a lost membership counts at once."""

from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet

from tenants.models import Membership, Tenant, User
from tenants.scope import unscoped

KEY = "tenant"


def tenants_of(user: User) -> QuerySet[Tenant]:
    """The tenants that the user may be in: switched on, and with a membership; all of them for a platform operator."""
    tenants = Tenant.objects.filter(disabled_at=None)
    if user.is_superuser:
        return tenants
    with unscoped("a person's own memberships"):
        return tenants.filter(id__in=Membership.objects.filter(user=user).values("tenant_id"))


def wanted_tenant_id(session: SessionBase) -> UUID | None:
    """The tenant that the session was last in, whether or not that still holds."""
    stored = session.get(KEY)
    return None if stored is None else UUID(stored)


def current_tenant(user: User, session: SessionBase) -> Tenant | None:
    """The tenant that this request works in, or None.

    A new session of a member begins in their home tenant, or else in the first by slug; one of a platform operator begins
    in none. Nobody is moved to another tenant without asking: when the session's is lost, there is none.
    """
    wanted = wanted_tenant_id(session)
    if wanted is not None:
        return tenants_of(user).filter(id=wanted).first()
    if user.is_superuser:
        return None
    choices = sorted(tenants_of(user), key=lambda tenant: tenant.id != user.home_tenant_id)
    if not choices:
        return None
    enter(session, choices[0])
    return choices[0]


def enter(session: SessionBase, tenant: Tenant) -> None:
    """Work in this tenant from the next request on."""
    session[KEY] = str(tenant.id)


def leave(session: SessionBase) -> None:
    """Work in no tenant."""
    session.pop(KEY, None)
