"""System checks of tenancy: `manage.py check`, and with `--database default` also the triggers."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.core.checks import CheckMessage, Tags
from django.db import connections, models

from tenants import audit_triggers
from tenants.scope import TenantManager, TenantModel

OUR_APPS = ("tenants", "authconfigs", "integrations")
# These belong to no tenant, or either to a tenant or to the platform.
GLOBAL_MODELS = frozenset(
    {
        "authconfigs.DataKey",
        "authconfigs.Heartbeat",
        "integrations.ControlTurn",
        "tenants.AuditEvent",
        "tenants.Tenant",
        "tenants.User",
    }
)


def register() -> None:
    """Make Django run the checks."""
    checks.register(every_model_has_a_tenant, Tags.models)
    checks.register(audit_triggers_are_there, Tags.database)


def every_model_has_a_tenant(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    """E001: no tenant and not listed as global. E002: its manager sees every tenant. E003: children can't carry a composite key."""
    ours = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]
    parents = {
        column.related_model
        for model in ours
        if issubclass(model, TenantModel)
        for column in model._meta.local_concrete_fields
    }
    problems: list[CheckMessage] = []
    for model in ours:
        if app_configs is not None and model._meta.app_config not in app_configs:
            continue
        problems += judge(model, is_parent=model in parents)
    return problems


def judge(model: type[models.Model], *, is_parent: bool = False) -> Iterable[CheckMessage]:
    """What is wrong with one model. is_parent: another tenant-owned model refers to it."""
    if not issubclass(model, TenantModel):
        if model._meta.label not in GLOBAL_MODELS:
            yield checks.Error(
                "The model belongs to no tenant.",
                hint="Derive it from TenantModel, or list it in tenants.checks.GLOBAL_MODELS.",
                obj=model,
                id="tenants.E001",
            )
        return
    if not isinstance(model._default_manager, TenantManager):
        yield checks.Error(
            "The model's default manager sees the rows of every tenant.",
            hint="Let its first manager be a TenantManager.",
            obj=model,
            id="tenants.E002",
        )
    unique = {
        tuple(constraint.fields)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    }
    if is_parent and ("tenant", "id") not in unique:
        yield checks.Error(
            "Other models refer to the model, but it isn't unique on (tenant, id).",
            hint="Add that constraint: a composite key of the children needs it.",
            obj=model,
            id="tenants.E003",
        )


def audit_triggers_are_there(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W004: the audit trail could be changed. A warning, or migrate, which mends it, would refuse to run."""
    return [
        checks.Warning(
            f"Rows of the audit trail could be changed: {', '.join(missing)} missing.",
            hint="Run `python manage.py migrate`: it installs the triggers again.",
            id="tenants.W004",
        )
        for using in databases or ()
        if audit_triggers.TABLE in connections[using].introspection.table_names()
        and (missing := audit_triggers.missing(using))
    ]
