"""The list of auth configs: its columns, filters and what it reads for them, in the same few queries for any length."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.apps import apps
from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from authconfigs import methods
from authconfigs.admin.states import config_status, is_readable, secret_age
from authconfigs.admin.status import Status
from authconfigs.admin.tested import FAILS, last_tests, tested, troubles, with_tests
from authconfigs.admin.token_states import (
    Kind,
    configs_that_are,
    configs_that_need_a_person,
    configs_that_need_authorization,
    token_status,
)
from authconfigs.datakeys import Keychain
from authconfigs.models import AuthConfig, Credential, OAuthToken
from authconfigs.saving import current_credential
from authconfigs.tokens.granted import configs_with_other_scopes, is_stored, scopes_of
from tenants.badges import environment_badge, moment, pill
from tenants.models import Environment

# How many names a cell shows before it counts the rest.
SHOWN = 2
# What nothing called for so long is unused.
UNUSED_AFTER = timedelta(days=30)
_OF_TOKENS = (Kind.RETRYING, Kind.STOPPED, Kind.NOT_CONNECTED)


def unused(now: datetime) -> Q:
    """The configs that no connection has, or that no call has used for long; new ones have their time."""
    long_ago = now - UNUSED_AFTER
    not_called = Q(last_used_at__lt=long_ago) | Q(last_used_at=None, created_at__lt=long_ago)
    return Q(connections=None) | not_called


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
        return [
            ("attention", "Needs attention"),
            (Kind.REAUTHORIZE, "Needs reauthorization"),
            (Kind.RETRYING, "Retrying"),
            (Kind.STOPPED, "Stopped until edited"),
            (Kind.NOT_CONNECTED, "Not connected"),
            ("scopes", "Scopes differ"),
            ("unused", "Unused"),
            ("rotate", "Rotation overdue"),
            ("off", "Switched off"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value, now = self.value(), timezone.now()
        connections = apps.get_model("integrations", "Connection").objects
        failed = Q(id__in=connections.filter(FAILS).values("auth_config"))
        wanted = {
            "attention": (failed | configs_that_need_a_person(now)) & Q(disabled_at=None),
            Kind.REAUTHORIZE: configs_that_need_authorization(now) & Q(disabled_at=None),
            "unused": unused(now),
            "rotate": Q(rotate_by__lte=date.today()),
            "off": Q(disabled_at__isnull=False),
        }
        # A subquery, so that a config with two failing connections stands there once.
        if value in wanted:
            found = AuthConfig.objects.filter(wanted[value]).values("id")
            return queryset.filter(id__in=found)
        if value in _OF_TOKENS:
            return queryset.filter(configs_that_are(Kind(value), now=now))
        if value == "scopes":
            return queryset.filter(id__in=configs_with_other_scopes())
        return queryset


def for_list(configs: QuerySet[AuthConfig]) -> QuerySet[AuthConfig]:
    """The configs with all that a row shows."""
    return (
        configs.select_related("environment", "oauth_token")
        .defer("oauth_token__access_token", "oauth_token__refresh_token")
        .annotate(has_refresh=is_stored("oauth_token__refresh_token"))
        .prefetch_related(
            Prefetch(
                "credentials", queryset=Credential.objects.filter(slot=Credential.Slot.CURRENT)
            ),
            *with_tests(),
        )
    )


def describe(config: AuthConfig, keys: Keychain) -> Status:
    """The state of a config that `for_list` read."""
    credential = current_credential(config)
    row: OAuthToken | None = getattr(config, "oauth_token", None)
    token = scopes = None
    if row is not None:
        has_refresh = cast("Any", config).has_refresh
        token = token_status(config, row, has_refresh_token=has_refresh, now=timezone.now())
        asked = credential.options.get("scope", "")
        scopes = scopes_of(row, config_scope=asked, has_refresh_token=has_refresh)
    return config_status(
        config,
        token,
        readable=is_readable(credential, keys),
        tests=last_tests(config),
        scopes=scopes,
    )


CSV_COLUMNS = (
    "name",
    "environment",
    "method",
    "status",
    "owner",
    "rotate_by",
    "secret_set",
    "last_used_at",
    "used_by",
    "hosts",
    "client_id",
)


def csv_rows(configs: QuerySet[AuthConfig]) -> Iterator[Sequence[object]]:
    """The cells of configs, without secrets."""
    keys = Keychain()
    for config in for_list(configs).select_related("owner"):
        yield (
            config.name,
            config.environment.slug,
            config.method,
            describe(config, keys).text,
            config.owner.username if config.owner else "",
            config.rotate_by,
            secret_age(current_credential(config)),
            config.last_used_at,
            ", ".join(test.name for test in map(tested, cast("Any", config).connections.all())),
            config.hosts,
            config.client_id,
        )


class ConfigColumns:
    """The cells of a row; `status` was put on it for the page that is shown."""

    @admin.display(description="Environment", ordering="environment")
    def environment_column(self, config: AuthConfig) -> SafeString:
        return environment_badge(config.environment)

    @admin.display(description="Method", ordering="method")
    def method_column(self, config: AuthConfig) -> str:
        return config.get_method_display()

    @admin.display(description="Status")
    def status_column(self, config: AuthConfig) -> SafeString:
        status: Status = cast("Any", config).status
        return status.pill

    @admin.display(description="Last test")
    def last_test_column(self, config: AuthConfig) -> SafeString | str:
        """When, and how it ended; of several connections that of those that make the status."""
        every = last_tests(config)
        tests = [test for test in every if test.at is not None]
        found = troubles(tests)
        last = max(
            found or tests, key=lambda test: (test.counts, cast("datetime", test.at)), default=None
        )
        if last is None:
            return "–"
        when = moment(last.at)
        if not last.counts:
            return format_html('<span class="c-subtle">{}, before a change</span>', when)
        told = format_html(
            '{} <span class="c-subtle">{}</span>', "Passed" if last.ok else "Failed", when
        )
        if not found or len(every) == 1:
            return told
        return format_html("{}: {}", told, _links((test.name, test.url) for test in found))

    @admin.display(description="Used by")
    def used_by_column(self, config: AuthConfig) -> SafeString | str:
        users = cast("Any", config).connections.all()
        return _links((test.name, test.url) for test in map(tested, users)) or "–"

    @admin.display(description="Secret set", ordering="rotate_by")
    def secret_column(self, config: AuthConfig) -> SafeString:
        age = secret_age(current_credential(config))
        if config.rotate_by is not None and config.rotate_by <= date.today():
            due = pill("Rotation overdue", "warn", title=f"Rotate by {config.rotate_by}")
            return format_html("{} {}", age, due)
        return format_html("{}", age)


def _links(places: Iterable[tuple[str, str]]) -> SafeString:
    """Names that lead to their pages: the first ones, and how many more there are."""
    found = list(places)
    links = format_html_join(", ", '<a class="c-link" href="{1}">{0}</a>', found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return format_html("{}{}", links, more)
