"""The list and the pages of connections."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.generic import RedirectView

from authconfigs.admin.filters import EnvironmentFilter
from authconfigs.admin.tested import OF_CONFIG, SEALED, test_status, tested
from authconfigs.admin.token_panel import status_of_token
from authconfigs.methods.base import Change
from integrations.admin.filters import ConfigOwnerFilter, ResultFilter, saved_for_connections
from integrations.admin.forms import ConnectionForm
from integrations.admin.listing import ConnectionColumns, title_of
from integrations.admin.palette import ConnectionEntries
from integrations.admin.places import PlaceForm
from integrations.admin.running import RunsTests
from integrations.admin.strips import health_of, strips_of
from integrations.admin.trying import TriesRequests
from integrations.models import Connection, ConnectionTest, Integration
from integrations.saving import EditConflict, InvalidDraft, delete_connection, save_connection
from integrations.saving.drafts import SavedConnection
from tenants.middleware import tenant_of
from tenants.models import Environment, User
from tenants.permissions import role_of
from tenants.roles import Role
from tenants.saved_filters import SavedFilter
from tenants.site import site

HISTORY = 50


@admin.register(Connection, site=site)
class ConnectionAdmin(ConnectionColumns, ConnectionEntries, RunsTests, TriesRequests):
    list_display = (
        "name_column",
        "environment_column",
        "auth_config_column",
        "status_column",
        "day_column",
        "used_column",
    )
    list_filter = (EnvironmentFilter, ResultFilter, ConfigOwnerFilter)
    search_fields = (
        "integration__name",
        "integration__slug",
        "name",
        "base_url",
        "host",
        "auth_config__name",
        "auth_config__client_id",
    )
    search_help_text = "Integration, host, auth config or client ID"
    empty_words = "A connection says where an API is in one environment, and with which auth config it is called. It is what you test."
    list_select_related = ("integration", "environment", OF_CONFIG)
    ordering = ("integration__name", "environment__protected", "environment__slug", "name")
    actions = ("test_selected",)
    list_disable_select_all = True
    records_itself: ClassVar[bool] = True
    natural_key = ("integration__slug", "environment__slug", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        queryset: QuerySet[Connection] = super().get_queryset(request)
        return queryset.select_related(
            "integration__head", "environment", OF_CONFIG, "revision"
        ).defer(*SEALED)

    def saved_filters(self) -> Sequence[SavedFilter]:
        return saved_for_connections()

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of one page, with what they show."""
        changelist = super().get_changelist_instance(request)
        rows = changelist.result_list = list(changelist.result_list)
        for row, strip in zip(rows, strips_of(rows, now=timezone.now()), strict=True):
            cast("Any", row).strip = strip
        return changelist

    def get_urls(self) -> list[URLPattern]:
        def named(url: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            wrapped: Any = self.admin_site.admin_view(view)
            wrapped.model_admin = self
            pattern: URLPattern = path(url, wrapped, name=name)
            return pattern

        return [
            named(
                "of-config/<path:object_id>/test/",
                self.test_config_view,
                "integrations_config_test",
            ),
            # Above it, the page that its button stands on.
            path(
                "of-config/<path:object_id>/",
                RedirectView.as_view(pattern_name="admin:authconfigs_authconfig_change"),
            ),
            named("test-all/", self.test_all_view, "integrations_connection_test_all"),
            named("<path:object_id>/test/", self.test_view, "integrations_connection_test"),
            named("<path:object_id>/try/", self.try_view, "integrations_connection_try"),
            *super().get_urls(),
        ]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        place = PlaceForm(request.GET, user=cast("User", request.user))
        if not place.is_valid():
            return self._choose_place(request, place)
        integration = place.cleaned_data["integration"]
        environment = place.cleaned_data["environment"]
        form = ConnectionForm(
            request.POST if request.method == "POST" else None,
            integration=integration,
            environment=environment,
            config=place.attached,
        )
        saved = None
        if request.method == "POST":
            saved = _saved(request, form, integration, environment)
        if saved is not None:
            messages.success(request, "The connection is saved. Test it now.")
            _say_more(request, saved)
            return HttpResponseRedirect(self.url_of(saved.connection))
        context = {"form": form, "integration": integration, "environment": environment}
        return self.page(request, "add_connection", title="New connection", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        connection = self.found(request, object_id, verb="view")
        integration, environment = connection.integration, connection.environment
        form = None
        if self.has_change_permission(request, connection):
            form = ConnectionForm(
                request.POST if request.method == "POST" else None,
                integration=integration,
                environment=environment,
                connection=connection,
            )
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            saved = _saved(request, form, integration, environment, connection=connection)
            if saved is not None:
                done = (
                    "The connection is saved."
                    if saved.fields
                    else "Nothing was changed: all is stored as you sent it."
                )
                messages.success(request, done)
                _say_more(request, saved)
                return HttpResponseRedirect(self.url_of(connection))
            connection = self.get_object(request, object_id) or connection
        return self.page(
            request,
            "connection_page",
            title=title_of(connection),
            original=connection,
            connection=connection,
            form=form,
            **self._known(request, connection),
        )

    def kept_fields(self, request: HttpRequest) -> Mapping[str, forms.Field]:
        return ConnectionForm.base_fields

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        delete_connection(obj)

    def _known(self, request: HttpRequest, connection: Connection) -> dict[str, Any]:
        tests = list(
            ConnectionTest.objects.filter(connection=connection).only(
                "started_at", "ok", "symptom", "status", "duration_ms", "actor"
            )[:HISTORY]
        )
        for test in tests:
            cast("Any", test).pill = test_status(ok=test.ok, symptom=test.symptom).pill
        protected = connection.environment.protected and self.has_change_permission(request)
        name = "" if connection.name == "default" else f":{connection.name}"
        tenant = tenant_of(request)
        return {
            "integration": connection.integration,
            "environment": connection.environment,
            "status": tested(connection).status.pill,
            "health": health_of([connection], now=timezone.now())[0],
            "token": status_of_token(connection.auth_config) if connection.auth_config else None,
            "tests": tests,
            "elsewhere": Connection.objects.filter(
                integration=connection.integration, name=connection.name
            )
            .exclude(id=connection.id)
            .select_related("environment")
            .order_by("environment__protected", "environment__slug"),
            "is_readable_on_the_way": connection.auth_config is not None
            and connection.base_url.lower().startswith("http://"),
            "address": f"{tenant.slug if tenant else ''}/{connection.integration.slug}{name}",
            "may": {
                "test": self.allows(request, "test", connection),
                "call": self.allows(request, "call", connection),
                "delete": self.has_delete_permission(request, connection),
            },
            "why_readonly": f"{connection.environment.name} is protected: only admins change things here."
            if protected
            else "",
        }

    def _choose_place(self, request: HttpRequest, place: PlaceForm) -> HttpResponse:
        return self.page(
            request,
            "choose_place",
            title="New connection",
            form=place,
            config=place.attached,
            integrations=Integration.objects.exists(),
        )


def _saved(
    request: HttpRequest,
    form: ConnectionForm,
    integration: Integration,
    environment: Environment,
    *,
    connection: Connection | None = None,
) -> SavedConnection | None:
    """Save what was typed; None where it is refused, and the form says why."""
    if not form.is_valid():
        return None
    try:
        return save_connection(
            form.draft(),
            integration=integration,
            environment=environment,
            connection=connection,
            as_admin=role_of(request.user) is Role.ADMIN,
            seen_revision=form.cleaned_data["revision_number"],
        )
    except InvalidDraft as invalid:
        form.refuse(invalid.errors)
    except EditConflict as conflict:
        form.conflict = str(conflict)
    return None


def _say_more(request: HttpRequest, saved: SavedConnection) -> None:
    for note in saved.notes:
        messages.info(request, note)
    for origin in saved.added_origins:
        messages.info(request, f"The credential may be sent to {origin} from now on.")
    if saved.change is Change.NEW_GRANT:
        messages.info(request, "A token that was stored for the old secrets is dropped.")
