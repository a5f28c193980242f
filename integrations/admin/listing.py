"""The list of connections: its columns, on the page and as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authconfigs.admin.tested import tested
from integrations.models import Connection
from tenants.badges import environment_badge, moment
from tenants.csv_lists import CsvPages


def title_of(connection: Connection) -> str:
    """The integration's name, with the connection's where it has one of its own."""
    name = connection.integration.name
    return name if connection.name == "default" else f"{name}: {connection.name}"


class ConnectionColumns(CsvPages):
    """The cells of a row."""

    csv_columns: ClassVar[Sequence[str]] = (
        "integration",
        "connection",
        "environment",
        "base_url",
        "auth_config",
        "status",
        "last_test_at",
        "failing_since",
        "last_success_at",
        "last_used_at",
    )

    @admin.display(description="Connection", ordering="integration__name")
    def name_column(self, connection: Connection) -> SafeString:
        return format_html(
            '{}<span class="c-under c-mono">{}</span>', title_of(connection), connection.base_url
        )

    @admin.display(description="Environment", ordering="environment__slug")
    def environment_column(self, connection: Connection) -> SafeString:
        return environment_badge(connection.environment)

    @admin.display(description="Auth config", ordering="auth_config__name")
    def auth_config_column(self, connection: Connection) -> SafeString | str:
        config = connection.auth_config
        if config is None:
            return "No authentication"
        url = reverse("admin:authconfigs_authconfig_change", args=[config.id])
        return format_html('<a class="c-link" href="{}">{}</a>', url, config.name)

    @admin.display(description="Status", ordering="last_test_ok")
    def status_column(self, connection: Connection) -> SafeString:
        pill = tested(connection).status.pill
        if connection.last_test_at is None:
            return pill
        return format_html(
            '{}<span class="c-under">{}</span>', pill, moment(connection.last_test_at)
        )

    @admin.display(description="Last 24 hours")
    def day_column(self, connection: Connection) -> SafeString:
        """`strip` was put on the row for the page that is shown."""
        strip: SafeString = cast("Any", connection).strip
        return strip

    @admin.display(description="Last used", ordering="last_used_at")
    def used_column(self, connection: Connection) -> SafeString:
        return moment(connection.last_used_at)

    def csv_rows(self, rows: QuerySet[Connection]) -> Iterator[Sequence[object]]:
        for row in rows:
            yield (
                row.integration.slug,
                row.name,
                row.environment.slug,
                row.base_url,
                row.auth_config.name if row.auth_config else "",
                tested(row).status.text,
                row.last_test_at,
                row.failing_since,
                row.last_success_at,
                row.last_used_at,
            )
