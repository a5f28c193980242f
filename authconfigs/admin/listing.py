"""The list of auth configs: its columns and what it reads for them, in the same few queries for any length."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, cast

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from authconfigs.admin.states import config_status, is_readable, secret_age
from authconfigs.admin.status import Status
from authconfigs.admin.tested import last_tests, tested, troubles, with_tests
from authconfigs.admin.token_states import token_status
from authconfigs.datakeys import Keychain
from authconfigs.models import AuthConfig, Credential, OAuthToken
from authconfigs.saving import current_credential
from authconfigs.tokens.granted import is_stored, scopes_of
from tenants.badges import environment_badge, moment, pill
from tenants.csv_lists import cell

# How many names a cell shows before it counts the rest.
SHOWN = 2


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
            secret_age(current_credential(config), told=cell),
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
        """With the last test: when, and how it ended; of several connections that of those that make the status."""
        status: Status = cast("Any", config).status
        test = _last_test(config)
        under = format_html('<span class="c-under">{}</span>', test) if test else ""
        return format_html("{}{}", status.pill, under)

    @admin.display(description="Used by")
    def used_by_column(self, config: AuthConfig) -> SafeString | str:
        users = cast("Any", config).connections.all()
        return _links((test.name, test.url) for test in map(tested, users)) or "no integration"

    @admin.display(description="Secret set", ordering="rotate_by")
    def secret_column(self, config: AuthConfig) -> SafeString:
        age = secret_age(current_credential(config), told=moment)
        if config.rotate_by is not None and config.rotate_by <= date.today():
            due = pill("Rotation overdue", "warn", title=f"Rotate by {config.rotate_by}")
            return format_html("{} {}", age, due)
        return format_html("{}", age)


def _last_test(config: AuthConfig) -> SafeString | str:
    every = last_tests(config)
    tests = [test for test in every if test.at is not None]
    found = troubles(tests)
    last = max(
        found or tests, key=lambda test: (test.counts, cast("datetime", test.at)), default=None
    )
    if last is None:
        return ""
    when = moment(last.at)
    if not last.counts:
        return format_html('<span class="c-subtle">{}, before a change</span>', when)
    told = format_html(
        '{} <span class="c-subtle">{}</span>', "Passed" if last.ok else "Failed", when
    )
    if not found or len(every) == 1:
        return told
    return format_html("{}: {}", told, _links((test.name, test.url) for test in found))


def _links(places: Iterable[tuple[str, str]]) -> SafeString:
    """Names that lead to their pages: the first ones, and how many more there are."""
    found = list(places)
    links = format_html_join(", ", '<a class="c-link" href="{1}">{0}</a>', found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return format_html("{}{}", links, more)
