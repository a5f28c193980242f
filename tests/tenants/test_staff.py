import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tenants import staff
from tenants.models import AuditEvent, Membership, Tenant, User
from tenants.refusals import StaffRefused
from tenants.roles import Role
from tenants.scope import tenant_scope
from tests.factories import make_member, make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db


def membership_of(user: User) -> Membership:
    return Membership.objects.select_related("user").get(user=user)


def fresh(user: User) -> User:
    return User.objects.get(id=user.id)


def test_a_person_gets_a_login_of_the_tenant_and_no_password(tenant: Tenant) -> None:
    added = staff.add_person(
        "Robin", email="r@mail.example", role=Role.EDITOR, by=make_member(tenant)
    )
    assert added.user.username == "robin@acme"
    assert added.user.home_tenant_id == tenant.id
    assert added.role == Role.EDITOR
    assert not added.user.has_usable_password()


@pytest.mark.parametrize("typed", ["", "a@b", "a b", "x" * 81, "ü", "a/b", "robin\n"])
def test_a_login_that_cant_be_typed_anywhere_is_refused(tenant: Tenant, typed: str) -> None:
    with pytest.raises(StaffRefused):
        staff.add_person(typed, email="", role=Role.VIEWER, by=make_member(tenant))


def test_a_login_that_exists_is_refused(tenant: Tenant) -> None:
    admin = make_member(tenant)
    staff.add_person("robin", email="", role=Role.VIEWER, by=admin)
    with pytest.raises(StaffRefused, match="robin@acme already"):
        staff.add_person("robin", email="", role=Role.VIEWER, by=admin)
    assert User.objects.filter(username="robin@acme").count() == 1


def test_a_bad_e_mail_is_refused(tenant: Tenant) -> None:
    admin = make_member(tenant)
    with pytest.raises(StaffRefused):
        staff.add_person("robin", email="no address", role=Role.VIEWER, by=admin)
    with pytest.raises(StaffRefused):
        staff.change_email(membership_of(admin), "no address", by=admin)


Refused = Callable[[Membership, User], Any]
ATTEMPTS: list[Refused] = [
    lambda _, by: staff.add_person("new", email="", role=Role.VIEWER, by=by),
    lambda row, by: staff.change_role(row, Role.VIEWER, by=by),
    lambda row, by: staff.remove(row, by=by),
    lambda row, by: staff.set_active(row, False, by=by),
    lambda row, by: staff.change_email(row, "x@mail.example", by=by),
    lambda row, by: staff.new_password_link(row, by=by),
    lambda row, by: staff.add_foreign_person(row.user, role=Role.VIEWER, by=by),
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.EDITOR])
def test_only_admins_change_staff(tenant: Tenant, role: Role, attempt: Refused) -> None:
    by = make_member(tenant, role, username="by")
    victim = membership_of(make_member(tenant, Role.OPERATOR, username="victim"))
    make_member(tenant)
    with pytest.raises(StaffRefused):
        attempt(victim, by)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_admin_of_another_tenant_changes_nothing(tenant: Tenant, attempt: Refused) -> None:
    by = make_member(make_tenant("globex"))
    with pytest.raises(StaffRefused):
        attempt(membership_of(make_member(tenant, Role.VIEWER)), by)


def test_a_role_is_changed_and_recorded(tenant: Tenant) -> None:
    admin, viewer = make_member(tenant), make_member(tenant, Role.VIEWER)
    staff.change_role(membership_of(viewer), Role.EDITOR, by=admin)
    assert membership_of(viewer).role == Role.EDITOR
    assert AuditEvent.objects.get(action="change").fields == ["role"]


def test_the_last_admin_stays(tenant: Tenant) -> None:
    admin = make_member(tenant)
    make_member(tenant, username="former", active=False)
    make_member(tenant, Role.EDITOR)
    row = membership_of(admin)
    with pytest.raises(StaffRefused, match="last admin"):
        staff.change_role(row, Role.EDITOR, by=admin)
    with pytest.raises(StaffRefused, match="last admin"):
        staff.remove(row, by=admin)
    with pytest.raises(StaffRefused, match="last admin"):
        staff.set_active(row, False, by=admin)
    assert membership_of(admin).role == Role.ADMIN
    assert fresh(admin).is_active


def test_one_of_two_admins_may_go(tenant: Tenant) -> None:
    admin, other = make_member(tenant), make_member(tenant, username="other")
    staff.remove(membership_of(other), by=admin)
    assert not Membership.objects.filter(user=other).exists()
    assert User.objects.filter(id=other.id).exists()


