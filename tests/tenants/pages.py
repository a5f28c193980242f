"""URLs of a console in which every tenant-owned model has plain pages of the base class: what holds here holds for any page."""

from typing import Any, ClassVar

from django.apps import apps
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from unfold.admin import ModelAdmin

from tenants.admin_base import TenantAdmin
from tenants.models import AuditEvent, Tenant
from tenants.scope import TenantModel
from tenants.site import ConsoleSite

TENANT_MODELS: list[type[models.Model]] = [
    model for model in apps.get_models() if issubclass(model, TenantModel)
]


def admin_for(model: type[models.Model]) -> type[TenantAdmin]:
    """Pages that show, search, filter and offer all that they can."""
    columns = [column for column in model._meta.concrete_fields if column.name != "tenant"]
    texts = [column.name for column in columns if isinstance(column, models.CharField)]
    parents = [column for column in columns if isinstance(column, models.ForeignKey)]

    class Pages(TenantAdmin):
        list_display: ClassVar = ["__str__", *(column.name for column in columns)]
        search_fields: ClassVar = texts or ["id"]
        list_filter: ClassVar = [column.name for column in parents]
        autocomplete_fields: ClassVar = [
            column.name
            for column in parents
            if isinstance(column.related_model, type)
            and issubclass(column.related_model, TenantModel)
            and column.editable
        ]

    return Pages


site = ConsoleSite()
OWNED: list[type[models.Model]] = [*TENANT_MODELS, AuditEvent]
for owned in OWNED:
    site.register(owned, admin_for(owned))


class TenantPages(ModelAdmin):  # type: ignore[misc]
    list_display: ClassVar = ["slug", "name"]


site.register(Tenant, TenantPages)


def broken(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise RuntimeError("planted")


urlpatterns = [
    path("", include("tenants.urls")),
    path("admin/", include("integrations.admin.urls")),
    path("admin/", site.urls),
    path("broken/", broken),
]
