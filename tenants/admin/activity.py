from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tenants.admin_base import TenantAdmin
from tenants.badges import moment
from tenants.models import AuditEvent
from tenants.palette import Entry
from tenants.site import site


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(TenantAdmin):
    """The tenant's audit trail, to be read in the order of time: it grows without end, and in no other order has it an index."""

    list_display = (
        "when",
        "who",
        "action_column",
        "object_column",
        "fields_column",
        "outcome_column",
    )
    list_display_links = None
    search_fields = ("actor", "action", "object_name")
    search_help_text = "Person, action or object"
    empty_words = "Who did what, and when, stands here. Nothing was done in this tenant yet."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def palette_rows(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        """None: what happened is looked for in the list."""
        return iter(())

    @admin.display(description="When", ordering="at")
    def when(self, event: AuditEvent) -> SafeString:
        return moment(event.at)

    @admin.display(description="Who")
    def who(self, event: AuditEvent) -> SafeString:
        return _with_detail(event.actor, event.source_address or event.via)

    @admin.display(description="Action")
    def action_column(self, event: AuditEvent) -> str:
        return event.action.replace("_", " ")

    @admin.display(description="Object")
    def object_column(self, event: AuditEvent) -> SafeString:
        kind = _KINDS.get(event.object_type, event.object_type)
        place = f"{kind} in {event.environment}" if event.environment else kind
        return _with_detail(event.object_name, place)

    @admin.display(description="Changed fields")
    def fields_column(self, event: AuditEvent) -> str:
        return ", ".join(event.fields) or "no field"

    @admin.display(description="Outcome")
    def outcome_column(self, event: AuditEvent) -> str:
        return event.outcome.replace("_", " ")


def _with_detail(text: str, detail: str) -> SafeString:
    return format_html('<div>{}<br><span class="c-subtle">{}</span></div>', text, detail)


_KINDS = {model._meta.model_name: str(model._meta.verbose_name) for model in apps.get_models()}
