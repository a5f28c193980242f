"""The first page: what needs attention in this tenant, and how to begin where there is nothing yet."""

from datetime import date
from typing import Any, cast

from django.db.models import Q
from django.http import HttpRequest

from authconfigs.admin.states import Status, test_status, token_status
from authconfigs.methods import METHODS
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.saving.tokens import needs_consent
from integrations.admin.connections import title_of
from integrations.models import Connection
from tenants.models import User
from tenants.scope import active_tenant_id_or_none

SHOWN = 20
_STUCK = (OAuthToken.State.STOPPED, OAuthToken.State.REAUTHORIZATION_REQUIRED)
_NEVER_CONNECTED = Q(
    method__in=[method.code for method in METHODS if needs_consent(method.code)],
    oauth_token__state=OAuthToken.State.EMPTY,
)


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
    }


def _failing() -> list[Connection]:
    """Connections whose last test failed, the latest first."""
    rows = Connection.objects.filter(last_test_ok=False).select_related(
        "integration", "environment"
    )
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
        AuthConfig.objects.filter(overdue | Q(oauth_token__state__in=_STUCK) | _NEVER_CONNECTED)
        .filter(disabled_at=None)
        .select_related("environment", "oauth_token")
        .defer("oauth_token__access_token", "oauth_token__refresh_token")
    )
    found = list(rows.order_by("-environment__protected", "name")[:SHOWN])
    for row in found:
        cast("Any", row).pill = _why(row).pill
    return found


def _why(config: AuthConfig) -> Status:
    token: OAuthToken | None = getattr(config, "oauth_token", None)
    if token is not None and token_status(config, token).tone == "bad":
        return token_status(config, token)
    return Status("Rotation overdue", "warn", f"Rotate by {config.rotate_by}")
