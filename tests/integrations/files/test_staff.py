from pathlib import Path
from typing import Any

import pytest

from tenants.models import Membership, User
from tenants.roles import Role
from tenants.scope import unscoped
from tests.factories import make_tenant, make_user
from tests.integrations.files.applied import Run, apply_tenant

pytestmark = pytest.mark.django_db


def apply_staff(
    path: Path, *people: dict[str, Any], slug: str = "acme", flags: tuple[str, ...] = ()
) -> Run:
    return apply_tenant(path, {"slug": slug, "staff": list(people)}, *flags)


def role(username: str, slug: str = "acme") -> str:
    with unscoped("a test looks at one row"):
        return Membership.objects.get(user__username=username, tenant__slug=slug).role


def test_a_person_is_made_with_password_and_role(tmp_path: Path) -> None:
    ada = {"username": "ada", "email": "ada@acme.example", "role": "admin", "password": "pw"}
    run = apply_staff(tmp_path, ada)
    user = User.objects.get()

    assert run.lines[-1] == "+ staff acme/ada: username, email, role, password"
    assert user.check_password("pw")
    assert user.email == "ada@acme.example"
    assert user.home_tenant is not None
    assert user.home_tenant.slug == "acme"
    assert role("ada") == Role.ADMIN
    assert apply_staff(tmp_path, ada).stdout == "nothing to do\n"


def test_a_person_without_password_cannot_log_in_by_one(tmp_path: Path) -> None:
    apply_staff(tmp_path, {"username": "ada"})

    assert not User.objects.get().has_usable_password()
    assert role("ada") == Role.VIEWER


def test_a_password_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADA_PASSWORD", " pä ss ")
    apply_staff(tmp_path, {"username": "ada", "password": "${env:ADA_PASSWORD}"})

    assert User.objects.get().check_password(" pä ss ")


def test_email_and_password_of_a_known_person_stay(tmp_path: Path) -> None:
    apply_staff(tmp_path, {"username": "ada", "email": "a@acme.example", "password": "pw"})
    again = {"username": "ada", "email": "b@acme.example", "password": "${env:NOT_SET_ANYWHERE}"}
    run = apply_staff(tmp_path, {**again, "role": "editor"})

    assert run.lines == ["~ staff acme/ada: role"]
    assert User.objects.get().email == "a@acme.example"
    assert User.objects.get().check_password("pw")
    assert role("ada") == Role.EDITOR


def test_null_makes_a_viewer_again_and_absent_keeps_the_role(tmp_path: Path) -> None:
    apply_staff(tmp_path, {"username": "ada", "role": "editor"})
    assert apply_staff(tmp_path, {"username": "ada"}).stdout == "nothing to do\n"
    apply_staff(tmp_path, {"username": "ada", "role": None})

    assert role("ada") == Role.VIEWER


def test_a_person_of_another_home_gets_a_membership(tmp_path: Path) -> None:
    make_user("bob", home=make_tenant("globex"))
    run = apply_staff(tmp_path, {"username": "bob", "role": "operator", "home": "globex"})

    assert run.lines[-1] == "+ staff acme/bob: role"
    assert role("bob") == Role.OPERATOR


def test_a_new_person_can_be_at_home_elsewhere(tmp_path: Path) -> None:
    make_tenant("globex")
    apply_staff(tmp_path, {"username": "bob", "home": "globex"})
    home = User.objects.get().home_tenant

    assert home is not None
    assert home.slug == "globex"
    with unscoped("a test looks at all rows"):
        assert [row.tenant.slug for row in Membership.objects.all()] == ["acme"]


def test_a_file_makes_no_platform_operator(tmp_path: Path) -> None:
    make_user("root", superuser=True)
    apply_staff(tmp_path, {"username": "ada", "role": "admin"}, {"username": "root"})

    assert not User.objects.get(username="ada").is_superuser
    assert User.objects.get(username="root").is_superuser
    assert User.objects.get(username="root").home_tenant is None


def test_a_tenant_keeps_an_admin(tmp_path: Path) -> None:
    apply_staff(tmp_path, {"username": "ada", "role": "admin"})
    refused = apply_staff(tmp_path, {"username": "ada", "role": "editor"})

    assert refused.code == 2
    assert "tenants[0].staff" in refused.stderr
    assert "without an admin" in refused.stderr
    swapped = apply_staff(
        tmp_path, {"username": "ada", "role": "editor"}, {"username": "bob", "role": "admin"}
    )
    assert swapped.code == 0


def test_a_new_person_needs_the_password_that_keep_secrets_leaves_out(tmp_path: Path) -> None:
    ada = {"username": "ada", "password": "${env:NOT_SET_ANYWHERE}"}
    run = apply_staff(tmp_path, ada, flags=("--keep-secrets",))

    assert run.code == 2
    assert "staff[0].password" in run.stderr


def test_an_owner_is_of_the_tenants_staff(tmp_path: Path) -> None:
    make_user("bob", home=make_tenant("globex"))
    config = {
        "name": "a",
        "environment": "staging",
        "method": "bearer",
        "secrets": {"token": "t"},
    }
    tenant: dict[str, Any] = {
        "slug": "acme",
        "environments": [{"slug": "staging"}],
        "staff": [{"username": "ada"}],
        "auth_configs": [{**config, "owner": "ada"}],
    }
    assert apply_tenant(tmp_path, tenant).code == 0
    tenant["auth_configs"] = [{**config, "owner": "bob"}]
    assert apply_tenant(tmp_path, tenant).code == 2
