"""The first page: what needs attention in this tenant, and how to begin where there is nothing yet."""

from datetime import date
from typing import Any, cast

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from authconfigs.admin.status import Status
from authconfigs.admin.tested import FAILS, test_status
from authconfigs.admin.token_states import configs_that_need_a_person, token_status
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.tokens.granted import is_stored
from integrations.admin.connections import title_of
from integrations.models import Connection
from tenants.choices import why_no_environment
from tenants.models import User
from tenants.scope import active_tenant_id_or_none

SHOWN = 20


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the page."""
    context["title"] = "Home"
    if active_tenant_id_or_none() is None:
        return context
    user = cast("User", request.user)
    return {
        **context,
        "failing": _failing(),
        "configs": _configs(),
        "is_new": not Connection.objects.exists(),
        "may_begin": user.has_perm("authconfigs.add_authconfig"),
        "no_environment": why_no_environment(user, "authconfigs.add_authconfig"),
    }


def _failing() -> list[Connection]:
    """Connections that fail by a last test that still counts, the latest first."""
    rows = Connection.objects.filter(FAILS).select_related("integration", "environment")
    found = list(rows.order_by("-environment__protected", "-last_test_at")[:SHOWN])
    for row in found:
        shown = cast("Any", row)
        shown.title = title_of(row)
        shown.pill = test_status(ok=False, symptom=row.last_test_symptom).pill
    return found


def _configs() -> list[AuthConfig]:
    """Configs that a person has to do something for."""
    overdue = Q(rotate_by__lte=date.today())
    rows = (
        AuthConfig.objects.filter(overdue | configs_that_need_a_person(timezone.now()))
        .filter(disabled_at=None)
        .select_related("environment", "oauth_token")
        .defer("oauth_token__access_token", "oauth_token__refresh_token")
        .annotate(has_refresh=is_stored("oauth_token__refresh_token"))
    )
    found: list[AuthConfig] = list(rows.order_by("-environment__protected", "name")[:SHOWN])
    for row in found:
        cast("Any", row).status = _why(row)
    return found


def _why(config: AuthConfig) -> Status:
    token: OAuthToken | None = getattr(config, "oauth_token", None)
    if token is not None:
        has_refresh = cast("Any", config).has_refresh
        status = token_status(config, token, has_refresh_token=has_refresh, now=timezone.now())
        if status.needs_person:
            return status
    return Status("Rotation overdue", "warn", f"It was to be replaced by {config.rotate_by}.")