def test_two_admins_cant_remove_each_other(tenant: Tenant) -> None:
    one, two = make_member(tenant, username="one"), make_member(tenant, username="two")
    row_of_one = membership_of(one)
    staff.change_role(membership_of(two), Role.VIEWER, by=one)
    with pytest.raises(StaffRefused):
        staff.remove(row_of_one, by=two)


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_at_once_dont_both_go() -> None:
    acme = make_tenant()
    pair = [make_member(acme, username="one"), make_member(acme, username="two")]
    start = threading.Barrier(2)

    def remove(by: User, other: User) -> bool:
        try:
            with tenant_scope(acme.id):
                row = membership_of(other)
                start.wait(timeout=10)
                staff.remove(row, by=by)
        except StaffRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        removed = list(pool.map(remove, pair, reversed(pair)))
    assert sorted(removed) == [False, True]
    with tenant_scope(acme.id):
        assert Membership.objects.count() == 1


def test_a_login_is_deactivated_by_its_home_only(tenant: Tenant) -> None:
    admin = make_member(tenant)
    guest = make_member(make_tenant("globex"), Role.VIEWER)
    row = make_membership(guest, tenant, Role.VIEWER)
    for attempt in (
        lambda: staff.set_active(row, False, by=admin),
        lambda: staff.change_email(row, "x@mail.example", by=admin),
        lambda: staff.new_password_link(row, by=admin),
    ):
        with pytest.raises(StaffRefused, match="at home in another tenant"):
            attempt()
    staff.change_role(row, Role.OPERATOR, by=admin)
    assert fresh(guest).email == guest.email
    assert fresh(guest).is_active


def test_a_person_of_the_home_is_deactivated_and_activated(tenant: Tenant) -> None:
    admin, viewer = make_member(tenant), make_member(tenant, Role.VIEWER)
    row = membership_of(viewer)
    staff.set_active(row, False, by=admin)
    assert not fresh(viewer).is_active
    staff.set_active(row, True, by=admin)
    assert fresh(viewer).is_active
    actions = AuditEvent.objects.order_by("at").values_list("action", flat=True)
    assert list(actions) == ["deactivate", "activate"]


def test_only_a_platform_operator_adds_people_of_another_home(tenant: Tenant) -> None:
    guest = make_member(make_tenant("globex"))
    with pytest.raises(StaffRefused, match="platform operator"):
        staff.add_foreign_person(guest, role=Role.VIEWER, by=make_member(tenant))
    operator = make_user("operator", superuser=True)
    staff.add_foreign_person(guest, role=Role.VIEWER, by=operator)
    assert membership_of(guest).role == Role.VIEWER
    with pytest.raises(StaffRefused, match="already"):
        staff.add_foreign_person(guest, role=Role.VIEWER, by=operator)


def test_a_platform_operator_is_nobodys_staff(tenant: Tenant) -> None:
    admin, operator = make_member(tenant), make_user("operator", superuser=True, password="secret")
    with pytest.raises(StaffRefused, match="enter the tenant"):
        staff.add_foreign_person(operator, role=Role.ADMIN, by=make_user("two", superuser=True))
    row = make_membership(operator, tenant, Role.VIEWER)
    for attempt in (
        lambda: staff.set_active(row, False, by=admin),
        lambda: staff.change_email(row, "x@mail.example", by=admin),
        lambda: staff.new_password_link(row, by=admin),
    ):
        with pytest.raises(StaffRefused):
            attempt()
    assert fresh(operator).check_password("secret")


def test_nobody_here_makes_a_platform_operator(tenant: Tenant) -> None:
    added = staff.add_person("robin", email="", role=Role.ADMIN, by=make_member(tenant))
    assert not added.user.is_superuser


def test_a_membership_that_is_gone_is_said_so(tenant: Tenant) -> None:
    admin, viewer = make_member(tenant), make_member(tenant, Role.VIEWER)
    row = membership_of(viewer)
    staff.remove(membership_of(viewer), by=admin)
    with pytest.raises(StaffRefused, match="gone"):
        staff.change_role(row, Role.EDITOR, by=admin)


def test_a_password_link_is_recorded_without_it(tenant: Tenant) -> None:
    admin, viewer = make_member(tenant), make_member(tenant, Role.VIEWER)
    link = staff.new_password_link(membership_of(viewer), by=admin)
    line = AuditEvent.objects.get(action="make_password_link")
    assert link.rpartition("token=")[2] not in str(vars(line))


def test_people_are_those_of_the_active_tenant(tenant: Tenant) -> None:
    admin = make_member(tenant)
    make_member(make_tenant("globex"))
    make_user("operator", superuser=True)
    assert list(staff.people()) == [admin]
