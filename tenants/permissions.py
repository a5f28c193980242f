"""What a user may do, from the role in the active tenant and from nothing else.

Groups and per-user permissions aren't used: they are global, and a user of two tenants would have the union in both. A
platform operator counts as an admin, but only inside the tenant that they have entered.
"""

from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from django.apps import apps

from tenants.roles import PLATFORM, PROTECTED, UNPROTECTED, Role
from tenants.scope import active_tenant_id_or_none

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from tenants.models import Environment, User

    AnyUser: TypeAlias = User | AnonymousUser

_ROLES = "_role_by_tenant"


def role_of(user: "AnyUser") -> Role | None:
    """The user's role in the active tenant; None where they have none, or no tenant is active.

    None as well while the user is inactive or the tenant is switched off. Read once per tenant and user object, as
    Django does with permissions: a request has its own.
    """
    tenant_id = active_tenant_id_or_none()
    if not user.is_active or tenant_id is None:
        return None
    known: dict[UUID, Role | None] | None = getattr(user, _ROLES, None)
    if known is None:
        known = {}
        setattr(user, _ROLES, known)
    if tenant_id not in known:
        known[tenant_id] = _read_role(user, tenant_id)
    return known[tenant_id]


def _read_role(user: "AnyUser", tenant_id: UUID) -> Role | None:
    if user.is_superuser:
        tenants = apps.get_model("tenants", "Tenant").objects
        entered = tenants.filter(id=tenant_id, disabled_at=None).exists()
        return Role.ADMIN if entered else None
    memberships = apps.get_model("tenants", "Membership").objects
    role = (
        memberships.filter(user=user.pk, tenant__disabled_at=None)
        .values_list("role", flat=True)
        .first()
    )
    return None if role is None else Role(role)


def has_perm(user: "AnyUser", perm: str, obj: object | None = None) -> bool:
    """Whether the user may do `perm` ("app_label.codename"): at all, or to `obj`.

    An object of a protected environment asks for more, and one of another tenant is never allowed. Without an object the
    answer is what holds in unprotected environments.
    """
    if perm in PLATFORM:
        return user.is_active and user.is_superuser
    role = role_of(user)
    if role is None:
        return False
    if obj is None:
        return perm in UNPROTECTED[role]
    if getattr(obj, "tenant_id", None) not in (None, active_tenant_id_or_none()):
        return False
    environment = getattr(obj, "environment", None)
    table = PROTECTED if getattr(environment, "protected", False) else UNPROTECTED
    return perm in table[role]


def has_module_perms(user: "AnyUser", app_label: str) -> bool:
    """Whether the user may do anything at all in an app."""
    granted = PLATFORM if user.is_active and user.is_superuser else frozenset()
    role = role_of(user)
    if role is not None:
        granted |= UNPROTECTED[role]
    return any(perm.startswith(f"{app_label}.") for perm in granted)


def environments_for(user: "AnyUser", perm: str) -> "QuerySet[Environment]":
    """The active tenant's environments in which the user may do `perm`."""
    environments: QuerySet[Environment] = apps.get_model("tenants", "Environment").objects.all()
    role = role_of(user)
    if role is None or perm not in UNPROTECTED[role]:
        return environments.none()
    return environments if perm in PROTECTED[role] else environments.filter(protected=False)
