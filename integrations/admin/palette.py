"""What the command palette finds of integrations and connections, and the help pages."""

from collections.abc import Iterator, Sequence
from typing import cast

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse

from authconfigs.admin.base import OwnPages
from authconfigs.admin.tested import OF_CONFIG, SEALED, tested
from integrations.admin.help import symptoms_told
from integrations.admin.listing import title_of
from integrations.models import Connection, Integration
from tenants.models import User
from tenants.palette import Entry, matching
from tenants.permissions import environments_for

_OF_CONNECTIONS = (
    "integration__name",
    "integration__slug",
    "name",
    "environment__name",
    "environment__slug",
    "host",
    "auth_config__name",
)


class IntegrationEntries(OwnPages):
    def palette_rows(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        rows = Integration.objects.order_by("name")
        said = "integration add a new connection to"
        may_add = request.user.has_perm("integrations.add_connection")
        for row in matching(rows, words, columns=("name", "slug"), said=said):
            yield Entry(row.name, self.url_of(row), "hub", "Integration", also=row.slug)
            if may_add:
                add = reverse("admin:integrations_connection_add")
                yield Entry(
                    f"Add a connection to {row.name}",
                    f"{add}?integration={row.id}",
                    "add_link",
                    "Integration",
                    also=f"new {row.slug}",
                )


class ConnectionEntries(OwnPages):
    def palette_entries(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        yield from super().palette_entries(request, words)
        places = environments_for(request.user, "integrations.test_connection").filter(
            Exists(Connection.objects.filter(environment=OuterRef("pk")))
        )
        url = reverse("admin:integrations_connection_changelist")
        said = "test all of action connections"
        for place in matching(places, words, columns=("name", "slug"), said=said):
            yield Entry(
                f"Test all of {place.name}",
                f"{url}?environment={place.slug}#test-all",
                "playlist_play",
                "Action",
                environment=place,
                also="connections",
            )

    def palette_rows(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        rows = (
            Connection.objects.select_related("integration", "environment", OF_CONFIG)
            .defer(*SEALED)
            .order_by("integration__name", "environment__protected", "name")
        )
        said = "connection test try a request through"
        user = cast("User", request.user)
        for row in matching(rows, words, columns=_OF_CONNECTIONS, said=said):
            name, page = title_of(row), self.url_of(row)
            shown = [(name, page, "cable")]
            if user.has_perm("integrations.test_connection", row):
                shown.append((f"Test {name}", f"{page}#test", "play_arrow"))
            if user.has_perm("integrations.call_connection", row):
                attempt = reverse("admin:integrations_connection_try", args=[row.id])
                shown.append((f"Try a request through {name}", attempt, "send"))
            for title, link, icon in shown:
                yield Entry(
                    title,
                    link,
                    icon,
                    "Connection",
                    environment=row.environment,
                    status=tested(row).status.text,
                    also=f"{row.integration.slug} {row.name} {row.host}"
                    f" {row.auth_config.name if row.auth_config else ''}",
                )


class HelpEntries(OwnPages):
    """Of tests: a help page for each symptom that one can end with."""

    def palette_rows(self, request: HttpRequest, words: Sequence[str]) -> Iterator[Entry]:
        yield Entry("Troubleshooting", reverse("help_symptoms"), "help", "Help")
        for told in symptoms_told():
            title = f"Troubleshooting: {told.title}"
            also = f"{told.code} {told.matrix} {told.meaning}"
            yield Entry(title, told.url, "help", "Help", status=told.matrix, also=also)
