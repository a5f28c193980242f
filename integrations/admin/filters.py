"""The filters of the lists of connections and integrations, and those that are saved."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from authconfigs.admin.filters import MINE, EnvironmentFilter, OwnerFilter, saved_environments
from authconfigs.admin.tested import COUNTS, FAILS
from integrations.models import Connection
from tenants.saved_filters import SavedFilter

FAILING = SavedFilter("Failing", "result", "failed", "by the last test of what is set up now")
UNTESTED = SavedFilter("Untested", "result", "none", "nobody knows whether they work")

# The values of the filter by the last test: their names, and what they find.
RESULTS = {
    "failed": ("Failed", FAILS),
    "passed": ("Passed", Q(last_test_ok=True) & COUNTS),
    "changed": ("Changed since", Q(last_test_ok__isnull=False) & ~COUNTS),
    "none": ("Not tested", Q(last_test_ok=None)),
}


def saved_for_connections() -> Sequence[SavedFilter]:
    """Those of the list of connections."""
    return (FAILING, UNTESTED, MINE, *saved_environments())


def saved_for_integrations() -> Sequence[SavedFilter]:
    """Those of the list of integrations: by their connections."""
    return tuple(
        replace(each, words=f"with a connection of that kind: {each.words}")
        for each in saved_for_connections()
    )


def with_result(value: str) -> QuerySet[Connection]:
    """The connections that a value of the filter by the last test finds. Raises KeyError for one that it doesn't have."""
    return Connection.objects.filter(RESULTS[value][1])


class ResultFilter(admin.SimpleListFilter):
    title = "last test"
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, name) for value, (name, _) in RESULTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(RESULTS[value][1]) if value in RESULTS else queryset


class ConfigOwnerFilter(OwnerFilter):
    configs = "auth_config"


class _ByConnections(admin.SimpleListFilter):
    """Of integrations: those with a connection that the filter of connections finds."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        found = super().queryset(request, Connection.objects.all())
        return (
            queryset.filter(id__in=found.values("integration")) if found is not None else queryset
        )


class WithEnvironment(_ByConnections, EnvironmentFilter):
    pass


class WithResult(_ByConnections, ResultFilter):
    pass


class WithOwner(_ByConnections, ConfigOwnerFilter):
    pass
