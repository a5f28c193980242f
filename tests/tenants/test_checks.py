from django.apps import apps
from django.core.checks import run_checks
from django.db import models
from django.test.utils import isolate_apps

from tenants.checks import judge
from tenants.scope import TenantModel


def ids(model: type[models.Model], *, is_parent: bool = False) -> list[str | None]:
    return [message.id for message in judge(model, is_parent=is_parent)]


def test_our_models_pass() -> None:
    ours = [apps.get_app_config(app) for app in ("tenants", "authconfigs", "integrations")]
    assert [m for m in run_checks(app_configs=ours) if (m.id or "").startswith("tenants.")] == []


@isolate_apps("tenants")
def test_a_model_without_a_tenant_is_an_error() -> None:
    class Loose(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "tenants"

    assert ids(Loose) == ["tenants.E001"]


@isolate_apps("tenants")
def test_a_manager_that_sees_every_tenant_is_an_error() -> None:
    class Seen(TenantModel):
        objects = models.Manager()  # type: ignore[assignment]

        class Meta:
            app_label = "tenants"

    assert ids(Seen) == ["tenants.E002"]


@isolate_apps("tenants")
def test_a_parent_that_children_cant_name_with_its_tenant_is_an_error() -> None:
    class Parent(TenantModel):
        class Meta:
            app_label = "tenants"

    assert ids(Parent) == []
    assert ids(Parent, is_parent=True) == ["tenants.E003"]
