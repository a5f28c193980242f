"""The list and the page of integrations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from authconfigs.admin.tested import OF_CONFIG, SEALED, tested
from authconfigs.saving import conflict
from integrations.admin.filters import (
    WithEnvironment,
    WithOwner,
    WithResult,
    saved_for_integrations,
)
from integrations.admin.forms import IntegrationForm
from integrations.admin.palette import IntegrationEntries
from integrations.models import Connection, Integration
from integrations.saving import EditConflict, InvalidDraft, delete, save_integration
from integrations.saving.drafts import SavedIntegration
from tenants.badges import environment_badge
from tenants.choices import why_no_environment
from tenants.csv_lists import CsvPages
from tenants.models import Environment, User
from tenants.permissions import environments_for
from tenants.saved_filters import SavedFilter
from tenants.site import site

# How many connections a cell of the list shows before it counts the rest.
SHOWN = 6


@dataclass(frozen=True)
class Place:
    """An environment with the integration's connections there."""

    environment: Environment
    connections: list[Connection]
    may_add: bool


def with_pills(connections: QuerySet[Connection]) -> list[Connection]:
    """The connections, each with its last test in words and colour."""
    found = list(connections)
    for connection in found:
        cast("Any", connection).test_pill = tested(connection).status.pill
    return found


@admin.register(Integration, site=site)
class IntegrationAdmin(IntegrationEntries, CsvPages):
    list_display = ("name", "slug", "connections_column", "revision_column")
    list_filter = (WithEnvironment, WithResult, WithOwner)
    search_fields = ("name", "slug", "connections__base_url", "connections__host")
    search_help_text = "Name, slug, base URL or host"
    records_itself: ClassVar[bool] = True
    natural_key = ("slug",)
    empty_words = "An integration is an API that you call: its name, and the headers and query that go out always."
    csv_columns = ("slug", "name", "revision", "connections")

    def saved_filters(self) -> Sequence[SavedFilter]:
        return saved_for_integrations()

    def csv_rows(self, rows: QuerySet[Integration]) -> Iterator[Sequence[object]]:
        for row in rows:
            each = (f"{one.environment.slug}/{one.name}" for one in row.connections.all())
            yield row.slug, row.name, self.revision_column(row), ", ".join(each)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        queryset: QuerySet[Integration] = super().get_queryset(request)
        connections = (
            Connection.objects.select_related("environment", OF_CONFIG)
            .defer(*SEALED)
            .order_by("environment__protected", "environment__slug", "name")
        )
        return queryset.select_related("head").prefetch_related(
            Prefetch("connections", queryset=connections)
        )

    @admin.display(description="Connections")
    def connections_column(self, integration: Integration) -> SafeString | str:
        cells = (
            (
                reverse("admin:integrations_connection_change", args=[each.id]),
                environment_badge(each.environment),
                "" if each.name == "default" else f" {each.name}",
                tested(each).status.pill,
            )
            for each in list(integration.connections.all())[:SHOWN]
        )
        line = '<div class="c-row"><a href="{}">{}{}</a> {}</div>'
        more = len(integration.connections.all()) - SHOWN
        rest = format_html("<div>and {} more</div>", more) if more > 0 else ""
        return format_html("{}{}", format_html_join("", line, cells), rest) or "–"

    @admin.display(description="Revision")
    def revision_column(self, integration: Integration) -> str:
        return str(integration.head.number) if integration.head is not None else "–"

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = IntegrationForm(request.POST if request.method == "POST" else None)
        saved = _saved(form, None) if request.method == "POST" else None
        if saved is not None:
            messages.success(request, f"{saved.integration.name} is saved. Add a connection next.")
            config = request.GET.get("config", "")
            if config:
                query = f"?integration={saved.integration.id}&config={config}"
                url = reverse("admin:integrations_connection_add")
                return HttpResponseRedirect(url + query)
            return HttpResponseRedirect(self.url_of(saved.integration))
        return self.page(request, "add_integration", title="New integration", form=form)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        integration = self.found(request, object_id, verb="view")
        form = None
        if self.has_change_permission(request, integration):
            data = request.POST if request.method == "POST" else None
            form = IntegrationForm(data, integration=integration)
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            saved = _saved(form, integration)
            if saved is not None:
                _say_saved(request, saved)
                return HttpResponseRedirect(self.url_of(integration))
        user = cast("User", request.user)
        places = _places(user, integration)
        return self.page(
            request,
            "integration_page",
            title=integration.name,
            original=integration,
            integration=integration,
            form=form,
            places=places,
            no_environment=""
            if places
            else why_no_environment(user, "integrations.add_connection"),
            may={"delete": self.has_delete_permission(request, integration)},
        )

    def kept_fields(self, request: HttpRequest) -> Mapping[str, forms.Field]:
        return IntegrationForm.base_fields

    def delete_model(self, request: HttpRequest, obj: Integration) -> None:
        delete(obj)


def _saved(form: IntegrationForm, integration: Integration | None) -> SavedIntegration | None:
    """Save what was typed; None where it is refused, and the form says why."""
    if not form.is_valid():
        return None
    try:
        if integration is not None and form.is_outdated:
            raise conflict(integration)
        return save_integration(form.draft(), integration=integration)
    except InvalidDraft as invalid:
        form.refuse(invalid.errors)
    except EditConflict as refusal:
        form.conflict = str(refusal)
    return None


def _say_saved(request: HttpRequest, saved: SavedIntegration) -> None:
    if not saved.fields:
        messages.info(request, "Nothing was changed: all is stored as you sent it.")
        return
    messages.success(request, f"{saved.integration.name} is saved.")
    if saved.moved:
        places = ", ".join(sorted({each.environment.name for each in saved.moved}))
        messages.info(request, f"Sent from now on in {places}.")
    left = Connection.objects.filter(integration=saved.integration).exclude(
        revision=saved.integration.head
    )
    names = sorted({each.environment.name for each in left.select_related("environment")})
    if names:
        messages.info(
            request, f"{', '.join(names)} keeps what it sends until an admin moves its connection."
        )


def _places(user: User, integration: Integration) -> list[Place]:
    connections = with_pills(
        Connection.objects.filter(integration=integration)
        .select_related("environment", "integration", OF_CONFIG, "revision")
        .defer(*SEALED)
        .order_by("name")
    )
    allowed = set(environments_for(user, "integrations.add_connection"))
    return [
        Place(
            environment=environment,
            connections=[c for c in connections if c.environment_id == environment.id],
            may_add=environment in allowed,
        )
        for environment in Environment.objects.all()
    ]
