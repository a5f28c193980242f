"""Names that forms suggest while one is typed, where there are too many for a list."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from authconfigs.models import AuthConfig
from integrations.models import Integration

_MOST = 20


@require_safe
def suggest_configs(request: HttpRequest) -> JsonResponse:
    """Auth configs of an environment."""
    if not request.user.has_perm("authconfigs.view_authconfig"):
        raise PermissionDenied
    try:
        environment = UUID(request.GET.get("environment", ""))
    except ValueError:
        return JsonResponse([], safe=False)
    typed = request.GET.get("q", "")
    rows = AuthConfig.objects.filter(environment_id=environment, name__icontains=typed)
    return _answer([(row.name, row.get_method_display()) for row in rows.order_by("name")[:_MOST]])


@require_safe
def suggest_integrations(request: HttpRequest) -> JsonResponse:
    """Integrations, by slug and by name."""
    if not request.user.has_perm("integrations.view_integration"):
        raise PermissionDenied
    typed = request.GET.get("q", "")
    rows = Integration.objects.filter(Q(slug__icontains=typed) | Q(name__icontains=typed))
    return _answer([(row.slug, row.name) for row in rows.order_by("slug")[:_MOST]])


def _answer(found: list[tuple[str, str]]) -> JsonResponse:
    return JsonResponse([{"value": value, "label": label} for value, label in found], safe=False)
