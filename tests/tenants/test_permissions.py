import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser, Permission
from django.test import RequestFactory
from django.utils import timezone

from tenants.backend import RoleBackend
from tenants.models import Membership, Tenant, User
from tenants.permissions import environments_for, has_perm, role_of
from tenants.roles import PLATFORM, PROTECTED, UNPROTECTED, Role
from tenants.scope import tenant_scope, unscoped
from tests.factories import (
    make_config,
    make_connection,
    make_environment,
    make_integration,
    make_member,
    make_membership,
    make_tenant,
    make_user,
)

pytestmark = pytest.mark.django_db

SEE = "integrations.view_connection"
TEST = "integrations.test_connection"
CALL = "integrations.call_connection"
CALL_UNSAFELY = "integrations.call_unsafely_connection"
EDIT = "authconfigs.change_authconfig"
PUBLISH = "integrations.publish_connection"
STAFF = "tenants.change_membership"
AUDIT = "tenants.view_auditevent"
EXPORT = "tenants.export_tenant"
ENVIRONMENTS = "tenants.add_environment"
EVERYTHING = (SEE, TEST, CALL, CALL_UNSAFELY, EDIT, PUBLISH, STAFF, AUDIT, EXPORT, ENVIRONMENTS)


@pytest.mark.parametrize(
    ("role", "unprotected", "protected"),
    [
        (Role.VIEWER, {SEE}, {SEE}),
        (Role.OPERATOR, {SEE, TEST, CALL, CALL_UNSAFELY}, {SEE, TEST, CALL}),
        (Role.EDITOR, {SEE, TEST, CALL, CALL_UNSAFELY, EDIT, PUBLISH}, {SEE, TEST, CALL}),
        (Role.ADMIN, set(EVERYTHING), set(EVERYTHING)),
    ],
)
def test_a_role_may_do_what_the_table_says(
    tenant: Tenant, role: Role, unprotected: set[str], protected: set[str]
) -> None:
    user = make_member(tenant, role)
    integration = make_integration(tenant)
    staging = make_connection(integration, make_environment(tenant, "staging"))
    production = make_connection(integration, make_environment(tenant, "prod", protected=True))
    assert {perm for perm in EVERYTHING if user.has_perm(perm)} == unprotected
    assert {perm for perm in EVERYTHING if user.has_perm(perm, staging)} == unprotected
    assert {perm for perm in EVERYTHING if user.has_perm(perm, production)} == protected


def test_a_stronger_role_may_do_all_that_a_weaker_one_may() -> None:
    for table in (UNPROTECTED, PROTECTED):
        for weaker, stronger in zip(Role, list(Role)[1:], strict=False):
            assert table[weaker] <= table[stronger]
    for role in Role:
        assert PROTECTED[role] <= UNPROTECTED[role]
        assert not UNPROTECTED[role] & PLATFORM


def test_whoever_has_no_role_may_do_nothing(tenant: Tenant) -> None:
    for nobody in (make_user(), AnonymousUser()):
        assert not any(has_perm(nobody, perm) for perm in EVERYTHING)
        assert not nobody.has_module_perms("integrations")


def test_an_inactive_user_may_do_nothing(tenant: Tenant) -> None:
    for user in (
        make_member(tenant, active=False),
        make_user("operator", superuser=True, active=False),
    ):
        assert not any(user.has_perm(perm) for perm in (*EVERYTHING, *PLATFORM))
        assert not user.has_module_perms("tenants")


def test_nobody_may_do_anything_in_a_tenant_that_is_switched_off(tenant: Tenant) -> None:
    admin, operator = make_member(tenant), make_user("operator", superuser=True)
    tenant.disabled_at = timezone.now()
    tenant.save()
    for user in (admin, operator):
        assert not any(user.has_perm(perm) for perm in EVERYTHING)


def test_a_user_of_two_tenants_has_in_each_only_the_role_there() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    user = make_member(acme, Role.ADMIN)
    make_membership(user, globex, Role.VIEWER)
    with tenant_scope(acme.id):
        assert user.has_perm(EDIT)
    with tenant_scope(globex.id):
        assert user.has_perm(SEE)
        assert not user.has_perm(EDIT)


def test_nobody_may_do_anything_to_a_row_of_another_tenant() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    theirs = make_config(make_environment(globex))
    admin, operator = make_member(acme), make_user("operator", superuser=True)
    with tenant_scope(acme.id):
        for user in (admin, operator):
            assert not user.has_perm(EDIT, theirs)
            assert not user.has_perm("authconfigs.view_authconfig", theirs)
            assert not user.has_perm(EXPORT, globex)
            assert user.has_perm(EXPORT, acme)


def test_a_platform_operator_passes_inside_an_entered_tenant_only(tenant: Tenant) -> None:
    operator = make_user("operator", superuser=True)
    assert operator.has_perm(EDIT)
    with unscoped("a test"):
        assert not operator.has_perm(EDIT)
        assert not operator.has_module_perms("integrations")
        assert operator.has_perm("tenants.view_tenant")
        assert operator.has_module_perms("tenants")


def test_an_admin_has_no_permission_of_the_platform(tenant: Tenant) -> None:
    admin = make_member(tenant)
    assert not any(admin.has_perm(perm) for perm in PLATFORM)


def test_permissions_of_django_give_nothing(tenant: Tenant) -> None:
    viewer = make_member(tenant, Role.VIEWER)
    assert Permission.objects.filter(codename="change_authconfig").exists()
    assert not hasattr(viewer, "user_permissions")
    assert not hasattr(viewer, "groups")
    assert not viewer.has_perms([SEE, EDIT])


def test_the_backend_answers_as_the_user_does(tenant: Tenant) -> None:
    editor, backend = make_member(tenant, Role.EDITOR), RoleBackend()
    assert backend.has_perm(editor, EDIT)
    assert not backend.has_perm(editor, STAFF)
    assert backend.has_module_perms(editor, "authconfigs")
    assert backend.get_all_permissions(editor) == set()


def test_an_editor_writes_to_unprotected_environments_only(tenant: Tenant) -> None:
    staging = make_environment(tenant, "staging")
    production = make_environment(tenant, "production", protected=True)
    editor, admin, viewer = (make_member(tenant, r) for r in (Role.EDITOR, Role.ADMIN, Role.VIEWER))
    perm = "authconfigs.add_authconfig"
    assert list(environments_for(editor, perm)) == [staging]
    assert list(environments_for(admin, perm)) == [staging, production]
    assert not environments_for(viewer, perm)


def test_a_lost_membership_counts_for_the_next_request(tenant: Tenant) -> None:
    admin = make_member(tenant)
    assert role_of(User.objects.get(id=admin.id)) == Role.ADMIN
    Membership.objects.all().delete()
    assert role_of(User.objects.get(id=admin.id)) is None


def logged_in(username: str, password: str) -> object:
    return authenticate(RequestFactory().post("/"), username=username, password=password)


def test_only_the_right_password_of_an_active_user_logs_in() -> None:
    user = make_user("robin", password="a long password")
    make_user("former", password="a long password", active=False)
    assert logged_in("robin", "a long password") == user
    assert logged_in("robin", "another password") is None
    assert logged_in("former", "a long password") is None
    assert logged_in("nobody", "a long password") is None


def test_a_user_without_a_password_cant_log_in() -> None:
    make_user("robin", password=None)
    assert logged_in("robin", "") is None
