"""One row of every tenant-owned model, made from what the model declares, with a canary in every text of it."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from authconfigs.fields import SealedField
from tenants.audit import record
from tenants.models import AuditEvent, Tenant, User
from tenants.scope import TenantModel, tenant_scope
from tests.factories import make_user
from tests.tenants.pages import TENANT_MODELS

Rows = dict[type[models.Model], models.Model]


def plant(tenant: Tenant, canary: str) -> Rows:
    """The rows by model. The canary is a slug, so that it fits everywhere."""
    planted: Rows = {User: make_user(canary, home=tenant)}
    waiting = list(TENANT_MODELS)
    with tenant_scope(tenant.id):
        while waiting:
            ready = [model for model in waiting if _needs(model) <= planted.keys()]
            assert ready, f"Rows of {waiting} need each other."
            for model in ready:
                values = {
                    column.name: _value(column, planted, canary)
                    for column in model._meta.concrete_fields
                    if not column.primary_key and column.name != "tenant"
                }
                row = model(**values)
                if isinstance(model._meta.pk, models.AutoField):
                    # Not 1: it must be found nowhere else in a page.
                    row.pk = 987_654_321
                row.save()
                planted[model] = row
            waiting = [model for model in waiting if model not in planted]
        planted[AuditEvent] = record("planted", name=canary, outcome=canary)
    return planted


def _needs(model: type[models.Model]) -> set[Any]:
    return {
        column.related_model
        for column in model._meta.concrete_fields
        if column.is_relation and not column.null and column.name != "tenant"
    }


def _value(column: Any, planted: Rows, canary: str) -> Any:
    if column.is_relation:
        return planted.get(column.related_model)
    if isinstance(column, SealedField):
        return canary
    if column.choices:
        return next(value for value, _ in column.flatchoices if value)
    if isinstance(column, models.JSONField):
        return [canary] if column.default is list else {canary: canary}
    if isinstance(column, models.CharField | models.TextField):
        return canary[: column.max_length]
    if isinstance(column, models.UUIDField):
        return uuid.uuid4()
    if isinstance(column, models.BooleanField):
        return True
    if isinstance(column, models.DateTimeField | models.DateField):
        return timezone.now()
    assert isinstance(column, models.IntegerField), f"No value for a {type(column).__name__}"
    return 1


def snapshot(tenant: Tenant) -> list[dict[str, Any]]:
    """All that is stored of the tenant's rows."""
    with tenant_scope(tenant.id):
        return [
            values
            for model in TENANT_MODELS
            if issubclass(model, TenantModel)
            for values in model.objects.order_by("pk").values(*_plain(model))
        ]


def _plain(model: type[models.Model]) -> list[str]:
    return [c.name for c in model._meta.concrete_fields if not isinstance(c, SealedField)]
