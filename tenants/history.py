"""The history page of one row: its lines of the audit trail."""

from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

from tenants.models import AuditEvent

if TYPE_CHECKING:
    from tenants.admin_base import TenantAdmin

_PER_PAGE = 100


def history_page(request: HttpRequest, page: "TenantAdmin", obj: Model) -> TemplateResponse:
    """The page. Whether the user may see the row is for the caller to ask."""
    lines = AuditEvent.objects.filter(object_id=str(obj.pk), object_type=obj._meta.model_name)
    context = {
        **page.admin_site.each_context(request),
        "title": f"History of {obj}",
        "opts": page.opts,
        "object": obj,
        "lines": Paginator(lines, _PER_PAGE).get_page(request.GET.get("p")),
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "tenants/history.html", context)
