"""Who works in a tenant: adding people, their roles, and what only the admins of their home may change.

All of it happens in the active tenant's scope. `by` is who asks; every function raises StaffRefused, with a sentence for
them, when the rules don't allow it:

- nobody gives a role above their own, or changes somebody whose role is above their own;
- the last admin who can log in stays;
- e-mail, password and whether the login works belong to the person's home tenant;
- a person of another home gets a membership from a platform operator only;
- platform operators are nobody's staff.
"""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from tenants import password_links
from tenants.audit import record
from tenants.models import Membership, Tenant, User
from tenants.permissions import has_perm, role_of
from tenants.refusals import StaffRefused
from tenants.roles import Role
from tenants.scope import active_tenant_id

_LOGIN = re.compile(r"[A-Za-z0-9._+-]{1,80}")


def people() -> QuerySet[User]:
    """Who has a membership in the active tenant."""
    return User.objects.filter(id__in=Membership.objects.values("user_id"))


def add_person(typed: str, *, email: str, role: Role, by: User) -> Membership:
    """Make a person of this tenant; their login is `typed@tenant-slug`, so that it collides with no other tenant's.

    They can't log in before they set a password through `new_password_link()`.
    """
    _demand(by, "tenants.add_membership", role=role)
    if not _LOGIN.fullmatch(typed):
        raise StaffRefused(
            "Use 1 to 80 letters, digits, dots, hyphens, plus signs or underscores for the login,"
            " without the part after @."
        )
    _judge_email(email)
    tenant = Tenant.objects.get(id=active_tenant_id())
    login = f"{typed.lower()}@{tenant.slug}"
    try:
        with transaction.atomic():
            user = User.objects.create_user(login, email, home_tenant=tenant)
            return _join(user, role)
    except IntegrityError:
        raise StaffRefused(f"There is a login {login} already. Choose another name.") from None


def add_foreign_person(user: User, *, role: Role, by: User) -> Membership:
    """Give somebody who is at home elsewhere a membership here. Only a platform operator may."""
    if not has_perm(by, "tenants.add_foreign_membership"):
        raise StaffRefused("Only a platform operator adds people of another tenant: ask one.")
    _demand(by, "tenants.add_membership", role=role)
    if user.is_superuser:
        raise StaffRefused(
            "A platform operator needs no membership, because they enter the tenant without one: add nobody."
        )
    try:
        with transaction.atomic():
            return _join(user, role)
    except IntegrityError:
        raise StaffRefused(f"{user} is on the staff already: change their role instead.") from None


def change_role(membership: Membership, role: Role, *, by: User) -> None:
    """Give somebody another role here."""
    with transaction.atomic():
        row = _locked(membership)
        _demand(by, "tenants.change_membership", role=role)
        _demand_rank(by, Role(row.role))
        if role == row.role:
            return
        if role != Role.ADMIN:
            _keep_an_admin(row)
        row.role = role
        row.save(update_fields=["role"])
        record("change", row, fields=["role"])
    membership.role = role


def remove(membership: Membership, *, by: User) -> None:
    """End somebody's membership here. Their login stays: it may have others."""
    with transaction.atomic():
        row = _locked(membership)
        _demand(by, "tenants.delete_membership")
        _demand_rank(by, Role(row.role))
        _keep_an_admin(row)
        record("delete", row)
        row.delete()


def set_active(membership: Membership, active: bool, *, by: User) -> None:
    """Let a login of this home work, or not: everywhere, and at once."""
    with transaction.atomic():
        row = _locked(membership)
        user = _at_home(row, by)
        if user.is_active == active:
            return
        if not active:
            _keep_an_admin(row)
        user.is_active = active
        user.save(update_fields=["is_active"])
        record("activate" if active else "deactivate", row, fields=["is_active"])
    membership.user.is_active = active


def change_email(membership: Membership, email: str, *, by: User) -> None:
    """Set the e-mail of a person of this home."""
    _judge_email(email)
    with transaction.atomic():
        row = _locked(membership)
        user = _at_home(row, by)
        if user.email == email:
            return
        user.email = email
        user.save(update_fields=["email"])
        record("change", row, fields=["email"])
    membership.user.email = email


def new_password_link(membership: Membership, *, by: User) -> str:
    """A one-time link for the password of a person of this home, to be shown once. The present password stops working."""
    with transaction.atomic():
        row = _locked(membership)
        user = _at_home(row, by)
        link = password_links.make_link(user)
        record("make_password_link", row)
    return link


def _join(user: User, role: Role) -> Membership:
    membership = Membership.objects.create(user=user, role=role)
    record("create", membership, fields=["user", "role"])
    return membership


def _locked(membership: Membership) -> Membership:
    """The row as it is now, while nobody else changes the tenant's staff: two admins can't remove each other at once.

    SQLite has no row locks and needs none: its transactions begin by taking the whole database.
    """
    Tenant.objects.select_for_update(no_key=True).get(id=active_tenant_id())
    row = Membership.objects.select_related("user").filter(id=membership.id).first()
    if row is None:
        raise StaffRefused(
            "This membership is gone, somebody else ended it meanwhile: look at the list again."
        )
    return row


def _demand(by: User, perm: str, *, role: Role | None = None) -> None:
    if not has_perm(by, perm):
        raise StaffRefused("Only an admin of the tenant changes its staff: ask one.")
    if role is not None:
        _demand_rank(by, role)


def _demand_rank(by: User, role: Role) -> None:
    own = role_of(by)
    if own is None or role.rank > own.rank:
        raise StaffRefused(
            f"The role {role.label} is above your own: give one up to yours, or ask somebody of that role."
        )


def _at_home(row: Membership, by: User) -> User:
    _demand(by, "tenants.change_membership", role=Role(row.role))
    if row.user.is_superuser or row.user.home_tenant_id != active_tenant_id():
        raise StaffRefused(
            f"{row.user} is at home in another tenant, and only its admins change that: ask one of them."
        )
    return row.user


def _keep_an_admin(leaving: Membership) -> None:
    if leaving.role != Role.ADMIN or not leaving.user.is_active:
        return
    others = Membership.objects.filter(role=Role.ADMIN, user__is_active=True)
    if not others.exclude(id=leaving.id).exists():
        raise StaffRefused(
            "This is the last admin who can log in. Make somebody else an admin first."
        )


def _judge_email(email: str) -> None:
    try:
        if email:
            validate_email(email)
    except ValidationError:
        raise StaffRefused(
            "The e-mail address isn't complete: write it as in ann.lee@example.com."
        ) from None
