"""The filters of the list of auth configs, of which other lists use some, and those that are saved."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from authconfigs import methods
from authconfigs.admin.tested import FAILS
from authconfigs.admin.token_states import (
    Kind,
    configs_that_are,
    configs_that_need_a_person,
    configs_that_need_authorization,
)
from authconfigs.models import AuthConfig
from authconfigs.tokens.granted import configs_with_other_scopes
from tenants.models import Environment, User
from tenants.saved_filters import SavedFilter

# What nothing called for so long is unused.
UNUSED_AFTER = timedelta(days=30)
# So many protected environments have a saved filter; any of them can be filtered for.
_SAVED = 3

FAILING = SavedFilter(
    "Failing", "state", "failing", "a connection that uses it fails its last test"
)
REAUTHORIZE = SavedFilter(
    "Need reauthorization", "state", Kind.REAUTHORIZE, "somebody has to connect them"
)
UNUSED = SavedFilter("Unused", "state", "unused", "attached to nothing, or not called for 30 days")
MINE = SavedFilter(
    "Mine", "owner", "me", "you own the auth config, or you made it and nobody owns it"
)


def saved_environments() -> list[SavedFilter]:
    """One for each protected environment."""
    words = "protected: only admins change things there"
    protected = Environment.objects.filter(protected=True)[:_SAVED]
    return [SavedFilter(each.name, "environment", each.slug, words) for each in protected]


def in_state(configs: QuerySet[AuthConfig], state: str, *, now: datetime) -> QuerySet[AuthConfig]:
    """Those of the configs that a value of the filter by state finds. Raises KeyError for one that it doesn't have."""
    # A subquery, so that a config with two failing connections stands there once.
    found = AuthConfig.objects.filter(_STATES[state][1](now))
    return configs.filter(id__in=found.values("id"))


def configs_of(person: User) -> QuerySet[AuthConfig]:
    """The configs that are somebody's: those that they own, and those that they made and nobody owns."""
    return AuthConfig.objects.filter(Q(owner=person) | Q(owner=None, created_by=person))


def _fails(now: datetime) -> Q:
    connections = apps.get_model("integrations", "Connection").objects
    return Q(id__in=connections.filter(FAILS).values("auth_config"))


def _is_unused(now: datetime) -> Q:
    """No connection has it, or no call has used it for long; a new one has its time."""
    long_ago = now - UNUSED_AFTER
    not_called = Q(last_used_at__lt=long_ago) | Q(last_used_at=None, created_at__lt=long_ago)
    return Q(connections=None) | not_called


_ON = Q(disabled_at=None)
# By its value the name of a state, and the condition for configs in it.
_STATES: dict[str, tuple[str, Callable[[datetime], Q]]] = {
    "attention": (
        "Needs attention",
        lambda now: (_fails(now) | configs_that_need_a_person(now)) & _ON,
    ),
    "failing": ("Failing", _fails),
    Kind.REAUTHORIZE: (
        "Needs reauthorization",
        lambda now: configs_that_need_authorization(now) & _ON,
    ),
    Kind.RETRYING: ("Retrying", lambda now: configs_that_are(Kind.RETRYING, now=now)),
    Kind.STOPPED: ("Stopped until edited", lambda now: configs_that_are(Kind.STOPPED, now=now)),
    Kind.NOT_CONNECTED: (
        "Not connected",
        lambda now: configs_that_are(Kind.NOT_CONNECTED, now=now),
    ),
    "scopes": ("Scopes differ", lambda now: Q(id__in=configs_with_other_scopes())),
    "unused": ("Unused", _is_unused),
    "rotate": ("Rotation overdue", lambda now: Q(rotate_by__lte=date.today())),
    "off": ("Switched off", lambda now: Q(disabled_at__isnull=False)),
}


class EnvironmentFilter(admin.SimpleListFilter):
    title = "environment"
    parameter_name = "environment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.slug, each.name) for each in Environment.objects.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(environment__slug=self.value()) if self.value() else queryset


class MethodFilter(admin.SimpleListFilter):
    title = "method"
    parameter_name = "method"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return methods.choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(method=self.value()) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, name) for value, (name, _) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in _STATES:
            return queryset
        return in_state(queryset, value, now=timezone.now())


class OwnerFilter(admin.SimpleListFilter):
    """Of configs; `configs` leads to them from the rows of another list."""

    title = "owner"
    parameter_name = "owner"
    configs = "id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "me":
            return queryset
        mine = configs_of(cast("User", request.user))
        return queryset.filter(**{f"{self.configs}__in": mine.values("id")})


def saved_for_configs() -> Sequence[SavedFilter]:
    """Those of the list of auth configs."""
    return (FAILING, REAUTHORIZE, UNUSED, MINE, *saved_environments())
