"""What is done with the ticked configs of the list: each is asked for by itself, and what isn't done is told with its reason."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from kombu.exceptions import OperationalError

from authconfigs.admin.base import OwnPages
from authconfigs.admin.buttons import NO_TOKEN, refresh
from authconfigs.database import database_now
from authconfigs.models import AuthConfig
from authconfigs.saving import EditConflict, switch_config
from authconfigs.tasks import refresh_chunk
from authconfigs.tokens.due import make_due
from tenants import audit

# How many names a reason tells before it counts the rest.
_NAMED = 5
_CONFIRMED = "confirmed"

Reasons = Mapping[str, Sequence[AuthConfig]]


class BulkActions(OwnPages):
    actions = ("test_selected", "refresh_selected", "switch_on_selected", "switch_off_selected")
    list_disable_select_all = True

    def has_test_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, "test")

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, "refresh")

    @admin.action(description="Test connections", permissions=["test"])
    def test_selected(
        self, request: HttpRequest, queryset: QuerySet[AuthConfig]
    ) -> HttpResponse | None:
        """Test whatever uses the ticked configs, in the background."""
        connections: Any = self.admin_site.get_model_admin(
            apps.get_model("integrations", "Connection")
        )
        allowed, refused = self._judged(request, queryset, verb="test")
        response: HttpResponse | None = connections.test_users_of(request, allowed)
        _say_left(request, refused)
        return response

    @admin.action(description="Refresh tokens", permissions=["refresh"])
    def refresh_selected(self, request: HttpRequest, queryset: QuerySet[AuthConfig]) -> None:
        """Renew the tokens of the ticked configs: one at once, several by the workers."""
        allowed, refused = self._judged(request, queryset, verb="refresh")
        if len(allowed) == 1:
            refresh(request, allowed[0])
        else:
            due = make_due([config.id for config in allowed], now=database_now())
            for config in allowed:
                if config.id in due:
                    audit.record("refresh", config, outcome="begun")
                else:
                    refused[_why_not_refreshed(config)].append(config)
            if due:
                messages.success(request, _begun(due))
        _say_left(request, refused)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on_selected(self, request: HttpRequest, queryset: QuerySet[AuthConfig]) -> None:
        """Switch the ticked configs on."""
        self._switch(request, queryset, off=False)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off_selected(
        self, request: HttpRequest, queryset: QuerySet[AuthConfig]
    ) -> HttpResponse | None:
        """Switch the ticked configs off, once it is confirmed what that ends."""
        if _CONFIRMED in request.POST:
            self._switch(request, queryset, off=True)
            return None
        going, refused = self._to_switch(
            request, queryset.annotate(users=Count("connections")), off=True
        )
        if not going:
            _say_left(request, refused)
            return None
        return self.page(
            request,
            "switch_off",
            title=f"Switch off {_counted(going)}?",
            going=going,
            calls=sum(cast("Any", config).users for config in going),
            left=[_told(why, configs) for why, configs in refused.items()],
            confirmed=_CONFIRMED,
            back=request.get_full_path(),
        )

    def _switch(self, request: HttpRequest, queryset: QuerySet[AuthConfig], *, off: bool) -> None:
        going, refused = self._to_switch(request, queryset, off=off)
        done = []
        for config in going:
            try:
                switch_config(config, disabled=off)
            except EditConflict:
                refused["somebody changed it at the same moment: try again"].append(config)
            else:
                done.append(config)
        if done:
            effect = "off: the next call is refused." if off else "on."
            messages.success(request, f"{_counted(done)} switched {effect}")
        _say_left(request, refused)

    def _to_switch(
        self, request: HttpRequest, queryset: QuerySet[AuthConfig], *, off: bool
    ) -> tuple[list[AuthConfig], defaultdict[str, list[AuthConfig]]]:
        allowed, refused = self._judged(request, queryset, verb="change")
        going = [config for config in allowed if (config.disabled_at is None) is off]
        already = [config for config in allowed if config not in going]
        if already:
            refused["off already" if off else "on already"] = already
        return going, refused

    def _judged(
        self, request: HttpRequest, queryset: QuerySet[AuthConfig], *, verb: str
    ) -> tuple[list[AuthConfig], defaultdict[str, list[AuthConfig]]]:
        """The configs that the user may do it to, and by their reasons the others."""
        allowed, refused = list[AuthConfig](), defaultdict[str, list[AuthConfig]](list)
        for config in queryset.select_related("environment"):
            if self.allows(request, verb, config):
                allowed.append(config)
            else:
                why = f"{config.environment.name} is protected, so that only admins may"
                refused[why].append(config)
        return allowed, refused


def _why_not_refreshed(config: AuthConfig) -> str:
    if not hasattr(config, "oauth_token"):
        return NO_TOKEN[:1].lower() + NO_TOKEN[1:].rstrip(".")
    if config.disabled_at is not None:
        return "switched off"
    return "it is being refreshed just now, rests after a failure, or needs a person: its page says which"


def _begun(due: Iterable[Any]) -> str:
    """Let a worker do it now; what is due is found without that, too."""
    ids = [str(config_id) for config_id in due]
    told = "1 token is" if len(ids) == 1 else f"{len(ids)} tokens are"
    try:
        refresh_chunk.delay(ids)
    except (OperationalError, OSError):
        return f"{told} due now. The queue is away: they are renewed once it is back."
    return f"{told} being refreshed by the workers. Each config's page shows what came of it."


def _counted(configs: Sequence[AuthConfig]) -> str:
    return f"{len(configs)} auth config{'' if len(configs) == 1 else 's'}"


def _told(why: str, configs: Sequence[AuthConfig]) -> str:
    """Which ones, and why: billing (Production) and 3 more: off already."""
    names = [f"{config.name} ({config.environment.name})" for config in configs[:_NAMED]]
    more = f" and {len(configs) - _NAMED} more" if len(configs) > _NAMED else ""
    return f"{', '.join(names)}{more}: {why}."


def _say_left(request: HttpRequest, refused: Reasons) -> None:
    for why, configs in refused.items():
        messages.warning(request, f"Left as they were, {len(configs)}: {_told(why, configs)}")
