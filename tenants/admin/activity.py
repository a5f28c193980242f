from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tenants.admin_base import TenantAdmin
from tenants.badges import moment
from tenants.models import AuditEvent
from tenants.site import site


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(TenantAdmin):
    """The tenant's audit trail, to be read."""

    list_display = (
        "when",
        "actor",
        "action_column",
        "object_column",
        "environment",
        "fields_column",
        "outcome",
        "source_address",
        "via",
    )
    list_display_links = None
    search_fields = ("actor", "action", "object_name")
    search_help_text = "Person, action or object"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="When", ordering="at")
    def when(self, event: AuditEvent) -> SafeString:
        return moment(event.at)

    @admin.display(description="Action", ordering="action")
    def action_column(self, event: AuditEvent) -> str:
        return event.action.replace("_", " ")

    @admin.display(description="Object", ordering="object_name")
    def object_column(self, event: AuditEvent) -> str:
        return f"{event.object_type} {event.object_name}".strip()

    @admin.display(description="Changed fields")
    def fields_column(self, event: AuditEvent) -> str:
        return ", ".join(event.fields)
