"""The first page: whether anything needs a person, and if so what; where there is nothing yet, how to begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from django.db.models import F, Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from authconfigs.admin.filters import REAUTHORIZE, UNUSED, in_state
from authconfigs.admin.status import Status
from authconfigs.admin.tested import FAILS, OF_CONFIG, SEALED, tested
from authconfigs.admin.token_states import (
    Kind,
    configs_that_are,
    configs_that_need_a_person,
    token_status,
)
from authconfigs.models import AuthConfig, OAuthToken
from authconfigs.tokens.due import is_used_to_its_end
from authconfigs.tokens.granted import is_stored
from integrations.admin.checklist import checklist
from integrations.admin.filters import FAILING, UNTESTED, with_result
from integrations.admin.listing import title_of
from integrations.admin.strips import health_of
from integrations.models import Connection
from tenants.badges import Tone
from tenants.choices import why_no_environment
from tenants.lists import counted
from tenants.models import AuditEvent, User
from tenants.saved_filters import SavedFilter
from tenants.scope import active_tenant_id_or_none

SHOWN = 12
CHANGES = 8
_CHANGED = ("authconfig", "connection", "integration")
_PAST = {
    "change": "changed",
    "connect": "connected",
    "consent_link": "consent link made",
    "create": "created",
    "delete": "deleted",
    "disconnect": "disconnected",
}
_NO_CHANGE = ("test", "refresh", "simulate_expiry", "call", "refused")


@dataclass(frozen=True)
class Tile:
    """A number that leads to the list of what it counts."""

    title: str
    number: str
    tone: Tone
    url: str
    words: str


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the page."""
    context["title"] = "Home"
    if active_tenant_id_or_none() is None:
        return context
    user, now = cast("User", request.user), timezone.now()
    may_begin = user.has_perm("authconfigs.add_authconfig")
    steps = checklist(may_begin=may_begin)
    done = sum(step.done for step in steps)
    return {
        **context,
        "tiles": tiles(now),
        "connections": _connections(now),
        "configs": _configs(now),
        "refreshes": _refreshes(now),
        "changes": _changes(),
        "steps": steps if done < len(steps) else [],
        "done": done,
        "nearly_done": done == len(steps) - 1,
        "may_audit": user.has_perm("tenants.view_auditevent"),
        "no_environment": why_no_environment(user, "authconfigs.add_authconfig"),
    }


def tiles(now: datetime) -> list[Tile]:
    """What needs a look, in numbers."""
    configs = AuthConfig.objects.all()
    found: tuple[tuple[SavedFilter, QuerySet[Any], Tone], ...] = (
        (FAILING, with_result(FAILING.value), "bad"),
        (REAUTHORIZE, in_state(configs, REAUTHORIZE.value, now=now), "bad"),
        (UNTESTED, with_result(UNTESTED.value), "warn"),
        (UNUSED, in_state(configs, UNUSED.value, now=now), "quiet"),
    )
    return [
        Tile(
            saved.title,
            number,
            tone if number != "0" else "good",
            _list(rows.model, saved),
            saved.words,
        )
        for saved, rows, tone in found
        for number in [counted(rows)]
    ]


def _list(model: type[Model], saved: SavedFilter) -> str:
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return f"{url}?{saved.query}"


def _connections(now: datetime) -> list[Connection]:
    """The failing ones first, then those that were used or tested last, each with its health."""
    fails = Q(failing_since__isnull=False) & FAILS
    rows = Connection.objects.select_related("integration", "environment", OF_CONFIG)
    rows = rows.defer(*SEALED)
    order = (
        F("last_used_at").desc(nulls_last=True),
        F("last_test_at").desc(nulls_last=True),
        "id",
    )
    failing = list(rows.filter(fails).order_by("-environment__protected", "-last_test_at")[:SHOWN])
    others = rows.exclude(id__in=[row.id for row in failing]).order_by(*order)
    found = [*failing, *others[: SHOWN - len(failing)]]
    for row, health in zip(found, health_of(found, now=now), strict=True):
        shown = cast("Any", row)
        shown.title, shown.health = title_of(row), health
        shown.pill = tested(row).status.pill
    return found


def _configs(now: datetime) -> list[AuthConfig]:
    """Configs that a person has to do something for, or whose calls fail while they are retried."""
    overdue = Q(rotate_by__lte=date.today())
    lapsed = configs_that_are(Kind.RETRYING, now=now) & Q(oauth_token__expires_at__lte=now)
    rows = (
        AuthConfig.objects.filter(overdue | lapsed | configs_that_need_a_person(now))
        .filter(disabled_at=None)
        .select_related("environment", "oauth_token")
        .defer("oauth_token__access_token", "oauth_token__refresh_token")
        .annotate(has_refresh=is_stored("oauth_token__refresh_token"))
    )
    found: list[AuthConfig] = list(rows.order_by("-environment__protected", "name")[:SHOWN])
    for row in found:
        cast("Any", row).status = _why(row, now)
    return found


def _why(config: AuthConfig, now: datetime) -> Status:
    token: OAuthToken | None = getattr(config, "oauth_token", None)
    if token is not None:
        has_refresh = cast("Any", config).has_refresh
        status = token_status(config, token, has_refresh_token=has_refresh, now=now)
        if status.needs_person or status.kind is Kind.RETRYING:
            return status
    return Status("Rotation overdue", "warn", f"It was to be replaced by {config.rotate_by}.")


def _refreshes(now: datetime) -> Sequence[OAuthToken]:
    """The tokens that are renewed next, the soonest first."""
    rows = (
        OAuthToken.objects.filter(
            refresh_after__isnull=False,
            state__in=[OAuthToken.State.VALID, OAuthToken.State.RETRYING],
            config__disabled_at=None,
        )
        .exclude(is_used_to_its_end(now))
        .select_related("config__environment")
        .defer("access_token", "refresh_token")
    )
    return list(rows.order_by("refresh_after")[:CHANGES])


def _changes() -> Sequence[AuditEvent]:
    """What people changed last; of configs, connections and integrations, whose history everybody here may read."""
    rows = AuditEvent.objects.filter(object_type__in=_CHANGED, outcome="ok")
    found = list(rows.exclude(action__in=_NO_CHANGE)[:CHANGES])
    for row in found:
        cast("Any", row).words = _PAST.get(row.action, row.action.replace("_", " "))
        if row.action == "change" and row.fields:
            cast("Any", row).words = f"changed: {', '.join(row.fields).replace('_', ' ')}"
    return found
